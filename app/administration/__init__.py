"""`neurofuse models`: the packages here, and those of a running service."""
