"""The loop's notes of a run, one line per epoch."""

import json
from dataclasses import dataclass
from pathlib import Path

HISTORY_FILE = "history.jsonl"


@dataclass(frozen=True)
class Epoch:
    """One line of `history.jsonl`.

    Attributes:
        epoch: Counted from 1.
        loss: Mean training loss, guidance by masks included.
        nll: Negative log-likelihood on the validation split.
        seconds: Duration.
    """

    epoch: int
    loss: float
    nll: float
    seconds: float


def read_history(run: Path) -> tuple[Epoch, ...]:
    """Every epoch; none for a row without epochs. Other keys of a line are of no concern here."""
    path = run / HISTORY_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    notes = [json.loads(line) for line in lines if line.strip()]
    return tuple(Epoch(each["epoch"], each["loss"], each["nll"], each["seconds"]) for each in notes)
