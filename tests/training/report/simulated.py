"""A full evaluation, and all that a report is written from, without a network or a cohort."""

from io import BytesIO

import numpy as np
from PIL import Image

from app.ehr.schema import Feature
from app.model_package.manifest import Metric
from tests.training.report.answers import (
    CLASSES,
    Answers,
    N,
    calibration,
    curve,
    decision,
    discrimination,
    near,
    selective,
    simulate,
)
from training.ablation.document import Ablation, ModelTable, TableRow
from training.evaluation import document as d
from training.evaluation.fitted import CalibrationFile
from training.evaluation.network_maps import ATTENTION
from training.metrics import auroc, negative_log_likelihood
from training.report.history import Epoch
from training.report.material import Material
from training.report.study import Study
from training.rows import titles

SIDE = 64


def evaluation(source: str = "phantoms") -> d.Evaluation:
    """Every section filled."""
    a = simulate()
    return d.Evaluation(
        row="mma+mhgmu",
        task="gos",
        event="favourable outcome (GOS 4 or 5)",
        counts={"train": 3600, "validation": 300, "calibration": 600, "test": N},
        epochs={"image": 9, "record": 9, "model": 9},
        metrics=_headline(a),
        source=source,
        classes=CLASSES,
        events={"train": 1440, "validation": 118, "calibration": 241, "test": int(a.event.sum())},
        cohort_table=_cohort_table(),
        discrimination=discrimination(a),
        calibration=calibration(a),
        decision=decision(a),
        sets=_sets(),
        comparisons=_comparisons("model"),
        subgroups=_subgroups(),
        selective=selective(a),
        distance=d.Distance(
            threshold=0.99, flagged={"test": 0.012, "test, noise 40 HU": 0.31, "MR volumes": 0.998}
        ),
        heatmaps=_heatmaps(),
        robustness=_robustness(),
        examples=tuple(_example(kind, p) for kind, p in (("best", 0.96), ("median", 0.41), ("worst", 0.02))),
    )


def material(source: str = "phantoms", study: bool = True) -> Material:
    """What `gather` would give for a run with an ablation."""
    judged = evaluation(source)
    return Material(
        name="gos-full",
        evaluation=judged,
        features=features(),
        parameters=412_693,
        kept_epoch=8,
        history=_history(0),
        fitted=CalibrationFile(
            slope=1.056,
            intercept=0.0,
            thresholds=(0.21, 0.02, 0.19, 0.18, 0.2),
            cases=(150, 14, 191, 121, 124),
            coverage=0.9,
            n=600,
            operating_point=0.43,
        ),
        environment={
            "started": "2026-11-28 01:02 UTC",
            "python": "3.11.7",
            "torch": "2.13.0",
            "processor": "x86_64, 2 cores",
        },
        study=simulated_study() if study else None,
        pictures={each.picture: picture(index) for index, each in enumerate(judged.examples)},
    )


def external_material(source: str = "a hospital", events: int = 120, **told: object) -> Material:
    """What `gather` would give for a package that was judged on another cohort."""
    judged = evaluation(source)
    external: dict[str, object] = {
        "title": "Glasgow Outcome Scale", "training_data": "Phantoms: synthetic heads.", "intended_use": "Demonstration only.",
        "stated": judged.metrics[:1], "refused": {"not-a-head": 2}, "absent": ("INR",), "abstained": 0.02,
    }  # fmt: skip
    parts: dict[str, object] = {
        "row": "gos@2", "counts": {"test": N}, "events": {"test": events}, "epochs": {}, "comparisons": (), "heatmaps": None,
        "robustness": (), "examples": (), "external": d.External.model_validate(external | told),
    }  # fmt: skip
    return Material(
        name="there",
        evaluation=judged.model_copy(update=parts),
        environment={"python": "3.11.7"},
    )


def features() -> tuple[Feature, ...]:
    """Two features, one of each kind."""
    age = Feature(
        name="age",
        title="Age",
        kind="numeric",
        loinc="30525-0",
        unit="a",
        plausible_range=(0, 120),
        categories=(),
        required=False,
    )
    sex = Feature(
        name="sex",
        title="Sex",
        kind="categorical",
        loinc=None,
        unit=None,
        plausible_range=None,
        categories=("female", "male"),
        required=False,
    )
    return age, sex


