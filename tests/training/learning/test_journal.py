"""training.learning.journal: a run that goes on keeps the lines of its finished epochs, whole, and no other."""

import json
from pathlib import Path

import pytest

from training.learning.journal import HISTORY_FILE, EpochNotes, Journal


def _notes(epoch: int, loss: float = 0.5) -> EpochNotes:
    return EpochNotes(epoch, loss, 0.6, None, 1e-3, 1.0, 10.0, 0.01, 2.0)


def _losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / HISTORY_FILE).read_text().splitlines()]


def _write(run: Path, epochs_done: int, *losses: float, writes: bool = True) -> None:
    with Journal(run, epochs_done, writes=writes) as journal:
        for number, loss in enumerate(losses, start=epochs_done + 1):
            journal.write(_notes(number, loss))


def test_lines_of_epochs_that_do_not_count_are_dropped(tmp_path: Path) -> None:
    _write(tmp_path, 0, 3.0, 2.0, 1.0)
    with (tmp_path / HISTORY_FILE).open("a") as history:
        history.write('{"epoch": 4, "lo')  # cut off in the middle of a line
    _write(tmp_path, 2, 7.0)
    assert _losses(tmp_path) == [3.0, 2.0, 7.0]


def test_a_kill_while_the_history_is_opened_again_costs_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment before the new file takes the old one's place: the old one is still whole."""
    _write(tmp_path, 0, 3.0, 2.0)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            Journal(tmp_path, 1)
    assert _losses(tmp_path) == [3.0, 2.0]


def test_a_process_that_does_not_write_leaves_nothing(tmp_path: Path) -> None:
    _write(tmp_path, 0, 3.0, writes=False)
    assert list(tmp_path.iterdir()) == []
