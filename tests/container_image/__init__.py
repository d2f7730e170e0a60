"""The Dockerfile built and its image run without Docker: `make image-test`. Debian's buildah, debootstrap and runc, as root."""
