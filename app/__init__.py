"""NeuroFuse, the service: an image and a record in, an explained outcome out. Never imports torch or training."""

__version__ = "0.3.0.dev0"
