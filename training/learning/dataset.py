"""Cached arrays as tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from training.cohort import CohortError
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


def loader(prepared: PreparedSet, batch_size: int, needed: Needed) -> DataLoader[Batch]:
    """Batches in the table's order."""
    return DataLoader(PreparedDataset(prepared, needed), batch_size=batch_size)


class ShuffledBatches(Sampler[list[int]]):
    """Batches in random order, each process its share of every step.

    Args:
        count: Cases.
        step: Cases of one step of all processes and micro-batches together; the rest of an epoch is left out, and a cohort
            smaller than a step is one step.
        generator: Decides the order; the same in every process.
        micro_batches: Into how many parts a process divides its share.
        rank: Of this process.
        world: Number of processes.
    """

    def __init__(
        self,
        count: int,
        step: int,
        generator: torch.Generator,
        *,
        micro_batches: int = 1,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._count = count
        self._step = min(step, count)
        if self._step < world * micro_batches:
            raise CohortError(
                f"expected at least one case for each of {world * micro_batches} parts of a step, found {self._step}; "
                "use fewer processes or micro-batches"
            )
        self._parts = world * micro_batches
        self._mine = range(rank * micro_batches, (rank + 1) * micro_batches)
        self._generator = generator
        self._first_step = 0

    def begin_at(self, step: int) -> None:
        """The next epoch is dealt whole, and begins after so many of its steps: it was cut off there."""
        self._first_step = step

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return self._count // self._step

    @property
    def cases(self) -> int:
        """Cases of one epoch, in all processes."""
        return self.steps * self._step

    def __len__(self) -> int:
        return self.steps * len(self._mine)

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(self._count, generator=self._generator)
        first, self._first_step = self._first_step, 0
        for start in range(first * self._step, self.cases, self._step):
            parts = order[start : start + self._step].tensor_split(self._parts)
            for mine in self._mine:
                yield parts[mine].tolist()


def training_loader(
    prepared: PreparedSet, batches: ShuffledBatches, needed: Needed, workers: int
) -> DataLoader[Batch]:
    """Batches as the sampler deals them.

    Args:
        prepared: The training split.
        batches: Order and division.
        needed: What the network reads.
        workers: Processes that read ahead; 0 reads in this one, which is fastest where a step takes long beside a read.
    """
    return DataLoader(
        PreparedDataset(prepared, needed),
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        # Its own generator: seeding workers must not move the order of cases.
        generator=torch.Generator(),
    )
