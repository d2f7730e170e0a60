"""HTTP and nothing else: one file per resource, wire schemas, the problem+json table, upload limits."""
