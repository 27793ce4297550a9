"""Call records to frame: the event sweep, synthetic calls, and the endpoint served from calls."""
