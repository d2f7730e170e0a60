"""Keep gates, fusion and losses in float32 while the convolutions run in a shorter type."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Switch autocast off on the tensor's device.

    Outside autocast this is no context at all, so that an exported graph holds no trace of it.
    """
    if torch.is_autocast_enabled(like.device.type):
        return torch.autocast(like.device.type, enabled=False)
    return nullcontext()
