"""Hostile files by the thousand: mutated DICOM and NIfTI through the door (`make fuzz`)."""
