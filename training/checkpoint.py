"""A trained network in one file, with the configuration that made it."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from app.ehr.schema import Feature
from training.cohort import CohortError
from training.cohort_description import CohortDescription
from training.config import RunConfig, config_from_dict, config_to_dict
from training.files.whole_files import write_whole
from training.networks.model import FusionNet

CHECKPOINT_FILE = "checkpoint.pt"


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with the configuration that made it."""

    net: FusionNet
    config: RunConfig
    features: tuple[Feature, ...]
    epoch: int

    def require_record_of(self, cohort: CohortDescription) -> None:
        """See that a cohort's record is the one that was trained: features in another order or unit would be taken for one another.

        Raises:
            CohortError: Task, modality or features differ.
        """
        trained, described = (
            [(each.name, each.kind, each.unit, each.categories) for each in features]
            for features in (self.features, cohort.features)
        )
        config = self.config
        if trained != described or (config.task, config.grid.modality) != (cohort.task, cohort.modality):
            raise CohortError(
                "expected the cohort.json that the run was trained by, found another task, modality, or other features (their names, order, "
                "units or categories); name the cohort's folder with --cohort, put cohort.json back as it was, or train anew"
            )


def save_checkpoint(
    path: Path, net: FusionNet, config: RunConfig, features: Sequence[Feature], epoch: int
) -> None:
    """Write network and configuration in one file, atomically."""
    tree = {
        "config": config_to_dict(config),
        "features": [feature.model_dump(mode="json") for feature in features],
        "epoch": epoch,
        "state": net.state_dict(),
    }
    write_whole(path, as_bytes(tree))


def as_bytes(tree: Mapping[str, Any]) -> memoryview:
    """What `torch.save` would write: by way of memory, since torch itself does not say that a disk is full."""
    torch.save(dict(tree), file := io.BytesIO())
    return file.getbuffer()


def unpickled(path: Path) -> dict[str, Any]:
    """What `as_bytes` made a file of; nothing but tensors and plain values is let in.

    Raises:
        CohortError: The file is damaged.
    """
    try:
        tree: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch.load lets through whatever unpickling raises
        raise CohortError(
            f"expected tensors in {path.name}, cannot read the file: {type(error).__name__}; train it anew with --no-resume"
        ) from None
    return tree


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; only tensors and plain values are unpickled (`weights_only`).

    Raises:
        CohortError: There is none, or the file is damaged.
    """
    if not path.is_file():
        raise CohortError(
            f"expected {path.name} in the run's folder, found none; give the folder of a network's run, or train it first"
        )
    tree = unpickled(path)
    config = config_from_dict(tree["config"])
    features = tuple(Feature.model_validate(feature) for feature in tree["features"])
    net = FusionNet(config.model, features)
    net.load_state_dict(tree["state"])
    return Checkpoint(net=net.eval(), config=config, features=features, epoch=tree["epoch"])
