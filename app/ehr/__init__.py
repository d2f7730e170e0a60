"""The record: feature schema, and from a JSON object to (values, missing) with the fate of every feature."""
