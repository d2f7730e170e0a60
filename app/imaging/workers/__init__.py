"""Images are read and drawn in processes beside the service."""
