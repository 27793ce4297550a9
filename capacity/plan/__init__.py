"""Decisions: paths, events and money to what to order when, and forecasts kept against what came."""
