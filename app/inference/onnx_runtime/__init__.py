"""The one door to ONNX Runtime: opens a package's graph, proves that it is what the manifest says, and runs it.

ONNX Runtime falls back to the CPU in silence, at load where the GPU's libraries are absent (onnxruntime#23372) and
again inside `run` when a provider fails. Both are made visible here: the first is refused or recorded, the second is
switched off.
"""
