"""One network for every row of the model table: image and record in, logits, attention and gate shares out."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from app.ehr.schema import Feature
from training.networks.attention import combine
from training.networks.backbone import Backbone
from training.networks.config import ModelConfig
from training.networks.ehr_encoder import EhrEncoder
from training.networks.fusion import make_fusion
from training.networks.heads import Head
from training.networks.intensity import make_intensity
from training.networks.mma import Gated, Mma
from training.networks.precision import full_precision


class FusionOutput(NamedTuple):
    """What one forward pass gives.

    Attributes:
        logits: [B, classes - 1], CORN logits or one binary logit; not calibrated.
        stage_logits: Spatial logits l [B, 1, *S] of every gated stage, finest first; empty without a spatial gate.
        gates: Spatial gates Gs [B, 1, *S] of the same stages.
        image_share: [B, heads] in [0, 1]; no columns where the fusion has no gate.
        embedding: [B, d] fused vector h.
        attention: [B, *S of the finest gated stage] map A in standard deviations; [B, 1...] zeros without a gate.
    """

    logits: Tensor
    stage_logits: tuple[Tensor, ...]
    gates: tuple[Tensor, ...]
    image_share: Tensor
    embedding: Tensor
    attention: Tensor


class FusionNet(nn.Module):
    """EHR encoder, backbone with multi-modal attention, multi-head gated fusion, outcome head.

    Args:
        config: The row of the model table.
        features: The record, in the order of the tensors.
    """

    def __init__(self, config: ModelConfig, features: Sequence[Feature]) -> None:
        super().__init__()
        self.config = config
        self.features = tuple(features)
        image_width, record_width = config.backbone.widths[-1], config.ehr.width
        self.ehr = EhrEncoder(features, config.ehr)
        self.fusion, self.embedding_size, self.heads = make_fusion(
            config.fusion, image_width, record_width, config.gmu
        )
        self.head = Head(self.embedding_size, config.head)
        self.mma = nn.ModuleDict()
        if config.fusion == "record":
            return
        self.intensity = make_intensity(config.intensity)
        self.backbone = Backbone(config.backbone, config.image_channels)
        for stage in config.mma.stages if config.mma.active else ():
            self.mma[str(stage)] = Mma(config.backbone.widths[stage - 1], record_width, config.mma)

    @property
    def stage_strides(self) -> tuple[tuple[int, ...], ...]:
        """Model-grid voxels between cells of each map in `FusionOutput.stage_logits`, in the same order."""
        if self.config.mma.spatial == "none":
            return ()
        return tuple(self.backbone.stride(int(stage)) for stage in self.mma)

    def fit_statistics(self, values: Tensor, missing: Tensor) -> None:
        """Fit the record's standardisation on training rows [N, F]; call once, before training."""
        self.ehr.fit_statistics(values, missing)

    def forward(self, image: Tensor, values: Tensor, missing: Tensor) -> FusionOutput:
        """Run a batch.

        Args:
            image: [B, 1, *S0] HU or raw MR on the model grid, axes (D, H, W) in RAS+.
            values: [B, F] record in the features' order and units; category index for categorical features.
            missing: [B, F] 1 where missing.
        """
        with full_precision(values):
            e = self.ehr(values, missing)
        if self.config.fusion == "record":
            return self._fuse(e, e, (), image.dim() - 2)
        v, gated = self.look(image, e)
        return self._fuse(v, e, gated, image.dim() - 2)

    def look(self, image: Tensor, e: Tensor) -> tuple[Tensor, tuple[Gated, ...]]:
        """Image vector v [B, dv] and what each module did, for a record's code e [B, de]."""
        passed: list[Gated] = []

        def modulate(stage: int, features: Tensor) -> Tensor:
            if str(stage) not in self.mma:
                return features
            with full_precision(features):
                passed.append(self.mma[str(stage)](features.float(), e))
            return passed[-1].features

        last = self.backbone(self.intensity(image), modulate)
        return last.float().flatten(2).mean(2), tuple(passed)

    def _fuse(self, v: Tensor, e: Tensor, gated: tuple[Gated, ...], axes: int) -> FusionOutput:
        with full_precision(v):
            h, share = self.fusion(v, e)
            logits = self.head(h)
        maps = tuple(one.logits for one in gated if one.logits is not None)
        gates = tuple(one.gate for one in gated if one.gate is not None)
        attention = combine(maps, self.stage_strides) if maps else v.new_zeros(v.shape[0], *[1] * axes)
        return FusionOutput(logits, maps, gates, share, h, attention)
