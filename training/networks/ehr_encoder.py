"""The record's code e: a small perceptron (E1), or a transformer over one token per feature (E2).

A missing number enters as the training mean together with a flag that says so (DAFT, arXiv:2107.05990, does the same);
a missing category has an embedding of its own.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.ehr.schema import Feature
from training.networks.config import TOKEN_HEADS, EhrConfig
from training.networks.record_inputs import RecordInputs, Standardise

LARGEST_EMBEDDING = 8
TOKEN_BLOCKS = 2


class EhrEncoder(nn.Module):
    """(values, missing) [B, F] to e [B, de]; an all-missing row is legal and has a code too."""

    def __init__(self, features: Sequence[Feature], config: EhrConfig) -> None:
        super().__init__()
        self.standardise = Standardise(features, config)
        numbers, levels = len(self.standardise.mean), self.standardise.level_counts
        encoder = _Perceptron if config.kind == "mlp" else _Tokens
        self.encoder = encoder(numbers, levels, config)

    def fit_statistics(self, values: Tensor, missing: Tensor) -> None:
        """Set the standardisation from training rows [N, F]; see `Standardise.fit_statistics`."""
        self.standardise.fit_statistics(values, missing)

    def forward(self, values: Tensor, missing: Tensor) -> Tensor:
        """Encode a batch of records."""
        code: Tensor = self.encoder(self.standardise(values, missing))
        return code


class _Perceptron(nn.Module):
    """E1: e = MLP([z ; 1 - known ; Emb_1 ; ...])."""

    def __init__(self, numbers: int, levels: Sequence[int], config: EhrConfig) -> None:
        super().__init__()
        sizes = [min(LARGEST_EMBEDDING, math.ceil(count / 2)) for count in levels]
        self.embeddings = nn.ModuleList(
            _level_embedding(n, size) for n, size in zip(levels, sizes, strict=True)
        )
        self.layers = nn.Sequential(
            nn.Linear(2 * numbers + sum(sizes), config.width),
            nn.LayerNorm(config.width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.width, config.width),
            nn.LayerNorm(config.width),
        )

    def forward(self, record: RecordInputs) -> Tensor:
        embedded = [_rows(embed, record.levels[:, i]) for i, embed in enumerate(self.embeddings)]
        code: Tensor = self.layers(torch.cat([record.numbers, 1 - record.known, *embedded], dim=1))
        return code


class _Tokens(nn.Module):
    """E2: a token per feature, two pre-norm transformer blocks, e = LN(CLS).

    A number's token is known * (w z + b) + (1 - known) * missing + column (TIP, arXiv:2407.07582).
    """

    def __init__(self, numbers: int, levels: Sequence[int], config: EhrConfig) -> None:
        super().__init__()
        width = config.width

        def table(rows: int) -> nn.Parameter:
            return nn.Parameter(0.02 * torch.randn(rows, width))

        self.scale, self.shift, self.absent = table(numbers), table(numbers), table(numbers)
        self.columns, self.cls = table(numbers + len(levels)), table(1)
        self.embeddings = nn.ModuleList(nn.Embedding(1 + n, width) for n in levels)
        self.blocks = nn.Sequential(*[_Block(width, config.dropout) for _ in range(TOKEN_BLOCKS)])
        self.norm = nn.LayerNorm(width)

    def forward(self, record: RecordInputs) -> Tensor:
        z, known = record.numbers[:, :, None], record.known[:, :, None]
        numbers = known * (self.scale * z + self.shift) + (1 - known) * self.absent
        categories = [_rows(embed, record.levels[:, i])[:, None] for i, embed in enumerate(self.embeddings)]
        tokens = torch.cat([numbers, *categories], dim=1) + self.columns
        cls = self.cls.expand(tokens.shape[0], -1, -1)
        code: Tensor = self.norm(self.blocks(torch.cat([cls, tokens], dim=1))[:, 0])
        return code


class _Block(nn.Module):
    """Pre-norm attention and perceptron; spelled out because PyTorch's fused inference path does not export."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.qkv(self.norm(x)).unflatten(2, (3, TOKEN_HEADS, -1)).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        x = x + self.project(mixed.transpose(1, 2).flatten(2))
        y: Tensor = x + self.mlp(x)
        return y


def _level_embedding(levels: int, size: int) -> nn.Embedding:
    """Row 0 for missing, at the centre; the levels on cosines, so each column starts with mean 0 and variance 1.

    Drawn at random, the one column that a two-level feature gets could start with both levels at the same place.
    """
    embedding = nn.Embedding(1 + levels, size)
    level, column = torch.arange(levels)[:, None] + 0.5, torch.arange(1, size + 1)
    with torch.no_grad():
        embedding.weight[0] = 0
        embedding.weight[1:] = math.sqrt(2) * torch.cos(math.pi * level * column / levels)
    return embedding


def _rows(embedding: nn.Module, levels: Tensor) -> Tensor:
    """Look up rows [B, size]; an `aten.embedding` would claim the name of the graph's output `embedding` on export."""
    table: Tensor = embedding.get_parameter("weight")
    return table.index_select(0, levels)
