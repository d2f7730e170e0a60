"""Everything one run depends on, as documented dataclasses; a TOML file fills them and unknown keys are refused."""

import math
import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from app.imaging.model_grid import ModelGrid
from app.imaging.volume import Modality
from app.model_package.naming import PACKAGE_NAME, Task
from training.cohort import CohortDescription, CohortError
from training.names import SEEDS
from training.networks.config import ModelConfig, Share


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with warm-up and cosine decay."""

    learning_rate: PositiveFloat = 1e-3
    """Peak rate, from scratch."""
    weight_decay: NonNegativeFloat = 1e-2
    """Not applied to biases and normalisation layers."""
    warmup_share: Share = 0.05
    """Share of all steps during which the rate rises linearly."""
    gradient_clip: PositiveFloat = 1.0
    """Largest norm of the gradient."""


@dataclass(frozen=True)
class GuidanceConfig:
    """Mask guidance of the spatial gates; needs lesion masks and is named in the model card."""

    weight: NonNegativeFloat = 0.0
    """mu: weight of the guidance loss beside the outcome loss; 0 trains on the outcome alone."""
    labels: tuple[int, ...] = (1, 2)
    """Values of the mask that the gates are guided to, and that the heatmap is judged by."""
    positive_weight: PositiveFloat = 10.0
    """Weight of a lesion position against a background position."""


@dataclass(frozen=True)
class AugmentationConfig:
    """Changes of the training image that do not change the outcome."""

    flip_probability: Share = 0.5
    """Left-right flip; 0 where a record feature names a side."""
    shift_voxels: NonNegativeInt = 2
    """Largest shift along each axis of the model grid."""
    rotation_degrees: NonNegativeFloat = 0.0
    """Largest rotation about the vertical axis; 0 for cohorts that already vary enough."""
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest relative change of size, 0.1 = 10 %."""
    intensity: NonNegativeFloat = 0.0
    """Largest relative change of intensity."""
    noise: NonNegativeFloat = 0.0
    """Standard deviation of added noise, in the image's own unit (HU for CT)."""


