"""Fits of extremes: the pieces of `capacity.return_levels`."""
