"""Frame to results: no I/O, no clock, no plotting, no global randomness."""
