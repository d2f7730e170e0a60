"""The method (arXiv:2112.11710 as read in docs/concepts/method.md): encoder, MMA, MH-GMU, heads, losses."""
