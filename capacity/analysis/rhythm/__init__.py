"""Local time: days, hours and weeks as clocks on the wall have them, and the cycles that live there."""
