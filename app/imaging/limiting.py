"""Which findings about an image limit the use of an answer; whoever reads it, or learns from the image, must not overlook them."""

from typing import Final

LIMITING: Final = frozenset(
    {
        "body-part-doubtful",
        "contrast-agent",
        "gaps-between-slices",
        "head-cut-off",
        "head-doubtful",
        "head-not-found",
        "skull-stripped",
        "slices-alternate",
        "small-head",
        "weighting-doubtful",
        "windowed-image",
    }
)
"""Their codes."""
