"""From one frame to the assessment: its steps, and what it says to machines and to people."""
