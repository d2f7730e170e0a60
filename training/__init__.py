"""NeuroFuse, the training side: a cohort in, a calibrated model package out. Needs the extra [training]."""

import app.inference  # noqa: F401 - ONNX Runtime's telemetry is off before any module here imports it
