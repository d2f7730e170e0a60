"""The table that comes back: one line a row, written as it is known, so that an interruption costs the cases in work alone."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from app.errors import MalformedRequestError
from app.model_package.manifest import Manifest
from app.predictions.result_lines import Line, columns_of


def columns(manifest: Manifest) -> tuple[str, ...]:
    """Of the results of a package."""
    return columns_of([each.label for each in manifest.outputs.classes])


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
