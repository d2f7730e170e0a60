"""From arrays to an explained answer: ONNX session, predictor, prediction sets, out-of-distribution score."""
