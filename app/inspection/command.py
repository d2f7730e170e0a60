"""`neurofuse inspect PATH...`: the way from files to what is printed."""

import argparse
import dataclasses
import json
from typing import get_args

from rich.console import Console
from rich.progress import Progress

from app.errors import NeuroFuseError, RequestError
from app.exit_status import OK
from app.imaging.files.folders import files_in
from app.imaging.head.find import Head, find_head
from app.imaging.head.quality import judge
from app.imaging.pictures.overview import write_head_overview_png
from app.imaging.survey import Survey, survey
from app.imaging.volume import Finding, Modality, Volume
from app.inspection.report import Report, describe, head_seen, refusal, series_rows
from app.inspection.tables import print_report
from app.model_package.manifest import Task
from app.model_package.package import Package
from app.model_package.store import ModelStore, store_at
from app.predictions.limits import read_limits
from app.settings import Settings


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Inspects; prints all it could see before it says why the image is refused.

    Raises:
        RequestError: What the service would answer.
    """
    store = ModelStore(settings.model_store)
    package = store_at(settings.model_store).load_for_task(arguments.task) if arguments.task else None
    modality = (
        package.manifest.image.modality if package else arguments.modality and Modality(arguments.modality)
    )
    seen = _surveyed(arguments, settings, modality)
    package = package or _package_for(store, seen.modality)
    report, error = _reported(seen, package)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(report), indent=2))  # noqa: T201 - what was asked for
    else:
        print_report(report, Console())
    if seen.volume is not None and arguments.png:
        spec = package.manifest.image if package else None
        write_head_overview_png(seen.volume, spec, arguments.png)
    if error is not None:
        raise error
    return OK


def _surveyed(arguments: argparse.Namespace, settings: Settings, modality: Modality | None) -> Survey:
    files = files_in(arguments.image)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("looking at files", total=len(files))
        return survey(
            files,
            limits=read_limits(settings),
            modality=modality,
            series=arguments.series,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _package_for(store: ModelStore, modality: Modality) -> Package | None:
    """The package whose grid is shown; to inspect files none is needed."""
    for task in get_args(Task):
        try:
            package = store.load_for_task(task)
        except NeuroFuseError:
            continue
        if package.manifest.image.modality is modality:
            return package
    return None


def _reported(seen: Survey, package: Package | None) -> tuple[Report, RequestError | None]:
    report = Report(seen.modality, seen.files, series_rows(seen), refused=refusal(seen.refusal))
    if seen.volume is None:
        return report, seen.refusal
    head = find_head(seen.volume)
    findings, error = _judged(seen.volume, head)
    return dataclasses.replace(
        report,
        image=describe(seen.volume),
        head=head_seen(head),
        model_grid=str(package.manifest.reference) if package else None,
        findings=(*seen.volume.findings, *findings),
        refused=refusal(error),
    ), error


def _judged(volume: Volume, head: Head) -> tuple[tuple[Finding, ...], RequestError | None]:
    """What is found about the head, or the refusal of what is none; no package is needed for either."""
    try:
        return judge(volume, head), None
    except RequestError as error:
        return (), error
