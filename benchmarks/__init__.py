"""Benchmarks: each prints our time beside a peer's, taken in turns in one run, with the ratio that survives a slow day."""
