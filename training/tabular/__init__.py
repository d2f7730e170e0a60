"""Rows of the model table that are no networks: one file each, fitted on training patients and judged like all others."""
