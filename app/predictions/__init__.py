"""The use case: a case (image and record) becomes a stored, explained prediction."""
