"""The use case: answer a case, keep the answer, find it again."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.data_folder.case_store import CaseStore, KeptCase
from app.errors import CaseExpiredError
from app.imaging.load import Loader, load_case
from app.imaging.write import write_image
from app.inference.predictor import ModelArray, Predictor
from app.inference.ticket import AbandonedError, current_ticket
from app.metrics import Metrics
from app.predictions.answer import Answer, require_answer
from app.predictions.answering import Answered, answer_case
from app.predictions.case import Case
from app.predictions.heatmaps import Heatmaps, HeatmapSuffix
from app.records.audit import Deed
from app.records.predictions import KeptPrediction, PredictionRecords
from app.serving.shadow import ShadowComparisons
from app.tracing import span

MILLISECONDS = 1000


class PredictionService:
    """Answers cases and keeps what it answered.

    Args:
        records: Where answers are kept.
        heatmaps: Where their heatmaps are kept.
        cases: Where cases are kept for a while.
        metrics: Where stages are measured.
        loader: Where images are read.
        shadows: Told of every case that was answered, if anybody is.
        watch: Told of every answer, with the image as the network saw it; returns at once and never fails (`app.monitoring`).
        alone: Whether no other case is worked on now.
    """

    def __init__(  # noqa: PLR0913 - what a use case is made of
        self,
        records: PredictionRecords,
        heatmaps: Heatmaps,
        cases: CaseStore,
        metrics: Metrics,
        loader: Loader = load_case,
        *,
        shadows: ShadowComparisons | None = None,
        watch: Callable[[Answer, ModelArray], None] | None = None,
        alone: Callable[[], bool] = lambda: False,
    ) -> None:
        self._records = records
        self._heatmaps = heatmaps
        self._cases = cases
        self._metrics = metrics
        self._loader = loader
        self._shadows = shadows
        self._watch = watch
        self._alone = alone

    def predict(
        self,
        case: Case,
        predictor: Predictor,
        waited_s: float,
        keep: Callable[[KeptPrediction], None] | None = None,
    ) -> Answer:
        """Answer a case; when this returns, answer and heatmap are kept, and the case for a while.

        Args:
            case: Image, record and wish.
            predictor: A package that is ready.
            waited_s: Seconds the case waited for its turn.
            keep: How the answer is kept, where more than a row of its table is to change with it.

        Raises:
            AbandonedError: The client went before the answer was kept; nothing of it stays.
            NeuroFuseError: As `app.predictions.answering.answer_case`.
        """
        manifest = predictor.package.manifest
        with span(
            "predict",
            prediction_id=case.id,
            model=str(manifest.reference),
            waited_ms=MILLISECONDS * waited_s,
        ):
            return self._predict(case, predictor, waited_s, keep)

    def _predict(
        self,
        case: Case,
        predictor: Predictor,
        waited_s: float,
        keep: Callable[[KeptPrediction], None] | None,
    ) -> Answer:
        model_name = predictor.package.manifest.name
        # The store's sweep removes what a killed process left of this folder.
        with self._cases.writing() as folder:
            voxels = self._shadows is not None and self._shadows.need_voxels(predictor.package.manifest)
            answered = answer_case(
                case, predictor, folder, waited_s, self._loader, voxels=voxels, alone=self._alone
            )
            self._observe(model_name, answered.spent_ms)
            if current_ticket().gone.is_set():
                raise AbandonedError  # nobody knows its id: it would lie among the answers as a case that somebody meant to stop
            with self._metrics.postprocess.labels(model_name).time(), span("keep"):
                # Files first: an answer that can be found always has its heatmap. They leave the folder, which is then kept as the case's.
                # Where there is no row in the end, `app.predictions.unrecorded` finds them.
                self._keep_heatmap(answered.answer, folder)
                self._keep_case(case, answered, folder)
                (keep or self._records.add)(row_of(answered.answer, case))
        if self._shadows is not None:
            self._shadows.offer(case.record, answered.analysis)
        if self._watch is not None:
            self._watch(answered.answer, answered.analysis.image.array)
        return answered.answer

    def keep(self, prediction: KeptPrediction, deed: Deed) -> None:
        """Keep an answer together with its line in the audit trail: what a caller of `predict` may have done with it."""
        self._records.add(prediction, deed)

    def find(self, prediction_id: str) -> Answer:
        """An answer that was given.

        Raises:
            UnknownPredictionError: None has this id.
            AnswerUnreadableError: What is kept of it cannot be read.
        """
        return require_answer(self._records.get(prediction_id).document)

    def caller(self, prediction_id: str) -> str | None:
        """Who asked for an answer; None where none has this id, empty where it is not known who."""
        return self._records.caller(prediction_id)

    @contextmanager
    def heatmap(self, prediction_id: str, suffix: HeatmapSuffix) -> Iterator[Path]:
        """The heatmap file of an answer, while the block runs.

        Raises:
            UnknownPredictionError: No answer has this id.
            AnswerUnreadableError: What is kept of it cannot be read.
            CaseExpiredError: It was made without a heatmap, or that is no longer kept.
        """
        if self.find(prediction_id).heatmap is None:
            raise CaseExpiredError(
                "Expected a prediction with a heatmap; this one was made with `heatmap=none`. Predict again."
            )
        with self._heatmaps.local(prediction_id, suffix) as path:
            yield path

    def delete(self, prediction_id: str) -> None:
        """Remove an answer, its feedback, its heatmap and what is kept of its case.

        Raises:
            UnknownPredictionError: None has this id.
        """
        self._records.get(prediction_id)
        # The answer last: where this is cut short, it is still found and can be deleted again.
        self.discard(prediction_id)
        self._records.delete(prediction_id)

    def discard(self, prediction_id: str) -> None:
        """Remove the files of an answer, those of one that was never kept too: its heatmap and its case."""
        self._cases.delete(prediction_id)
        self._heatmaps.delete(prediction_id)

    def _keep_case(self, case: Case, answered: Answered, folder: Path) -> None:
        analysis = answered.analysis
        kept = KeptCase(analysis.image.array, case.record)

        def write(path: Path) -> None:
            analysis.on_volume(partial(write_image, path=path))

        self._cases.keep(answered.answer.id, kept, folder, write if case.keep_image else None)

    def _keep_heatmap(self, answer: Answer, folder: Path) -> None:
        if answer.heatmap is not None:
            self._heatmaps.keep(answer.id, folder)

    def _observe(self, model_name: str, spent_ms: Mapping[str, float]) -> None:
        metrics = self._metrics
        for stages, histogram in (
            (("read", "resample"), metrics.preprocess),
            (("inference",), metrics.predict),
            (("heatmap",), metrics.explain),
            (("queue",), metrics.queue),
        ):
            seconds = sum(spent_ms[stage] for stage in stages) / MILLISECONDS
            histogram.labels(model_name).observe(seconds)


def row_of(answer: Answer, case: Case) -> KeptPrediction:
    """What is kept in the database of an answer to a case."""
    return KeptPrediction(
        id=answer.id,
        created=answer.created,
        model_name=answer.model.name,
        model_version=answer.model.version,
        model_sha256=answer.model.sha256,
        document=answer.model_dump_json(),
        task=answer.task,
        label=answer.prediction.label,
        favourable=answer.prediction.favourable,
        abstained=answer.prediction.abstained,
        out_of_distribution=answer.prediction.out_of_distribution.flagged,
        reference=case.reference,
        caller=case.caller,
    )
