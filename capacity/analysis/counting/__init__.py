"""Order statistics of many variants at once."""
