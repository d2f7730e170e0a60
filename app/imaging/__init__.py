"""Bytes to a volume, volume to the model grid, heatmap back to the patient. The only importer of pydicom and nibabel."""
