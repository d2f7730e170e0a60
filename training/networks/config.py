"""Every choice of the network that the abstract of arXiv:2112.11710 leaves open, as documented dataclasses.

The four ideas the abstract fixes are not options; depth, widths, places of attention, its equation, the number of heads
and the grouping of outcomes are (docs/concepts/method.md).
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from training.names import Spatial

Share = Annotated[float, Field(ge=0, le=1)]
Intensity = Literal["ct-windows", "mr-zscore", "none"]
BackboneName = Literal["resnet10", "resnet18", "densenet121", "efficientnet-b0"]
SlicePooling = Literal["mean", "attention"]
Gate = Literal["vector", "scalar"]
Outcome = Literal["ordinal5", "ordinal4", "binary"]
CLASSES: dict[Outcome, int] = {"ordinal5": 5, "ordinal4": 4, "binary": 2}
FAVOURABLE_FROM: dict[Outcome, int] = {"ordinal5": 3, "ordinal4": 2, "binary": 1}
"""First class that counts as favourable (GOS >= 4), or as the positive class of a binary task."""
GOS_CLASSES: dict[Outcome, tuple[int, ...]] = {
    "ordinal5": (0, 1, 2, 3, 4),
    "ordinal4": (0, 1, 1, 2, 3),
    "binary": (0, 0, 0, 1, 1),
}
"""Class of each Glasgow Outcome Scale score from 1 on."""
STAGES = 4
TOKEN_HEADS = 4


@dataclass(frozen=True)
class BackboneConfig:
    """The convolutional network the modules are added to, used as MONAI ships it."""

    depth: BackboneName = "resnet10"
    """Which network: resnet10 and resnet18 have 1 and 2 blocks per stage."""
    widths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (16, 32, 64, 128)
    """Channels of a residual network's stages; fewer than 16 run badly in 3D on CPU."""
    width_multiplier: PositiveFloat = 1.0
    """Scales the published channels of densenet121 (growth 32) and efficientnet-b0; residual networks have `widths`."""
    spatial_dims: Literal[2, 3] = 3
    """3 convolves volumes; 2 convolves each slice of a volume [B, 1, D, H, W] on its own and pools over slices."""
    slice_pooling: SlicePooling = "mean"
    """How a 2D network's slices become one vector: their mean, or a mean weighted by learned attention."""
    stem_kernel: tuple[PositiveInt, ...] = (3, 5, 5)
    """Kernel of the first convolution; odd, so that cell centres stay on voxels."""
    stem_stride: tuple[PositiveInt, ...] = (1, 2, 2)
    """Stride of the first convolution; (1, 2, 2) suits thick slices and saves most of the time."""
    stem_pool: bool = False
    """Whether a residual network halves once more by max pooling after the stem, as its ImageNet form does."""
    norm: Literal["batch", "group"] = "batch"
    """Normalisation; group where batches are smaller than 16."""
    weights: str | None = None
    """File with a state dict to start from (`FusionNet.load_pretrained`); None starts from random weights."""

    def __post_init__(self) -> None:
        if not len(self.stem_kernel) == len(self.stem_stride) == self.spatial_dims:
            raise ValueError(f"stem_kernel and stem_stride need {self.spatial_dims} numbers, one per axis")
        if any(size % 2 == 0 for size in self.stem_kernel):
            raise ValueError(f"stem_kernel must be odd along every axis, found {self.stem_kernel}")


@dataclass(frozen=True)
class EhrConfig:
    """The encoder of the record."""

    kind: Literal["mlp", "tokens"] = "mlp"
    """`mlp` (E1), or `tokens` (E2: one token per feature and two transformer blocks) for more than about 20 features."""
    width: PositiveInt = 64
    """d_e, size of the record's code e; also of the hidden layer."""
    dropout: Share = 0.1
    """Dropout in the hidden layer."""
    feature_dropout: Share = 0.1
    """Share of observed features hidden in training, each on its own."""
    record_dropout: Share = 0.05
    """Share of training rows whose whole record is hidden; 0.2 to 0.5 guards against a shortcut through the record."""
    log1p: tuple[str, ...] = ()
    """Names of skewed numeric features that enter as log(1 + value)."""

    def __post_init__(self) -> None:
        if self.kind == "tokens" and self.width % TOKEN_HEADS:
            raise ValueError(f"width of tokens must be a multiple of {TOKEN_HEADS}, found {self.width}")


