"""DICOM files to slices, slices to a volume."""
