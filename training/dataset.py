"""Cached arrays as tensors."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.prepare import PreparedSet

NO_IMAGE = torch.zeros(1, 1, 1, 1)


class Batch(NamedTuple):
    """Some cases, as the network takes them.

    Attributes:
        image: [B, 1, D, H, W] raw intensities on the model grid.
        mask: [B, 1, D, H, W] share of each voxel inside the lesion; zeros where there is no mask.
        has_mask: [B] whether the case has a mask.
        values: [B, F].
        missing: [B, F], 1 where missing.
        label: [B] class index.
    """

    image: Tensor
    mask: Tensor
    has_mask: Tensor
    values: Tensor
    missing: Tensor
    label: Tensor


@dataclass(frozen=True)
class Needed:
    """What a network reads; the rest is not loaded.

    Attributes:
        images: False for a network that sees the record alone: one voxel of zero stands for each image.
        masks: True where the gates are guided.
    """

    images: bool = True
    masks: bool = False


class PreparedDataset(Dataset[Batch]):
    """A prepared split, one case at a time."""

    def __init__(self, prepared: PreparedSet, needed: Needed) -> None:
        self._prepared = prepared
        self._needed = needed

    def __len__(self) -> int:
        return len(self._prepared)

    def __getitem__(self, index: int) -> Batch:
        image = torch.from_numpy(self._prepared.image(index))[None] if self._needed.images else NO_IMAGE
        mask = self._prepared.mask(index) if self._needed.masks else None
        return Batch(
            image=image,
            mask=torch.zeros_like(image) if mask is None else torch.from_numpy(mask)[None].float() / 255,
            has_mask=torch.tensor(mask is not None),
            values=torch.from_numpy(self._prepared.values[index]),
            missing=torch.from_numpy(self._prepared.missing[index]),
            label=torch.tensor(self._prepared.labels[index]),
        )


def loader(
    prepared: PreparedSet, batch_size: int, needed: Needed, generator: torch.Generator | None = None
) -> DataLoader[Batch]:
    """Batches in random order when a generator is given, in the table's order otherwise."""
    return DataLoader(
        PreparedDataset(prepared, needed),
        batch_size=batch_size,
        shuffle=generator is not None,
        generator=generator,
        drop_last=generator is not None and len(prepared) > batch_size,
    )
