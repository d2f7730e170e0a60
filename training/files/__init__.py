"""Files of results: written whole, told apart by stamps, worked on by one process at a time."""
