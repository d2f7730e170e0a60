"""Cases that are accepted now and answered later: durable, once, and told to whoever asked to be told."""
