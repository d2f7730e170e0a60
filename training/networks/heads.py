"""From the fused vector to probabilities: CORN for the ordered Glasgow Outcome Scale, one logit for two classes.

CORN (arXiv:2111.08851): logit k answers "better than class k, given at least class k", so the products
c_k = P(y > k) fall by construction and the classes cannot contradict each other, nor the favourable outcome.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.networks.config import CLASSES, FAVOURABLE_FROM, HeadConfig, Outcome


class Head(nn.Module):
    """Dropout and one linear layer: [B, d] to logits [B, classes - 1]."""

    def __init__(self, width: int, config: HeadConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(width, CLASSES[config.outcome] - 1)

    def forward(self, h: Tensor) -> Tensor:
        """Logits f, one per threshold between classes."""
        logits: Tensor = self.linear(self.dropout(h))
        return logits


def log_exceedance(logits: Tensor) -> Tensor:
    """Logarithm of c_k = P(y > k) [B, K - 1]; never rises with k."""
    return functional.logsigmoid(logits).cumsum(dim=1)


def class_probabilities(logits: Tensor) -> Tensor:
    """P(y = k) [B, K] from logits [B, K - 1]; K = 2 is the plain logistic."""
    exceed = log_exceedance(logits).exp()
    ones = torch.ones_like(exceed[:, :1])
    steps = torch.cat([ones, exceed], dim=1) - torch.cat([exceed, torch.zeros_like(ones)], dim=1)
    # Rounding of the running sum can leave -6e-8 where two steps are equal.
    return steps.clamp(min=0)


def log_class_probabilities(logits: Tensor) -> Tensor:
    """Logarithm of P(y = k) [B, K] from logits [B, K - 1], also where the probability itself rounds to 0."""
    reached = functional.pad(log_exceedance(logits), (1, 0))
    stopped = functional.pad(functional.logsigmoid(-logits), (0, 1))
    return reached + stopped


def favourable_probability(logits: Tensor, outcome: Outcome) -> Tensor:
    """P(y >= favourable class) [B]: GOS >= 4, or the positive class of a binary task."""
    return log_exceedance(logits)[:, FAVOURABLE_FROM[outcome] - 1].exp()
