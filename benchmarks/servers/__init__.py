"""The same package behind other people's servers, each configured as its own documentation advises for two CPU cores.

`python -m benchmarks.servers.NAME` serves `POST /predict` with the parts `image` (a zip of one DICOM series) and `ehr`. The
environment says where and how (`benchmarks.servers.work`). None of them keeps an answer, draws a heatmap, bounds its
queue, or reads in a process that may be killed: that much less work they have.
"""
