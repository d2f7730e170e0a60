"""Units as clinicians write them, for what people read."""

import re
from types import MappingProxyType
from typing import Final

WORDS: Final = MappingProxyType(
    {
        "a": "years", "mo": "months", "wk": "weeks", "d": "days", "h": "hours", "min": "minutes", "s": "seconds",
        "mm[Hg]": "mmHg", "cm[H2O]": "cmH₂O", "[lb_av]": "lb", "[in_i]": "in", "Cel": "°C", "[degF]": "°F", "1": "",
    }
)  # fmt: skip
"""What is no plain sign of a unit in UCUM (https://ucum.org/ucum, the c/s column)."""
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def unit_words(unit: str) -> str:
    """A UCUM unit for readers; annotations such as `{score}` count nothing and are left out."""
    if unit in WORDS or unit.startswith("{"):
        return WORDS.get(unit, "")
    powers = re.sub(r"10\*(\d+)", lambda ten: f"\N{MULTIPLICATION SIGN} 10{ten[1].translate(_RAISED)}", unit)
    cubic = re.sub(r"m3\b", "m³", powers)
    return re.sub(r"\bu(?=mol|g|L)", "µ", cubic)
