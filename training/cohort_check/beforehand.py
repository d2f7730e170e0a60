"""What is said before hours are spent: errors that table and files show without an image being opened, to whoever trains or judges without a check."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.text import Text

from training.cohort import SPLITS, Cohort, CohortError, Split, image_files
from training.cohort_check.finding import Finding, joined
from training.cohort_check.images import duplicates
from training.cohort_check.printing import findings_table
from training.cohort_check.report import check_table
from training.cohort_check.table import Table, read_table
from training.config import RunConfig

_OF_SPLITS = frozenset({"split-empty"})
"""`require_patients` asks for these in the splits of the run, which may be others than the table's; a package needs none to be judged."""
_MIDDLE_BYTES = 2**16


def tell_errors(root: Path, config: RunConfig | None, console: Console, unread: Collection[str] = ()) -> None:
    """Print the errors; none stops the run, since whoever tries on purpose what a leak is worth may do so.

    Args:
        root: Folder of a cohort that `load_cohort` takes.
        config: Of the run; None where a package is asked.
        console: To print to.
        unread: Features that the package does not read; what is wrong with them spoils nothing.
    """
    table, _ = read_table(root)
    findings = joined((*check_table(table, config), *copied_images(table))) if table else ()
    errors = [each for each in findings if _spoils(each, unread)]
    if not errors:
        return
    console.print(findings_table(errors))
    words = "Errors like these spoil the result. It goes on all the same; `python -m training check` looks at the images too."
    console.print(Text(words, style="bold red"))


def _spoils(finding: Finding, unread: Collection[str]) -> bool:
    return finding.severity == "error" and finding.code not in _OF_SPLITS and finding.column not in unread


def copied_images(table: Table) -> Iterator[Finding]:
    """Images of which every byte is that of another; only files are read that have one size and one middle. Voxels are compared by `check` alone."""
    columns = table.description.images
    found = {
        (line, column): image_files(table.root / text)
        for column in columns
        for line, text in table.cells(column)
        if text
    }
    places = [place for place, files in found.items() if any(file.stat().st_size for file in files)]
    for tell in (_sizes, _middles, _contents):
        alike: dict[Hashable, list[tuple[int, str]]] = defaultdict(list)
        for place in places:
            with suppress(OSError):  # whoever opens the image tells of it
                alike[tell(found[place])].append(place)
        places = [place for same in alike.values() if len(same) > 1 for place in same]
    lines = {str(content): [line for line, _ in same] for content, same in alike.items()}
    yield from duplicates(lines, ", ".join(columns))


def _sizes(files: tuple[Path, ...]) -> Hashable:
    return tuple(sorted(file.stat().st_size for file in files))


def _middles(files: tuple[Path, ...]) -> Hashable:
    """What tells most images of one size apart, and costs little: headers are alike, and so is the air before a head."""
    parts = []
    for file in files:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - _MIDDLE_BYTES) // 2)
            parts.append(hashlib.sha256(stream.read(_MIDDLE_BYTES)).digest())
    return tuple(sorted(parts))


def _contents(files: tuple[Path, ...]) -> Hashable:
    """Digest of what the files hold, whatever their names."""
    each = sorted(hashlib.sha256(file.read_bytes()).digest() for file in files)
    return hashlib.sha256(b"".join(each)).hexdigest()


def require_patients(cohort: Cohort, splits: tuple[Split, ...] = SPLITS) -> None:
    """Refuse what could be trained and not be judged afterwards.

    Args:
        cohort: Every patient in a split.
        splits: That must have patients.

    Raises:
        CohortError: Nobody is in one of them.
    """
    if empty := [split for split in splits if not cohort.part(split)]:
        raise CohortError(
            f"expected patients in every split, found none for {empty}: the run could not be calibrated, judged and exported; put patients "
            "there in the table's column split, or empty the column, but for test patients that were chosen, and let training deal, which reaches "
            "all four from seven patients of one outcome on"
        )
