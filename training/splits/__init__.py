"""Who trains and who judges: patients are dealt once, alike in outcome, sex, age and site, and never cross over."""

from training.splits.shares import split_cohort

__all__ = ["split_cohort"]
