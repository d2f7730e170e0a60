"""The use case: a case (image and record) becomes a stored, explained prediction, which is found, asked again and judged later."""
