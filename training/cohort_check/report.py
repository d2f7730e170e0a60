"""All checks in their order, and a short summary of who is in the cohort."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.console import Console

from training.cohort_check.codes import check_codes
from training.cohort_check.design import check_config, check_dates, check_sites, check_splits, site_counts
from training.cohort_check.finding import Finding, joined
from training.cohort_check.images import Seen, check_duplicates, look, sources, spacing_ranges
from training.cohort_check.leakage import check_leakage
from training.cohort_check.masks import check_shared_masks
from training.cohort_check.outcome import check_direction, check_outcome, class_counts
from training.cohort_check.phantoms import check_phantom_rows
from training.cohort_check.record import check_record
from training.cohort_check.repeated import check_repeated
from training.cohort_check.scales import check_scales
from training.cohort_check.table import (
    Table,
    check_columns,
    check_patients,
    check_spellings,
    read_table,
    split_counts,
)
from training.config import RunConfig


class Summary(BaseModel):
    """Who is in the cohort.

    Attributes:
        task: `gos` or `ad`.
        modality: `CT` or `MR`.
        patients: Rows of the table.
        outcome: Title of each class to its cases.
        missing: Feature to the share of patients in whom it is missing.
        splits: Split to its rows; the empty name for those that training will deal.
        sites: Site to its rows; empty where the cohort names none.
        images: `file` and `folder` to how many images are so.
        slices: Image columns; 1 for volumes.
        spacing_mm: Least and greatest spacing along x, y, z; empty where no image could be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    modality: str
    patients: int
    outcome: dict[str, int]
    missing: dict[str, float]
    splits: dict[str, int]
    sites: dict[str, int]
    images: dict[str, int]
    slices: int
    spacing_mm: tuple[tuple[float, float], ...]


class Report(BaseModel):
    """What `check` writes with `--json`.

    Attributes:
        findings: Errors first.
        summary: None where the table or its description could not be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...]
    summary: Summary | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must be mended before training."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def check_cohort(root: Path, config: RunConfig | None, workers: int, console: Console) -> Report:
    """Look at everything, whatever is found on the way.

    Args:
        root: Folder of the cohort.
        config: Of the run that is planned; None checks the cohort alone.
        workers: Processes that open images.
        console: For the progress bar.
    """
    table, findings = read_table(root)
    if table is None:
        return Report(findings=joined(findings), summary=None)
    findings += check_table(table, config)
    seen = look(table, config, workers, console)
    findings += [finding for each in seen for finding in each.findings]
    findings += check_duplicates(seen, ", ".join(table.description.images))
    return Report(findings=joined(findings), summary=summarise(table, seen))


def check_table(table: Table, config: RunConfig | None) -> tuple[Finding, ...]:
    """What the table and its description tell, without opening an image: a matter of seconds."""
    return (
        *check_columns(table),
        *check_patients(table),
        *check_spellings(table),
        *check_outcome(table, config.model.head.outcome if config else None),
        *check_direction(table),
        *check_record(table),
        *check_scales(table),
        *check_codes(table),
        *check_repeated(table),
        *check_leakage(table),
        *check_shared_masks(table),
        *check_phantom_rows(table),
        *check_sites(table),
        *check_dates(table),
        *check_splits(table, config.seed if config else 0),
        *(check_config(table, config) if config else ()),
    )


def summarise(table: Table, seen: Sequence[Seen]) -> Summary:
    """Counts and shares; nothing of a single patient."""
    features = [feature.name for feature in table.description.features if table.has(feature.name)]
    return Summary(
        task=table.description.task,
        modality=table.description.modality,
        patients=len(table.rows),
        outcome=class_counts(table),
        missing={name: sum(not text for _, text in table.cells(name)) / len(table.rows) for name in features},
        splits=dict(split_counts(table)),
        sites=dict(site_counts(table)),
        images=dict(sources(table)),
        slices=len(table.description.images),
        spacing_mm=spacing_ranges(seen),
    )
