"""Draft the description of a table: writes `cohort.json` beside `cohort.csv`, and says which columns it names.

Columns that are called as the features of the reference records (age, sex, gcs, ...) are described with their codes, units
and plausible ranges. What it cannot know, it lists; docs/reference/cohort.md says what every field means.

Examples:
    python -m training describe runs/cohort --task gos --source "University hospital, 2016 to 2021"
    python -m training describe runs/oasis --task ad --source "OASIS-3" --outcome diagnosis --levels CN=cn,AD=ad
"""

import argparse
from pathlib import Path

from app.later import later

run = later("training.steps.describe:run")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("cohort", type=Path, help="folder with cohort.csv")
    parser.add_argument("--task", choices=("gos", "ad"), required=True, help="what is to be predicted")
    parser.add_argument(
        "--source", required=True, metavar="WORDS", help="where the patients come from, for the model card"
    )
    parser.add_argument(
        "--outcome", default="outcome", metavar="COLUMN", help="column of the outcome (outcome)"
    )
    parser.add_argument(
        "--levels",
        type=_levels,
        default={},
        metavar="WORD=MEANING,...",
        help="the table's own words for the outcome: 1 to 5, or favourable and unfavourable; cn and ad",
    )


def _levels(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(word and is_pair and meaning for word, is_pair, meaning in pairs):
        raise argparse.ArgumentTypeError("expected WORD=MEANING,WORD=MEANING, as in CN=cn,AD=ad")
    return {word.strip(): meaning.strip() for word, _, meaning in pairs}
