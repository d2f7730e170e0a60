"""The report's sections, each from `Material` to `blocks.Section`; a section without its numbers says why it is absent."""
