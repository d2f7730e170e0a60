"""Features of our own making: planted ones, and what a reader of an image noted. No hospital records them, so no code and no unit."""

from app.ehr.schema import Feature


def unitless(name: str, low: float, high: float) -> Feature:
    """A number without a unit.

    Args:
        name: Also its title.
        low: Least plausible value.
        high: Greatest plausible value.
    """
    return Feature(
        name=name,
        title=name,
        kind="numeric",
        loinc=None,
        unit="1",
        plausible_range=(low, high),
        categories=(),
        required=False,
    )
