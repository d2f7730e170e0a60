"""The methods paragraph, from the configuration alone. What the abstract of the paper leaves open is called this project's choice."""

from training.config import RunConfig
from training.evaluation.document import External
from training.networks.config import ModelConfig
from training.networks.rivals import INNER, RIVALS
from training.report.headline import patients
from training.report.material import Material
from training.report.words import listed, percent

READING = (
    "Only the abstract of arXiv:2112.11710 (Jiang et al. 2021) is available to this project; the equations are this project's "
    "reading of it and may not be quoted as the paper's (docs/concepts/method.md)."
)
GRID = {"CT": "head CT", "MR": "brain MRI"}
EXPANDED = "expanded percentiles, doi:10.1080/00031305.2015.1089789; of shares Wilson's"
RECORD = {"gos": "admission record", "ad": "record"}
INTENSITY = {
    "ct-windows": "shown to the network in three windows (brain, subdural, wide)",
    "mr-zscore": "standardised within the head",
    "none": "left as it is",
}
FUSION = {
    "image": "The image alone reaches the outcome head.",
    "record": "The record alone reaches the outcome head.",
    "late": "One linear head on both vectors makes the mean of two one-sided logits (late fusion).",
    "concat": "Image vector and record code are concatenated and pass one hidden layer.",
    "gmu": "Image vector and record code are mixed by a gated multimodal unit (Arevalo et al. 2017).",
}
SPATIAL = {
    "dot": "a product of the record's query with the image's keys",
    "prior": "a product of the record's query with the image's keys, and a place prior from the record",
    "softmax": "a product of the record's query with the image's keys, normalised over the image",
}
POOLING = {"mean": "mean", "attention": "mean weighted by learned attention"}
VOLUME = 3
OUTCOME = {
    "ordinal5": "The five ordered classes are answered by CORN (Shi et al. 2021); the event's probability is a sum of theirs.",
    "ordinal4": "Classes 2 and 3 were merged; the four ordered classes are answered by CORN (Shi et al. 2021).",
    "binary": "One logit answers the event.",
}


def methods(material: Material) -> list[str]:
    """Paragraphs on data, network, training and evaluation."""
    config = material.config
    if material.external:
        return [*_asking(material, material.external), f"{_intervals(material)}."]
    if config is None:
        return [
            f"This run is the row {material.evaluation.row} of the model table, which is no network; it was fitted on the record by "
            "scikit-learn and is judged as every other row.",
            _judging(material),
        ]
    return [_input(material, config), _network(config.model), _training(config), _judging(material)]


def read_in_words(material: Material) -> str:
    """` from head CT and admission record`, for a title; nothing of a row that is no network."""
    if material.config is None:
        return ""
    model, modality = material.config.model, material.config.grid.modality
    image = [GRID.get(modality, modality)] if reads_image(model) else []
    record = [RECORD[material.evaluation.task]] if reads_record(model) else []
    return f" from {listed([*image, *record])}"


def reads_image(model: ModelConfig) -> bool:
    """Whether a network sees the image."""
    return model.fusion != "record"


def reads_record(model: ModelConfig) -> bool:
    """Whether a network sees the record."""
    return model.fusion != "image" or model.modulation in INNER


def _input(material: Material, config: RunConfig) -> str:
    image = _image(config) if reads_image(config.model) else "No image is read."
    return f"{image} {_record(material) if reads_record(config.model) else 'The record is not read.'}"


def _image(config: RunConfig) -> str:
    grid = config.grid
    shape = " \N{MULTIPLICATION SIGN} ".join(str(each) for each in grid.shape)
    spacing = " \N{MULTIPLICATION SIGN} ".join(f"{each:g}" for each in grid.spacing_mm)
    return (
        f"Each {GRID.get(grid.modality, grid.modality)} was resampled to {shape} voxels of {spacing} mm and "
        f"{INTENSITY[config.model.intensity]}."
    )


def _record(material: Material) -> str:
    names = [feature.title for feature in material.features]
    return (
        f"The record has {len(names)} features ({'; '.join(names)}); missing values are told to the network as missing, "
        "numbers are standardised by the training split."
        if names
        else ""
    )


def _network(model: ModelConfig) -> str:
    sentences = []
    if reads_image(model):
        sentences.append(_backbone(model))
    if model.modulation in INNER:
        sentences.append(
            f"Inside its last block the record modulates the features ({RIVALS[model.modulation].title})."
        )
    if model.mma.active:
        sentences.append(_attention(model))
    sentences.append(
        _heads(model) if model.fusion == "mhgmu" else FUSION.get(model.fusion, f"Fusion: {model.fusion}.")
    )
    sentences.append(OUTCOME[model.head.outcome])
    return " ".join([*sentences, READING])


