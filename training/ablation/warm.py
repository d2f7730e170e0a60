"""Imported by the process that jobs are forked from: what every job needs is loaded once, and nothing is computed yet."""

import monai.networks.nets

import training.train
from app.ehr.units import accepted_units
from training.ablation import work

__all__ = ["monai", "training", "work"]

# Reading the definitions of all units takes a second, on the first use.
accepted_units("kg", None)
