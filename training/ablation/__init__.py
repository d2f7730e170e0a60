"""Rows x folds x seeds on one cohort: planned, run in parallel, resumed, and told as one table."""
