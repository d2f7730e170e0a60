"""What runs around the service, as it is deployed."""
