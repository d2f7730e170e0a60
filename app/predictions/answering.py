"""A case is answered: the document, and the files of its heatmap. Service, jobs and command line all come through here."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from app import __version__
from app.imaging.load import Loader, load_case
from app.imaging.pictures.heatmap_files import Shown, draw
from app.inference.alternatives import effects
from app.inference.case import Analysis, analyse
from app.inference.predictor import Predictor
from app.predictions.answer import Answer, HeatmapFiles, RecordUsed, Timing
from app.predictions.case import Case, ExplainChoice
from app.predictions.cautions import cautions
from app.predictions.summary import image_used, model_used, outcome, record_used, spent, timing
from app.tracing import span

NIFTI_NAME: Final = "heatmap.nii.gz"
PNG_NAME: Final = "heatmap.png"


@dataclass(frozen=True)
class Answered:
    """An answer and what it took.

    Attributes:
        answer: The document; its heatmap names are relative to the folder the files lie in.
        analysis: What the answer was made from.
        spent_ms: Milliseconds by stage, not rounded.
    """

    answer: Answer
    analysis: Analysis
    spent_ms: Mapping[str, float]


def answer_case(  # noqa: PLR0913 - a case, and how and where it is answered
    case: Case,
    predictor: Predictor,
    folder: Path,
    waited_s: float = 0.0,
    loader: Loader = load_case,
    *,
    voxels: bool = False,
    alone: Callable[[], bool] = lambda: False,
) -> Answered:
    """Answer a case and write its heatmap files.

    Args:
        case: Image, record and wish.
        predictor: A package that is ready.
        folder: Where `heatmap.nii.gz` and `heatmap.png` are written.
        waited_s: Seconds the case waited for its turn.
        loader: Where the image is read.
        voxels: Whether the analysis is to hold the voxels as acquired where the case itself does not need them.
        alone: Whether nobody else wants the cores, asked when there is something that can be done at once.

    Raises:
        NeuroFuseError: As `app.inference.case.analyse`.
    """
    analysis = analyse(
        case.images,
        case.record,
        predictor,
        case.heatmap,
        series=case.series,
        loader=loader,
        voxels=voxels or case.keep_image or case.heatmap != "none",
    )
    began = time.perf_counter()
    record = _record(analysis, predictor, case.explain)
    explained = time.perf_counter()
    with span("heatmap"):
        files = _write_heatmap(analysis, folder, alone)
    spent_ms = spent(
        analysis, waited_s, writing_s=time.perf_counter() - explained, explaining_s=explained - began
    )
    answer = _answer(case.id, analysis, predictor, record, files, timing(spent_ms))
    return Answered(answer, analysis, spent_ms)


def _record(analysis: Analysis, predictor: Predictor, wish: ExplainChoice) -> RecordUsed:
    outputs = analysis.outputs
    found = effects(predictor, analysis.image.array, analysis.record, outputs) if wish == "ehr" else None
    return record_used(analysis.record, outputs, predictor.taken_as(analysis.record), found)


def _answer(
    case_id: str,
    analysis: Analysis,
    predictor: Predictor,
    record: RecordUsed,
    files: HeatmapFiles | None,
    took: Timing,
) -> Answer:
    return Answer(
        id=case_id,
        created=datetime.now(UTC).replace(microsecond=0),
        release=__version__,
        task=analysis.package.manifest.task,
        model=model_used(analysis.package, predictor.session.provider),
        prediction=outcome(analysis.outputs),
        ehr=record,
        image=image_used(analysis.volume),
        heatmap=files,
        warnings=cautions(analysis, record),
        timing_ms=took,
    )


def _write_heatmap(analysis: Analysis, folder: Path, alone: Callable[[], bool]) -> HeatmapFiles | None:
    if analysis.shown_on is None:
        return None
    grid, nifti, png = analysis.heatmap_grid, folder / NIFTI_NAME, folder / PNG_NAME
    shown = Shown(analysis.outputs.heatmap, grid, analysis.shown_on, nifti, png, _note(analysis), alone())
    analysis.on_volume(partial(draw, shown=shown))
    return HeatmapFiles(nifti=NIFTI_NAME, png=PNG_NAME)


def _note(analysis: Analysis) -> str:
    """What a picture that is taken out of its answer, into an archive or a slide, must still say."""
    manifest = analysis.package.manifest
    said = f"{manifest.name} version {manifest.version}. {manifest.intended_use}"
    return f"{said} The model abstained on this case." if analysis.outputs.abstained else said
