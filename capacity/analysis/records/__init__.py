"""Call records against the API's own maxima: hypotheses of what takes a channel, and where the two differ."""
