"""What a run tells while it goes: `history.jsonl` for the report, TensorBoard for the impatient."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from training.files.whole_files import write_whole

HISTORY_FILE = "history.jsonl"
BOARD_FOLDER = "tensorboard"


@dataclass(frozen=True)
class EpochNotes:
    """One line of `history.jsonl`.

    Attributes:
        epoch: Counted from 1.
        loss: Mean training loss, guidance by masks included.
        nll: Negative log-likelihood on the validation split, not calibrated.
        auroc: Of the event there; null where the split lacks one of the outcomes.
        learning_rate: After the last step.
        gradient_norm: Mean over steps, before clipping.
        samples_per_second: Training cases, augmentation and waiting included, validation not.
        loader_share: Share of the training time spent waiting for batches.
        seconds: Of the whole epoch.
    """

    epoch: int
    loss: float
    nll: float
    auroc: float | None
    learning_rate: float
    gradient_norm: float
    samples_per_second: float
    loader_share: float
    seconds: float


class Journal:
    """The two places, opened so that a run cut off goes on in both.

    Args:
        run: The run's folder.
        epochs_done: Lines of an earlier start that still count; later ones are dropped.
        writes: False in a process beside the one that writes.
    """

    def __init__(self, run: Path, epochs_done: int, *, writes: bool = True) -> None:
        self._writes = writes
        if not writes:
            return
        path = run / HISTORY_FILE
        lines = path.read_text(encoding="utf-8").splitlines()[:epochs_done] if path.is_file() else []
        # Replaced whole: a kill at this moment must not cost the lines of the epochs that state.pt counts as done.
        write_whole(path, "".join(f"{line}\n" for line in lines))
        self._history = path.open("a", encoding="utf-8")
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - half a second, which only networks need

        self._board = SummaryWriter(str(run / BOARD_FOLDER), purge_step=epochs_done + 1)

    def write(self, notes: EpochNotes) -> None:
        """Note an epoch."""
        if not self._writes:
            return
        facts = asdict(notes)
        self._history.write(json.dumps(facts) + "\n")
        self._history.flush()
        for name, value in facts.items():
            if name != "epoch" and value is not None:
                self._board.add_scalar(name, value, notes.epoch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writes:
            self._history.close()
            self._board.close()
