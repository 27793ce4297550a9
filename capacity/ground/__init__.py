"""What every room stands on: the frame, licences, local time, holidays, words."""
