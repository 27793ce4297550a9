"""From observed maxima to offered load and to calls turned away.

The pieces of `capacity.offered_load` and `capacity.blocking`.
"""
