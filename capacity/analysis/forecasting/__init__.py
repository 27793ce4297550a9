"""The pieces of `capacity.forecast_peaks`, each small enough to be tested alone."""
