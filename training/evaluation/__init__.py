"""Judgement on held-out patients, one subject per file; `document` is what they fill and what the report shows."""
