"""Names of people and places as several hands, and several programs, write them."""

import re
import unicodedata


def plain(text: str) -> str:
    """What is left of a name without capitals, kinds of space and dash, dots, codings of accents, and zeros before a number.

    Spreadsheets take such zeros away (`007`), and macOS writes an accent as a character of its own.

    Args:
        text: A pseudonym, or a site.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    without_zeros = re.sub(r"(?<![\d.])0+(?=\d)", "", folded)
    return re.sub(r"(?:[\s_-]|(?<!\d)\.|\.(?!\d))+", " ", without_zeros).rstrip()
