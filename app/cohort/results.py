"""The table that comes back: one line a row, written as it is known, so that an interruption costs the cases in work alone."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TextIO

from app.errors import MalformedRequestError, NeuroFuseError
from app.model_package.manifest import Manifest
from app.predictions.answer import Answer

ANSWERED: Final = "answered"
FAILED: Final = "failed"
Line = Mapping[str, str]
_FIRST: Final = ("id", "case", "status", "code", "detail", "model", "package_sha256", "label")
_LAST: Final = (
    "favourable",
    "prediction_set",
    "coverage",
    "out_of_distribution",
    "flagged",
    "abstained",
    "image_share",
    "findings",
    "warnings",
    "milliseconds",
)


def columns(manifest: Manifest) -> tuple[str, ...]:
    """Of the results of a package: a column `p_<label>` for each class."""
    return (*_FIRST, *(f"p_{each.label}" for each in manifest.outputs.classes), *_LAST)


def answered(name: str, case: str, answer: Answer) -> Line:
    """The line of an answer.

    Args:
        name: Of the row.
        case: Digest of what was asked.
        answer: The document that the service would give.
    """
    outcome, favourable = answer.prediction, answer.prediction.favourable
    return {
        "id": name,
        "case": case,
        "status": ANSWERED,
        "model": f"{answer.model.name}@{answer.model.version}",
        "package_sha256": answer.model.sha256,
        "label": outcome.label,
        **{f"p_{label}": f"{p:.6f}" for label, p in outcome.probabilities.items()},
        "favourable": "" if favourable is None else f"{favourable:.6f}",
        "prediction_set": " ".join(outcome.prediction_set),
        "coverage": f"{outcome.coverage:g}",
        "out_of_distribution": f"{outcome.out_of_distribution.score:.4f}",
        "flagged": _yes(outcome.out_of_distribution.flagged),
        "abstained": _yes(outcome.abstained),
        "image_share": f"{answer.ehr.image_share:.4f}",
        "findings": " ".join(finding.code for finding in answer.image.findings),
        "warnings": " ".join(warning.code for warning in answer.warnings),
        "milliseconds": str(answer.timing_ms.total),
    }


def failed(name: str, case: str, error: NeuroFuseError) -> Line:
    """The line of a case that cannot be answered: the code and the words of a problem document."""
    return {"id": name, "case": case, "status": FAILED, "code": error.code, "detail": error.detail}


def read_results(path: Path, header: Sequence[str]) -> list[Line]:
    """Whole lines of an earlier run; none where there is no file.

    Raises:
        MalformedRequestError: The file is something else, such as the table itself; it would be lost.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        text = file.read()
    # A process that was killed can leave half a line: only what ends with a line end counts.
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
    if text and tuple(reader.fieldnames or ()) != tuple(header):
        raise MalformedRequestError(
            "Expected the results of an earlier run of this package, or no file yet, where results go; the file there is something else. "
            "Name another with --out."
        )
    return [line for line in reader if None not in line and None not in line.values()]


class ResultsFile:
    """Results being written; every line is on its way to the disk when `add` returns.

    Args:
        path: The file; what it held is replaced by `kept`.
        header: Columns.
        kept: Lines of an earlier run that still hold.
    """

    def __init__(self, path: Path, header: Sequence[str], kept: Iterable[Line]) -> None:
        self._path, self._header = path, tuple(header)
        self.lines = {line["id"]: line for line in kept}
        _write_whole(path, self._header, list(self.lines.values()))
        self._file: TextIO = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.DictWriter(self._file, self._header, restval="", lineterminator="\n")

    def add(self, line: Line) -> None:
        """Append a line."""
        self.lines[line["id"]] = line
        self._writer.writerow(line)
        self._file.flush()

    def close(self, order: Sequence[str]) -> None:
        """Write the file anew with its lines in this order of names."""
        self._file.close()
        _write_whole(self._path, self._header, [self.lines[name] for name in order if name in self.lines])


def _write_whole(path: Path, header: Sequence[str], lines: Iterable[Line]) -> None:
    partial = path.with_name(path.name + ".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    partial.replace(path)


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