@dataclass(frozen=True)
class MmaConfig:
    """The multi-modal attention modules."""

    stages: tuple[int, ...] = (2, 3, 4)
    """Stages (1 to 4) of the backbone after which a module sits."""
    spatial: Spatial = "dot"
    """Spatial gate; `prior` only for images registered to a template, `none` switches it off."""
    channel: bool = True
    """Whether a channel gate comes before the spatial one."""
    kernel: tuple[PositiveInt, ...] = (3, 7, 7)
    """Kernel of the image-only term: (3, 7, 7) thick-slice CT, (5, 5, 5) isotropic MRI, (7, 7) in 2D."""
    use_ehr: bool = True
    """False replaces the record's code by a learned constant: the control MMA-noEHR."""
    guided: bool = True
    """Whether a run's mask guidance reaches these gates; False is the control that tells what the masks add."""

    def __post_init__(self) -> None:
        if not self.stages or list(self.stages) != sorted(set(self.stages) & set(range(1, STAGES + 1))):
            raise ValueError(f"stages must be rising numbers from 1 to {STAGES}, found {self.stages}")
        if any(size % 2 == 0 for size in self.kernel):
            raise ValueError(f"kernel must be odd along every axis, found {self.kernel}")

    @property
    def active(self) -> bool:
        """Whether there is any gate at all."""
        return self.spatial != "none" or self.channel


@dataclass(frozen=True)
class GmuConfig:
    """The (multi-head) gated multimodal unit, and the width of its rivals."""

    width: PositiveInt = 128
    """d, size of the fused vector."""
    heads: PositiveInt = 4
    """H, number of subspaces; `gmu` always has one."""
    gate: Gate = "vector"
    """One gate value per coordinate of a head, or one per head."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of heads {self.heads}")


@dataclass(frozen=True)
class HeadConfig:
    """The last layer."""

    outcome: Outcome = "ordinal5"
    """`ordinal5` GOS 1..5; `ordinal4` with GOS 2 and 3 merged (fewer than 20 cases); `binary` GOS >= 4, or CN/AD."""
    dropout: Share = 0.2
    """Dropout before the linear layer."""


@dataclass(frozen=True)
class ModelConfig:
    """One row of the model table: the same parts, switched on or off.

    MMA only is `fusion="concat"` with gates, MH-GMU only is `fusion="mhgmu"` without; the files of `rivals` spell them out.
    """

    intensity: Intensity = "ct-windows"
    """What the graph does to raw intensities: three CT windows, an MR z-score, or nothing."""
    fusion: str = "mhgmu"
    """How the image vector and the record's code become one vector: a fusion that a file of `rivals` brings."""
    modulation: str = "mma"
    """How features are modulated inside the image network: a gate or inner modulation that a file of `rivals` brings."""
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    ehr: EhrConfig = field(default_factory=EhrConfig)
    mma: MmaConfig = field(default_factory=MmaConfig)
    gmu: GmuConfig = field(default_factory=GmuConfig)
    head: HeadConfig = field(default_factory=HeadConfig)

    def __post_init__(self) -> None:
        if self.mma.active and len(self.mma.kernel) != self.backbone.spatial_dims:
            raise ValueError(
                f"mma.kernel needs {self.backbone.spatial_dims} numbers, found {self.mma.kernel}"
            )
        if self.fusion == "record" and self.mma.active:
            raise ValueError("fusion 'record' has no image: set mma.spatial = 'none' and mma.channel = false")
        if self.fusion == "image" and self.mma.active and self.mma.use_ehr:
            raise ValueError(
                "fusion 'image' must not see the record: set mma.use_ehr = false or switch the gates off"
            )

    @property
    def image_channels(self) -> int:
        """Channels that enter the backbone."""
        return 3 if self.intensity == "ct-windows" else 1