@dataclass(frozen=True)
class TrainingConfig:
    """The loop."""

    epochs: PositiveInt = 100
    """Most epochs, where `steps` does not say."""
    steps: NonNegativeInt = 0
    """Most steps of the optimiser, as whole epochs, instead of `epochs`: a small training set is seen more often; 0 leaves it to `epochs`."""
    patience: PositiveInt = 20
    """Epochs without a better validation NLL before stopping."""
    batch_size: PositiveInt = 16
    """Cases in one step, all processes and micro-batches together."""
    accumulate: PositiveInt = 1
    """Micro-batches that a process divides its share of a step into, where memory is short; statistics of batch normalisation are theirs."""
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    """Precision of the convolutions; gates and losses stay in float32."""
    threads: PositiveInt = 2
    """CPU threads of the convolutions."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Weight of the past, per step, in the running average of the weights that is judged and kept; 0 keeps the weights themselves."""
    workers: NonNegativeInt = 2
    """Processes that prepare images, once."""
    loader_workers: NonNegativeInt = 0
    """Processes that read cached arrays ahead; 0 reads between steps, 2 or more keep a graphics card busy."""
    compile: bool = False
    """Whether torch.compile fuses the network; worth its minutes on a graphics card, in long runs."""

    def most_epochs(self, patients: int) -> int:
        """Epochs that a training set of this size gets at most."""
        if not self.steps:
            return self.epochs
        return math.ceil(self.steps / (patients // min(self.batch_size, patients)))


@dataclass(frozen=True)
class RunConfig:
    """One run: cohort on a grid, a network, a loop."""

    name: str
    """Package name, such as `gos`: small letters, digits and hyphens."""
    task: Task
    """What is predicted; must be the cohort's."""
    seed: Annotated[int, Field(ge=0, lt=SEEDS)]
    """Decides initialisation, order and augmentation."""
    grid: ModelGrid
    """The model grid; goes into the manifest as it is."""
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @property
    def guided(self) -> bool:
        """Whether masks guide the spatial gates; without gates there is nothing that a mask could guide."""
        mma = self.model.mma
        return self.guidance.weight > 0 and mma.guided and mma.spatial != "none"


def load_config(path: Path) -> RunConfig:
    """Read a run's TOML file.

    Raises:
        CohortError: There is no such file, it is not TOML, or a key is unknown or a value impossible; the message names it.
    """
    try:
        config = config_from_dict(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise CohortError(
            f"expected a configuration in {path.name}, found none that can be read ({error.strerror}); training/configs holds some"
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CohortError(
            f"{path.name} is not TOML in UTF-8: {error}; compare it with those in training/configs"
        ) from None
    require_package_name(config.name)
    return config


def require_package_name(name: str) -> None:
    """See that a run can be exported, before hours are spent on it: it keeps the name that it was trained under.

    Raises:
        CohortError: The model store takes no such name.
    """
    if not PACKAGE_NAME.fullmatch(name):
        raise CohortError(
            f"configuration: name: expected small letters, digits and hyphens, a letter first, as in gos-ward, found {name!r}; correct it"
        )


def config_from_dict(tree: dict[str, Any]) -> RunConfig:
    """Build a run from nested dictionaries, refusing keys no field stands for."""
    _refuse_unknown(tree, RunConfig, "")
    try:
        config = TypeAdapter(RunConfig).validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CohortError(f"configuration: {place}: {first['msg']}") from None
    if config.augmentation.rotation_degrees and config.grid.spacing_mm[1] != config.grid.spacing_mm[2]:
        raise CohortError(
            "configuration: augmentation.rotation_degrees turns voxels that are as wide as they are deep, found another grid.spacing_mm; "
            "make its last two numbers equal, or set 0 degrees"
        )
    _refuse_numbers_of_another_modality(config)
    return config


def config_to_dict(config: RunConfig) -> dict[str, Any]:
    """The run as plain JSON values; `config_from_dict` reads it back."""
    return asdict(config) | {"grid": config.grid.model_dump(mode="json")}


def with_epochs(config: RunConfig, epochs: int) -> RunConfig:
    """The run with so many epochs at most, also where its file counts steps.

    Raises:
        CohortError: There would be none.
    """
    tree = config_to_dict(config)
    tree["training"] |= {"epochs": epochs, "steps": 0}
    return config_from_dict(tree)


def unknown_log1p(config: RunConfig, description: CohortDescription) -> list[str]:
    """Names in `model.ehr.log1p` that are no numeric feature of the cohort."""
    numbers = {feature.name for feature in description.features if feature.kind == "numeric"}
    return sorted(set(config.model.ehr.log1p) - numbers)


def _refuse_numbers_of_another_modality(config: RunConfig) -> None:
    """Windows in Hounsfield units leave hardly anything of an MR, and -1024 around it moves all its numbers; nobody would notice."""
    grid, is_ct = config.grid, config.grid.modality is Modality.CT
    unit, fill = ("HU", "below 0 HU") if is_ct else ("raw", "0 or more")
    wrong = [
        f"{key} {wanted}"
        for key, wanted, fits in (
            ("grid.intensity_unit", f'= "{unit}"', grid.intensity_unit == unit),
            ("grid.fill", fill, (grid.fill < 0) == is_ct),
            ("model.intensity", '= "mr-zscore"', is_ct or config.model.intensity != "ct-windows"),
        )
        if not fits
    ]
    if wrong:
        raise CohortError(
            f"configuration: expected, for grid.modality {grid.modality}, {', '.join(wrong)}; found others"
        )


def _refuse_unknown(tree: dict[str, Any], kind: type, path: str) -> None:
    hints = get_type_hints(kind)
    known = {entry.name for entry in fields(kind)}
    if unknown := sorted(set(tree) - known):
        raise CohortError(
            f"configuration: unknown keys {[path + key for key in unknown]}; known are {sorted(known)}"
        )
    for key, value in tree.items():
        if isinstance(value, dict) and is_dataclass(hints[key]):
            _refuse_unknown(value, hints[key], f"{path}{key}.")
