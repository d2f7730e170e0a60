"""One NIfTI to a volume."""
