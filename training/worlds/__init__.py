"""Planted worlds, whose answer is known by construction: what they are, what theory says of each row, and what the rows answer."""
