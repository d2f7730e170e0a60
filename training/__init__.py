"""NeuroFuse, the training side: a cohort in, a calibrated model package out. Needs the extra [training]."""
