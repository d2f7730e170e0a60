"""Who may do what: principals, the credentials that make them, and how often they may ask."""
