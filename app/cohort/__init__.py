"""A table of patients in, a table of answers out: the same answers as `neurofuse predict`, one row each."""
