"""Who competes: one module each, with `run(job) -> Answer`. Peers do as their own documentation advises."""
