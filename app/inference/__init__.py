"""From arrays to an explained answer: ONNX session, predictor, prediction sets, out-of-distribution score."""

import os

# What a hospital runs is nobody else's business. ONNX Runtime looks for this while it is imported (its Privacy.md); without it, it would
# write an id of this machine below the home folder and report the process, both before any call could forbid it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
