"""Errors of images: readable in kind, but not what is needed."""

from app.errors.base import RequestError


class ImageError(RequestError):
    """The file is of a known kind, but not the image we need."""


class CorruptImageError(ImageError):
    """Truncated or contradictory data."""

    code = "corrupt-image"
    title = "The image data is damaged."


class NoUsableSeriesError(ImageError):
    """No series in the upload can be used for the task."""

    code = "no-usable-series"
    title = "No usable image series was found."


class MixedSeriesError(ImageError):
    """The upload holds several series that could be meant."""

    code = "mixed-series"
    title = "The upload holds more than one series."


class MissingSlicesError(ImageError):
    """A hole between slices is too wide to bridge."""

    code = "missing-slices"
    title = "Slices are missing."


class IrregularGeometryError(ImageError):
    """Positions or orientations do not form a volume."""

    code = "irregular-geometry"
    title = "The slices do not form a volume."


class WrongModalityError(ImageError):
    """The image is not of the modality the task needs."""

    code = "wrong-modality"
    title = "The image is of the wrong modality."


class UnreadableImageError(ImageError):
    """Reading or drawing met a limit on time or memory, or ended abnormally."""

    code = "unreadable-image"
    title = "The image cannot be read within the limits."


class NotAHeadError(ImageError):
    """The image certainly shows something else than a head."""

    code = "not-a-head"
    title = "The image does not show a head."
