"""One network for every row of the model table: image and record in, logits, attention and gate shares out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from torch import Tensor, nn

from app.ehr.schema import Feature
from training.networks.attention import combine
from training.networks.backbone import Backbone
from training.networks.backbones import FAMILIES
from training.networks.config import ModelConfig
from training.networks.ehr_encoder import EhrEncoder
from training.networks.heads import Head
from training.networks.intensity import make_intensity
from training.networks.lattice import Lattice
from training.networks.mma import Gated
from training.networks.precision import full_precision
from training.networks.pretrained import load_weights
from training.networks.rivals import FUSIONS, GATES, INNER, check_parts
from training.networks.slices import fold, make_slice_pooling, repeat, unfold

Gate = Callable[[int, Tensor, Tensor], Gated]
"""(gated stage, its features [B, C, *S], code [B, de]) -> what goes on, and the maps to report."""


class FusionOutput(NamedTuple):
    """What one forward pass gives.

    Attributes:
        logits: [B, classes - 1], CORN logits or one binary logit; not calibrated.
        stage_logits: Spatial logits l [B, 1, D', H', W'] of every gated stage, finest first; empty without a spatial gate.
        gates: Spatial gates Gs of the same stages and shapes.
        image_share: [B, heads] in [0, 1]; no columns where the fusion has no gate.
        embedding: [B, d] fused vector h.
        attention: [B, *S of the finest gated stage] map A in standard deviations; [B, 1, 1, 1] zeros without a gate.
    """

    logits: Tensor
    stage_logits: tuple[Tensor, ...]
    gates: tuple[Tensor, ...]
    image_share: Tensor
    embedding: Tensor
    attention: Tensor


class FusionNet(nn.Module):
    """EHR encoder, backbone with modulation by the record, fusion, outcome head.

    Args:
        config: The row of the model table.
        features: The record, in the order of the tensors.

    Raises:
        ValueError: The configuration names a part that does not exist.
    """

    def __init__(self, config: ModelConfig, features: Sequence[Feature]) -> None:
        super().__init__()
        check_parts(config)
        self.config = config
        self.features = tuple(features)
        widths = [stage.width for stage in FAMILIES[config.backbone.depth].stages(config.backbone)]
        self.ehr = EhrEncoder(features, config.ehr)
        self.fusion = FUSIONS[config.fusion](widths[-1], config.ehr.width, config.gmu)
        self.embedding_size, self.heads = self.fusion.width, self.fusion.heads
        self.head = Head(self.embedding_size, config.head)
        if config.fusion == "image" and config.modulation not in INNER:
            # Nobody reads the record. Untrained weights must say so: several processes would wait for their gradients.
            self.ehr.requires_grad_(requires_grad=False)
        # Gates after stages, by number. The name is MMA's, whose checkpoints hold it, also where a rival's gates are in it.
        self.mma = nn.ModuleDict()
        self.inner: nn.Module | None = None
        if config.fusion == "record":
            return
        self.intensity = make_intensity(config.intensity)
        self.backbone = Backbone(config.backbone, config.image_channels)
        if config.modulation in INNER:
            channels = self.backbone.without_inner_affine()
            self.inner = INNER[config.modulation](channels, config.ehr.width)
        for stage in config.mma.stages if config.mma.active and config.modulation in GATES else ():
            gate = GATES[config.modulation]
            self.mma[str(stage)] = gate(widths[stage - 1], config.ehr.width, config.mma)
        if self._by_slice:
            self.slices = make_slice_pooling(config.backbone.slice_pooling, widths[-1])

    @property
    def trained_numbers(self) -> int:
        """Parameters that training moves."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)

    @property
    def _by_slice(self) -> bool:
        return self.config.backbone.spatial_dims == 2  # noqa: PLR2004

    @property
    def stage_lattices(self) -> tuple[Lattice, ...]:
        """Where the cells of each map in `FusionOutput.stage_logits` lie on the model grid, in the same order."""
        if self.config.mma.spatial == "none":
            return ()
        return tuple(self.lattice(int(stage)) for stage in self.mma)

    def lattice(self, stage: int) -> Lattice:
        """Where the cells of a stage (1..4) lie on the model grid (D, H, W)."""
        lattice = self.backbone.stages[stage - 1].lattice
        return lattice.per_slice() if self._by_slice else lattice

    def fit_statistics(self, values: Tensor, missing: Tensor) -> None:
        """Fit the record's standardisation on training rows [N, F]; call once, before training."""
        self.ehr.fit_statistics(values, missing)

    def load_pretrained(self) -> None:
        """Start the backbone from the file that `backbone.weights` names, if any; call once, before training."""
        if self.config.backbone.weights and self.config.fusion != "record":
            load_weights(self.backbone.net, Path(self.config.backbone.weights))

    def forward(self, image: Tensor, values: Tensor, missing: Tensor) -> FusionOutput:
        """Run a batch.

        Args:
            image: [B, 1, D, H, W] HU or raw MR on the model grid in RAS+; a 2D backbone sees it slice by slice.
            values: [B, F] record in the features' order and units; category index for categorical features.
            missing: [B, F] 1 where missing.
        """
        with full_precision(values):
            e = self.ehr(values, missing)
        if self.config.fusion == "record":
            return self._fuse(e, e, ())
        v, gated = self.look(image, e)
        return self._fuse(v, e, gated)

    def look(self, image: Tensor, e: Tensor, gate: Gate | None = None) -> tuple[Tensor, tuple[Gated, ...]]:
        """Image vector v [B, dv] and what each gate did, for a record's code e [B, de].

        Args:
            image: [B, 1, D, H, W].
            e: [B, de].
            gate: Stands in for the network's own gates, to ask them something else (`effect`).
        """
        passed: list[Gated] = []
        gate = gate or self.gate
        x, depth = self.intensity(image), image.shape[2]
        if self._by_slice:
            x, e = fold(x), repeat(e, depth)

        def modulate(stage: int, features: Tensor) -> Tensor:
            if str(stage) not in self.mma:
                return features
            passed.append(gate(stage, features, e))
            return passed[-1].features

        with self._modulated_inside(e):
            last = self.backbone(x, modulate)
        v = last.float().flatten(2).mean(2)
        if not self._by_slice:
            return v, tuple(passed)
        return self.slices(v.view(-1, depth, v.shape[1])), tuple(_volumes(one, depth) for one in passed)

    def gate(self, stage: int, features: Tensor, e: Tensor) -> Gated:
        """Apply the gate of a stage, in float32 whatever the convolutions run in."""
        with full_precision(features):
            gated: Gated = self.mma[str(stage)](features.float(), e)
        return gated

    @contextmanager
    def _modulated_inside(self, e: Tensor) -> Iterator[None]:
        """While the context lasts, what the backbone's inner normalisation puts out is modulated by the record."""
        inner = self.inner
        if inner is None:
            yield
            return

        def act(module: nn.Module, inputs: object, features: Tensor) -> Tensor:  # noqa: ARG001 - torch's signature
            with full_precision(features):
                modulated: Tensor = inner(features.float(), e)
            return modulated.to(features.dtype)

        with self.backbone.inner_norm.register_forward_hook(act):
            yield

    def _fuse(self, v: Tensor, e: Tensor, gated: tuple[Gated, ...]) -> FusionOutput:
        with full_precision(v):
            h, share = self.fusion(v, e)
            logits = self.head(h)
        maps = tuple(one.logits for one in gated if one.logits is not None)
        gates = tuple(one.gate for one in gated if one.gate is not None)
        attention = combine(maps, self.stage_lattices) if maps else v.new_zeros(v.shape[0], 1, 1, 1)
        return FusionOutput(logits, maps, gates, share, h, attention)


def _volumes(gated: Gated, depth: int) -> Gated:
    """Maps [B * D, 1, h, w] as volumes [B, 1, D, h, w]; features are left by slice, where the backbone needs them."""
    maps = (None if one is None else unfold(one, depth) for one in (gated.logits, gated.gate))
    return Gated(gated.features, *maps)
