"""`neurofuse inspect`: what the door sees in files, as tables, JSON or one picture."""
