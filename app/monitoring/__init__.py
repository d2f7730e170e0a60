"""What is watched while the service runs: drift of its cases, how its answers turn out, and the machine."""
