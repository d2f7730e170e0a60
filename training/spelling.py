"""Names of people and places as several hands, and several programs, write them."""

import re
import unicodedata


def plain(text: str) -> str:
    """What is left of a name without capitals, kinds of space and dash, dots, codings of accents, and zeros before a number.

    Spreadsheets take such zeros away (`007`), macOS writes an accent as a character of its own, and what is copied from a web page may
    hold characters that nobody sees, such as a space without width.

    Args:
        text: A pseudonym, or a site.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().strip()
    seen = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")
    without_zeros = re.sub(r"(?<![\d.])0+(?=\d)", "", seen)
    return re.sub(r"(?:[\s_-]|(?<!\d)\.|\.(?!\d))+", " ", without_zeros).rstrip()
