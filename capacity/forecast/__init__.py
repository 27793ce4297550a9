"""Daily peaks to sample paths."""
