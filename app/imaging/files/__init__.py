"""What the files of an upload are, and their bytes, wherever they lie."""
