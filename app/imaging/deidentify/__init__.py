"""An upload without what leads to the patient."""
