"""Finding the head, and judging whether it is one, and whole."""
