"""Arrays in, arrays out: Erlang, the law of a maximum, censoring, extremes, order statistics, cycles."""
