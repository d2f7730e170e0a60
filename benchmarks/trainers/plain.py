"""What a user of MONAI and Lightning would write, after their documentation: dictionary transforms, a dataset, a Trainer."""

import logging
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from monai.data.dataloader import DataLoader
from monai.data.dataset import CacheDataset, Dataset
from monai.transforms.compose import Compose
from monai.transforms.croppad.dictionary import ResizeWithPadOrCropd
from monai.transforms.intensity.dictionary import RandGaussianNoised, RandShiftIntensityd
from monai.transforms.io.dictionary import LoadImaged
from monai.transforms.spatial.dictionary import Orientationd, RandFlipd, Spacingd
from monai.transforms.utility.dictionary import EnsureChannelFirstd

from app.ehr.encode import encode
from app.ehr.schema import EhrSchema
from training.cohort import Case
from training.config import RunConfig
from training.learning.optimisation import build_optimizer
from training.networks.losses import outcome_loss
from training.networks.model import FusionNet
from training.runs import open_cohort


class Module(lightning.LightningModule):
    """The same network, loss and optimiser."""

    def __init__(self, net: FusionNet, config: RunConfig) -> None:
        super().__init__()
        self.net = net
        self._config = config

    def training_step(self, batch: dict[str, Any], _: int) -> torch.Tensor:
        """Loss of one batch."""
        image = torch.as_tensor(batch["image"]).permute(0, 1, 4, 3, 2)
        output = self.net(image, batch["values"], batch["missing"])
        return outcome_loss(output.logits, batch["label"], self._config.model.head.outcome)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, as ours."""
        return build_optimizer(self.net, self._config.optimizer)


class EpochClock(Callback):
    """Seconds from the first batch's fetch to the last step; what Trainer does before and after is not counted."""

    seconds = 0.0

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Start."""
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Stop."""
        self.seconds = time.monotonic() - self._started


class Plain:
    """MONAI's transforms in the given dataset, Lightning's Trainer.

    Args:
        cohort: Folder.
        config: Network and loop.
        cached: `CacheDataset` (everything but the random transforms is done once) or `Dataset`.
    """

    def __init__(self, cohort: Path, config: RunConfig, *, cached: bool) -> None:
        warnings.filterwarnings("ignore", module="lightning")
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        people = open_cohort(cohort, config)
        items = [_item(case, people.description.ehr) for case in people.part("train")]
        transforms = Compose(_transforms(config))
        dataset = CacheDataset(items, transforms, progress=False) if cached else Dataset(items, transforms)
        net = FusionNet(config.model, people.description.features)
        net.fit_statistics(
            torch.stack([item["values"] for item in items]), torch.stack([item["missing"] for item in items])
        )
        self._module, self._config = Module(net, config), config
        # Workers where there is work for them, as the documentation advises; a cache is read fastest in this process.
        workers = 0 if cached else config.training.workers
        self._loader = DataLoader(
            dataset,
            batch_size=config.training.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )

    def epoch(self) -> float:
        """One epoch; its seconds."""
        clock = EpochClock()
        lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=1,
            precision=self._config.training.precision,
            gradient_clip_val=self._config.optimizer.gradient_clip,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ).fit(self._module, self._loader)
        return clock.seconds


def _item(case: Case, schema: EhrSchema) -> dict[str, Any]:
    record = encode(case.record, schema)
    return {
        "image": str(case.image[0]),
        "values": torch.from_numpy(record.values),
        "missing": torch.from_numpy(record.missing),
        "label": case.label,
    }


def _transforms(config: RunConfig) -> Sequence[Any]:
    grid = config.grid
    depth, height, width = grid.shape
    return [
        LoadImaged("image"),
        EnsureChannelFirstd("image"),
        Orientationd("image", axcodes="RAS", labels=(("L", "R"), ("P", "A"), ("I", "S"))),
        Spacingd("image", pixdim=grid.spacing_mm[::-1], mode="bilinear"),
        ResizeWithPadOrCropd("image", (width, height, depth), value=grid.fill),
        RandFlipd("image", prob=config.augmentation.flip_probability, spatial_axis=0),
        RandShiftIntensityd("image", offsets=10, prob=1.0),
        RandGaussianNoised("image", std=config.augmentation.noise, prob=1.0),
    ]
