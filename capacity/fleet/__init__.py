"""Many projects at once: the plan, the run through any executor, the table, and what projects share."""
