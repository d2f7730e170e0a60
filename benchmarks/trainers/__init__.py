"""Ways of training one network for an epoch on the same patients; each is a function that returns seconds, ready to be timed in turns."""
