"""From the tensors of one case, or of several at once, to answers in the words of the manifest."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from app.ehr.encode import EncodedRecord
from app.inference.calibration import OodResult, OutOfDistributionScorer, set_members
from app.inference.graph_session import GraphSession, RawOutputs
from app.model_package.package import Package
from app.model_package.training_summary import MISSING, Taken, load_training_summary

ModelArray = Float32[np.ndarray, "D H W"]


@dataclass(frozen=True)
class Outputs:
    """The model's answer to one case.

    Attributes:
        label: The most likely class.
        probabilities: Calibrated probability by class label, in the manifest's order.
        favourable: Probability of the favourable outcome; None where the package has none.
        prediction_set: Labels that cannot be excluded at `coverage`.
        coverage: Nominal coverage of the set.
        out_of_distribution: How unlike the training cases this one is.
        abstained: The answer should not be relied on: the case is flagged as unlike those of training, or the
            prediction set holds every class and so says nothing.
        image_share: Mean over the heads of the share taken from the image, in [0, 1].
        heatmap: [D', H', W'] in [0, 1], on the grid of the manifest's `outputs.heatmap`.
        embedding: [d] fused vector.
        queue_ms: Time waited for a place in a batch.
        inference_ms: Time the graph took for the batch this case was in.
    """

    label: str
    probabilities: dict[str, float]
    favourable: float | None
    prediction_set: tuple[str, ...]
    coverage: float
    out_of_distribution: OodResult
    abstained: bool
    image_share: float
    heatmap: Float32[np.ndarray, "D2 H2 W2"]
    embedding: Float32[np.ndarray, " d"]
    queue_ms: float
    inference_ms: float


class Predictor:
    """A package and its session.

    Args:
        package: The package, verified.
        session: Its graph, loaded.

    Raises:
        PackageInvalidError: The package's out-of-distribution file or its summary of training does not fit.
    """

    def __init__(self, package: Package, session: GraphSession) -> None:
        self._package = package
        self._session = session
        self._ood = OutOfDistributionScorer.from_package(package)
        self._labels = [each.label for each in package.manifest.outputs.classes]
        self._thresholds = np.array(package.manifest.calibration.thresholds(self._labels))
        summary = load_training_summary(package)
        told = summary.distributions if summary else ()
        self._training = {each.name: each for each in told if each.kind == "record"}
        shares = summary.shares if summary else ()
        self._never_known = {each.name for each in shares if each.kind == "missing" and each.share == 1}

    @property
    def package(self) -> Package:
        """The package that answers."""
        return self._package

    @property
    def session(self) -> GraphSession:
        """The graph it runs."""
        return self._session

    def taken_as(self, record: EncodedRecord) -> dict[str, Taken]:
        """What the network takes values of a record for that lie beyond what it tells apart, by feature; empty where the package states no limits."""
        taken: dict[str, Taken] = {}
        for use in record.features:
            known = self._training.get(use.name)
            if use.value is not None and use.name in self._never_known:
                taken[use.name] = MISSING
            elif known and use.value is not None and (other := known.taken_as(use.value)) is not None:
                taken[use.name] = other
        return taken

    def predict(self, image: ModelArray, record: EncodedRecord) -> Outputs:
        """Answer one case.

        Args:
            image: [D, H, W] on the package's model grid, HU or raw intensity.
            record: Encoded by the package's schema.

        Returns:
            The answer.

        Raises:
            OverloadedError: The device has no memory left.
            NotReadyError: The runtime failed.
            PackageInvalidError: The graph's answer breaks its contract.
        """
        return self.predict_batch([image], [record])[0]

    def predict_batch(self, images: Sequence[ModelArray], records: Sequence[EncodedRecord]) -> list[Outputs]:
        """Answer several cases in one run of the graph; arguments, order and errors as in `predict`."""
        started = time.perf_counter()
        raw = self._session.run(
            _together(images)[:, np.newaxis],
            np.stack([record.values for record in records]),
            np.stack([record.missing for record in records]),
        )
        inference_ms = 1000 * (time.perf_counter() - started - raw.waited_s)
        return [self._outputs(raw, index, inference_ms) for index in range(len(images))]

    def _outputs(self, raw: RawOutputs, index: int, inference_ms: float) -> Outputs:
        promised, labels = self._package.manifest.outputs, self._labels
        row = raw.probabilities[index].clip(0, 1)
        probabilities = dict(zip(labels, row.tolist(), strict=True))
        chosen = set_members(row, self._thresholds, ordinal=promised.ordinal)
        unlike = self._ood(raw.embedding[index])
        favourable = min(1.0, sum(probabilities[label] for label in promised.favourable))
        return Outputs(
            label=labels[int(row.argmax())],
            probabilities=probabilities,
            favourable=favourable if promised.favourable else None,
            prediction_set=tuple(label for label, member in zip(labels, chosen, strict=True) if member),
            coverage=self._package.manifest.calibration.coverage,
            out_of_distribution=unlike,
            abstained=unlike.flagged or bool(chosen.all()),
            image_share=float(raw.image_share[index].mean()),
            heatmap=raw.heatmap[index].clip(0, 1),
            embedding=raw.embedding[index],
            queue_ms=1000 * raw.waited_s,
            inference_ms=inference_ms,
        )


def _together(images: Sequence[ModelArray]) -> Float32[np.ndarray, "B D H W"]:
    """One array of several; of one alone no copy."""
    return images[0][np.newaxis] if len(images) == 1 else np.stack(images)
