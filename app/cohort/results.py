"""The table that comes back: one line a row, written as it is known, so that an interruption costs the cases in work alone."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self, TextIO

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
    # With the mark that spreadsheets set before what they save as CSV UTF-8.
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
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
    """Results, written while the block runs; every line is on its way to the disk when `add` returns.

    Args:
        path: The file; what it held is replaced by `kept` with the first line that is added, or at the end of the block. Where that ends
            by an error before any line, as where nothing can answer, it stays as it was.
        header: Columns.
        kept: Lines of an earlier run that still hold.
        order: Names, as they stand at the end.

    Attributes:
        lines: By name, those of this run and those that still hold.
        is_written: Whether the file holds these and no others, once the block has ended.
    """

    def __init__(self, path: Path, header: Sequence[str], kept: Iterable[Line], order: Sequence[str]) -> None:
        self._path, self._header, self._order = path, tuple(header), order
        self.lines = {line["id"]: line for line in kept}
        self.is_written = False
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def add(self, line: Line) -> None:
        """Append a line."""
        if self._file is None:
            _write_whole(self._path, self._header, self.lines.values())
            self._file = self._path.open("a", newline="", encoding="utf-8")
        self.lines[line["id"]] = line
        _writer(self._file, self._header).writerow(line)
        self._file.flush()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Write the file anew with its lines in their order."""
        if self._file is not None:
            self._file.close()
        elif error is not None:
            return
        lines = [self.lines[name] for name in self._order if name in self.lines]
        _write_whole(self._path, self._header, lines)
        self.is_written = True


def _write_whole(path: Path, header: Sequence[str], lines: Iterable[Line]) -> None:
    partial = path.with_name(path.name + ".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = _writer(file, header)
        writer.writeheader()
        writer.writerows(lines)
    partial.replace(path)


def _writer(file: TextIO, header: Sequence[str]) -> "csv.DictWriter[str]":
    return csv.DictWriter(file, header, restval="", lineterminator="\n")