def simulated_study() -> Study:
    """A model table of thirteen rows, tabular ones among them, at three sizes, with histories."""
    tables = tuple(_model_table(size) for size in (200, 600, 2000))
    ablation = Ablation(
        cohort="cohort",
        source="phantoms",
        event="favourable outcome",
        config="gos",
        folds=None,
        repeats=1,
        seeds=3,
        finished=True,
        tables=tables,
    )
    return Study(
        ablation, {name: _history(shift) for shift, name in enumerate(("mma+mhgmu", "image", "record"))}
    )


def _model_table(size: int) -> ModelTable:
    areas: dict[str, tuple[float, int | None]] = {
        "prevalence": (0.5, None),
        "ehr-lr": (0.80, None),
        "record": (0.803, 9_413),
        "image": (0.731, 318_004),
        "late": (0.827, 327_417),
        "concat": (0.839, 345_101),
        "gmu": (0.842, 352_300),
        "film": (0.846, 349_800),
        "daft": (0.849, 351_120),
        "mma-noehr": (0.841, 380_200),
        "mma": (0.853, 380_264),
        "mhgmu": (0.848, 360_100),
        "mma+mhgmu": (0.871, 412_693),
    }
    known = titles("gos")
    return ModelTable(
        size=size,
        train_patients=size,
        test_patients=N,
        test_events=249,
        attainable=near("auroc", 0.891),
        rows=tuple(
            _table_row(known[name].title, name, area - (20 / size if parameters else 0), parameters)
            for name, (area, parameters) in areas.items()
        ),
        comparisons=(*_comparisons(), *_controls()),
    )


def _table_row(title: str, name: str, area: float, parameters: int | None) -> TableRow:
    slope = near("calibration_slope", 0.9 + area / 9, 0.15)
    return TableRow(
        name=name,
        number=1,
        title=title,
        note="",
        parameters=parameters,
        metrics=(near("auroc", area), near("brier", 0.35 - area / 4, 0.01), slope),
        models=3 if parameters else 1,
        each={"auroc": (area - 0.006, area, area + 0.004) if parameters else (area,)},
        failed=0,
        first_run="",
    )


def _controls() -> tuple[d.Comparison, ...]:
    gain = near("auroc", 0.012, 0.01)
    return (
        d.Comparison(row="mma", against="mma-noehr", metric="auroc", difference=gain, p=0.02, p_holm=0.04),
    )


def picture(seed: int) -> bytes:
    """A grey square with a bright spot, as a PNG."""
    pixels = np.random.default_rng(seed).integers(30, 90, (SIDE, 4 * SIDE), dtype=np.uint8)
    pixels[20:40, 20:40] = 220
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _headline(a: Answers) -> tuple[Metric, ...]:
    return (
        near("auroc", auroc(a.p, a.event)),
        near("auprc", 0.81, 0.04),
        near("brier", float(np.mean((a.p - a.event) ** 2)), 0.015),
        near("calibration_slope", 1.06, 0.16),
        near("calibration_in_the_large", -0.02, 0.11),
        near("nll", negative_log_likelihood(a.probabilities, a.label), 0.06),
        near("sensitivity", 0.78),
        near("specificity", 0.80),
        near("quadratic_weighted_kappa", 0.69, 0.05),
        near("auroc_attainable", 0.891, 0.025),
        near("auroc_share_of_attainable", 0.978, 0.012),
    )


