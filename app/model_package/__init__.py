"""Manifest, store and golden self-test of a model package."""
