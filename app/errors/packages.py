"""Errors of model packages that must not be served."""

from app.errors.base import NeuroFuseError


class PackageError(NeuroFuseError):
    """A model package that must not be served."""


class PackageInvalidError(PackageError):
    """The manifest or the files break the package format."""

    code = "package-invalid"
    title = "The model package is invalid."


class PackageDigestError(PackageError):
    """A file differs from its recorded digest."""

    code = "package-digest"
    title = "A file of the model package was changed."


class PackageExistsError(PackageError):
    """A version is never overwritten."""

    code = "package-exists"
    title = "This version of the model package exists already."


class GoldenMismatchError(PackageError):
    """The golden case does not give the stored answer on this provider."""

    code = "golden-mismatch"
    title = "The model package fails its self-test."