def _sets() -> d.PredictionSets:
    def group(variable: str, level: str, n: int, value: float) -> d.Group:
        known = n > 20
        found = (near("set_coverage", value, 0.04, n), near("set_size", 2.6, 0.1, n)) if known else ()
        return d.Group(variable=variable, level=level, n=n, events=n // 2, too_few=not known, metrics=found)

    shares = zip(CLASSES, (152, 14, 191, 121, 122), (0.91, 0.9, 0.93, 0.89, 0.88), strict=True)
    return d.PredictionSets(
        nominal=0.9,
        method="split conformal sets of neighbouring classes (adaptive score), with a threshold for every class",
        metrics=(near("set_coverage", 0.907, 0.022), near("set_size", 2.61, 0.05)),
        groups=(
            *(group("class", *each) for each in shares),
            group("sex", "female", 280, 0.9),
            group("sex", "male", 320, 0.91),
        ),
        resplits=d.Resplits(
            draws=500,
            calibration=600,
            judged=600,
            groups=(group("all", "all", 1200, 0.904), group("class", CLASSES[1], 18, 0.92)),
        ),
    )


def _comparisons(row: str = "mma+mhgmu") -> tuple[d.Comparison, ...]:
    found = (
        ("image", 0.140, 0.0),
        ("record", 0.068, 0.0),
        ("concat", 0.032, 0.004),
        ("film", 0.025, 0.02),
        ("daft", 0.022, 0.09),
    )
    return tuple(
        d.Comparison(
            row=row,
            against=against,
            metric="auroc",
            difference=near("auroc", gain, 0.02),
            p=p / 2,
            p_holm=p,
        )
        for against, gain, p in found
    )


def _subgroups() -> tuple[d.Group, ...]:
    def group(variable: str, level: str, n: int, events: int, area: float) -> d.Group:
        few = min(events, n - events) < 10
        found = (
            near("auroc", area, 0.05, n),
            near("calibration_slope", 1.03, 0.2, n),
            near("brier", 0.15, 0.02, n),
        )
        return d.Group(
            variable=variable, level=level, n=n, events=events, too_few=few, metrics=() if few else found
        )

    return (
        group("sex", "female", 280, 118, 0.87),
        group("sex", "male", 320, 131, 0.86),
        group("age", "under 60", 190, 110, 0.88),
        group("age", "60 to 75", 260, 101, 0.85),
        group("age", "over 75", 150, 38, 0.83),
        group("site", "A", 575, 245, 0.87),
        group("site", "B", 25, 4, 0.0),
    )


def _heatmaps() -> d.Heatmaps:
    def method(name: str, pointing: float, mass: float) -> d.HeatmapMethod:
        numbers = (
            near("pointing", pointing),
            near("pointing_strict", pointing - 0.07),
            near("relevance_mass", mass),
            near("auprc", mass + 0.1),
            near("deletion", 0.31, 0.02),
            near("insertion", 0.58, 0.02),
        )
        return d.HeatmapMethod(name=name, metrics=numbers)

    steps = ("nothing", "head", "fusion", "stage 4", "stage 3", "stage 2", "stage 1")
    x = np.arange(len(steps))
    return d.Heatmaps(
        n=588,
        chance=0.021,
        methods=(
            method(ATTENTION, 0.957, 0.52),
            method("Record effect", 0.61, 0.27),
            method("Grad-CAM", 0.71, 0.33),
            method("Centre Gaussian", 0.11, 0.05),
        ),
        randomisation=curve(x, np.array([1, 0.98, 0.97, 0.6, 0.41, 0.2, 0.11]), 0.03),
        randomisation_rank=curve(x, np.array([1, 0.97, 0.95, 0.5, 0.3, 0.1, -0.04]), 0.03),
        randomised=steps,
        record_swap=(
            near("map_correlation", 0.93, 0.01),
            near("peak_shift_mm", 4.1, 0.8),
            near("probability_change", 0.17),
        ),
        repeatability=(near("map_correlation", 0.81, 0.02),),
    )


def _robustness() -> tuple[d.Disturbance, ...]:
    lines = (
        ("undisturbed", "", 0.862),
        ("noise", "10 HU", 0.86),
        ("noise", "40 HU", 0.79),
        ("slice spacing", "10 mm", 0.83),
        ("tilt", "10\N{DEGREE SIGN}", 0.85),
        ("record fields removed", "50 %", 0.78),
        ("record removed", "all", 0.72),
    )
    return tuple(
        d.Disturbance(
            kind=kind,
            level=level,
            metrics=(
                near("auroc", area),
                near("nll", 2 - area),
                near("mean_change", (0.862 - area) / 2, 0.01),
            ),
        )
        for kind, level, area in lines
    )


def _cohort_table() -> tuple[d.Characteristic, ...]:
    splits = ("train", "validation", "calibration", "test")
    lines = (
        ("Age, mean (SD)", "a", "64.0 (13.1)"),
        ("Sex, female", "", "46 %"),
        ("Glasgow Coma Scale, median (IQR)", "{score}", "13 (10 to 15)"),
        ("Anticoagulant, missing", "", "8 %"),
    )
    return tuple(
        d.Characteristic(variable=variable, unit=unit, by_split=dict.fromkeys(splits, words))
        for variable, unit, words in lines
    )


def _example(kind: str, probability: float) -> d.Example:
    return d.Example(
        kind=kind,
        picture=f"example-{kind}.png",
        outcome="Moderate disability",
        probability=probability,
        caption="Four slices from below upwards; colour: the map; line: the mask.",
    )


def _history(seed: int) -> tuple[Epoch, ...]:
    rng = np.random.default_rng(seed)
    return tuple(
        Epoch(
            e,
            float(2.2 / e**0.4 + rng.normal(0, 0.02)),
            float(1.1 + 0.5 / e + 0.05 * seed + rng.normal(0, 0.01)),
            182.0,
        )
        for e in range(1, 10)
    )
