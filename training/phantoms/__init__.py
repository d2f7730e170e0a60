"""Synthetic heads with known truth: anatomy, scanner, record, outcome."""
