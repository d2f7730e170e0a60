"""What one model answers for every patient of a cohort: the one thing that evaluation, ablation and report read.

A network and a logistic regression on age look alike here: both give logits of the outcome head (`training.networks.heads`),
so that every row of the model table is calibrated, compared and drawn by the same code.
"""

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from training.cohort import CohortError, Split
from training.files.whole_files import write_whole

PREDICTIONS_FILE = "predictions.npz"


@dataclass(frozen=True)
class Predictions:
    """Uncalibrated answers of one model.

    Attributes:
        patient_id: [N] pseudonyms, in the cohort's order.
        split: [N] where each patient stood when the model was fitted.
        label: [N] class indices.
        logits: [N, L] CORN logits (L = classes - 1), or one binary logit; not calibrated.
        embedding: [N, d] fused vectors; [N, 0] where the model has none.
        image_share: [N, heads]; no columns where the model has no gate.
        true_probability: [N] of the event, NaN where unknown (only phantoms know it).
    """

    patient_id: tuple[str, ...]
    split: tuple[Split, ...]
    label: Int64[np.ndarray, " N"]
    logits: Float32[np.ndarray, "N L"]
    embedding: Float32[np.ndarray, "N d"]
    image_share: Float32[np.ndarray, "N heads"]
    true_probability: Float64[np.ndarray, " N"]

    def __len__(self) -> int:
        return len(self.patient_id)

    def rows(self, split: Split) -> Bool[np.ndarray, " N"]:
        """Which patients stand in a split."""
        chosen: Bool[np.ndarray, " N"] = np.array([each == split for each in self.split], dtype=np.bool_)
        return chosen

    def part(self, split: Split) -> "Predictions":
        """The patients of one split, in order."""
        return self.take(self.rows(split))

    def take(self, chosen: Bool[np.ndarray, " N"] | Int64[np.ndarray, " M"]) -> "Predictions":
        """Some patients, by a mask or by indices."""
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Predictions(
            patient_id=tuple(self.patient_id[i] for i in index),
            split=tuple(self.split[i] for i in index),
            label=self.label[index],
            logits=self.logits[index],
            embedding=self.embedding[index],
            image_share=self.image_share[index],
            true_probability=self.true_probability[index],
        )


def save_predictions(predictions: Predictions, run: Path) -> Path:
    """Write `predictions.npz` into a run's folder, atomically."""
    np.savez_compressed(
        file := io.BytesIO(),
        patient_id=np.array(predictions.patient_id, dtype=np.str_),
        split=np.array(predictions.split, dtype=np.str_),
        label=predictions.label,
        logits=predictions.logits,
        embedding=predictions.embedding,
        image_share=predictions.image_share,
        true_probability=predictions.true_probability,
    )
    return write_whole(run / PREDICTIONS_FILE, file.getbuffer())


def load_predictions(run: Path) -> Predictions:
    """Read what `save_predictions` wrote.

    Raises:
        CohortError: The file is damaged.
    """
    try:
        with (run / PREDICTIONS_FILE).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Predictions(
                patient_id=tuple(stored["patient_id"].tolist()),
                split=tuple(stored["split"].tolist()),
                label=stored["label"],
                logits=stored["logits"],
                embedding=stored["embedding"],
                image_share=stored["image_share"],
                true_probability=stored["true_probability"],
            )
    except (
        EOFError,
        ValueError,
        KeyError,
        BadZipFile,
        zlib.error,
    ):  # a power cut may leave a name without its content
        raise CohortError(
            f"{PREDICTIONS_FILE} in the folder of the run {run.name} is damaged; delete it, and give its train command again, which makes it anew"
        ) from None