def _backbone(model: ModelConfig) -> str:
    backbone = model.backbone
    widths = listed([str(width) for width in backbone.widths])
    channels = f" with {widths} channels" if backbone.depth.startswith("resnet") else ""
    if backbone.spatial_dims == VOLUME:
        return f"A 3D {backbone.depth}{channels} reads the image."
    return f"A 2D {backbone.depth}{channels} reads each slice; slices are pooled by their {POOLING[backbone.slice_pooling]}."


def _attention(model: ModelConfig) -> str:
    mma = model.mma
    stages = listed([str(stage) for stage in mma.stages])
    if model.modulation != "mma":
        return f"After stages {stages}, gates of {RIVALS[model.modulation].title} multiply the features."
    source = (
        "the record" if mma.use_ehr else "a learned constant in place of the record (the control MMA-noEHR)"
    )
    gates = []
    if mma.channel:
        gates.append("a channel gate")
    if mma.spatial != "none":
        gates.append(f"a spatial gate from {SPATIAL[mma.spatial]}")
    return f"After stages {stages}, multi-modal attention modules guided by {source} multiply the features by {listed(gates)}."


def _heads(model: ModelConfig) -> str:
    return (
        f"Image vector and record code are mixed in {model.gmu.heads} subspaces by a multi-head gated multimodal unit of width "
        f"{model.gmu.width} (MH-GMU), whose heads each read their own subspace alone."
    )


def _training(config: RunConfig) -> str:
    loop, optimizer, guidance = config.training, config.optimizer, config.guidance
    guided = (
        f"The spatial gates were guided by masks (weight {guidance.weight:g}), so the heatmap shows what it was taught to find as "
        "well as what the outcome needs."
        if config.guided
        else "No mask entered the training."
    )
    average = (
        f" The running average of the weights (decay {loop.average_decay:g}) was judged and kept."
        if loop.average_decay
        else ""
    )
    bound = f"{loop.steps} steps" if loop.steps else f"{loop.epochs} epochs"
    return (
        f"Training used AdamW (peak learning rate {optimizer.learning_rate:g}, weight decay {optimizer.weight_decay:g}, warm-up and "
        f"cosine decay), batches of {loop.batch_size}, at most {bound}, stopped after {loop.patience} without a lower "
        f"negative log-likelihood on the validation split, whose best epoch was kept.{average} In training the whole record was hidden in "
        f"{percent(config.model.ehr.record_dropout, 0)} of samples and each feature in {percent(config.model.ehr.feature_dropout, 0)}. {guided} "
        f"Seed {config.seed}."
    )


def _judging(material: Material) -> str:
    dealt = material.evaluation.split
    how = f"Who is in which split: {dealt}. " if dealt else ""
    return (
        f"{how}Probabilities were calibrated on the validation split, prediction sets and the out-of-distribution score on the calibration "
        f"split, and the held-out split was opened once. {_intervals(material)}; "
        "comparisons between models are paired, with Holm's correction over those planned."
    )


def _intervals(material: Material) -> str:
    expanded = material.evaluation.intervals == "expanded"
    return f"Intervals are 95 % intervals of a bootstrap over {patients(material)} ({EXPANDED if expanded else 'percentiles'})"


def _asking(material: Material, external: External) -> list[str]:
    """How a package was judged on another cohort, and who got no answer."""
    subjects = patients(material)
    asked = (
        f"The package {material.evaluation.row} ({external.title}) was asked about every one of the {subjects} as the service is, from files and record. Nothing was "
        "fitted to them: probabilities, thresholds of the prediction sets and the distance from training are the package's. Whether some of them were "
        f"among those it was trained or recalibrated on, this program cannot tell. Trained on, in its own words: {external.training_data}"
    )
    answered = material.evaluation.counts.get("test", 0)
    refused = listed([f"{code} ({count})" for code, count in external.refused.items()])
    total = answered + sum(external.refused.values())
    counted = (
        f"Of {total} {subjects}, {total - answered} got no answer and are in no number: {refused}."
        if refused
        else f"All {total} {subjects} got an answer."
    )
    advised = (
        f"In {percent(external.abstained)} of the answers the package itself advises not to rely on them."
    )
    absent = f"Missing for everyone, since the cohort does not have it: {listed(list(external.absent))}."
    return [asked, " ".join([counted, advised, *([absent] if external.absent else [])])]
