"""Folds and smaller training sets of an ablation's jobs; they are dealt in `training.splits`."""

from training.splits.folds import smaller, with_fold

__all__ = ["smaller", "with_fold"]
