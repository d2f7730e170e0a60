"""AdamW and its learning rate."""

import math
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from training.config import OptimizerConfig


def build_optimizer(net: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """AdamW; biases and other vectors (normalisation, learned constants) are not decayed, embeddings of features are, as tables."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        # By name as well: the biases of a layer that has some for each head are a table.
        (free if parameter.ndim <= 1 or name.endswith("bias") else decayed).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate)


def build_schedule(optimizer: torch.optim.Optimizer, steps: int, config: OptimizerConfig) -> LambdaLR:
    """The learning rate over so many steps."""
    return LambdaLR(optimizer, lambda step: learning_rate_factor(step, steps, config))


def learning_rate_factor(step: int, total: int, config: OptimizerConfig) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warmup = max(1, round(total * config.warmup_share))
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1, total - warmup))))
