"""The heatmap chapter of an evaluation: overlap with masks, dependence of the answer, sanity of the maps."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64

from app.model_package.manifest import Metric
from training.calibrate import Scaling
from training.checkpoint import Checkpoint
from training.cohort import Split
from training.evaluation.attention_maps import Subjects, attention_maps
from training.evaluation.budget import Budget
from training.evaluation.document import HeatmapMethod, Heatmaps
from training.evaluation.faithfulness import judge_faithfulness
from training.evaluation.map_scores import Scores, best_threshold, masked_cases, method_scores, score_maps
from training.evaluation.network_maps import batches, reference_records, sample
from training.evaluation.randomisation import randomise_in_cascade
from training.evaluation.sanity import record_swap, repeatability
from training.networks.model import FusionNet
from training.prepare import PreparedSet

AT_LEAST = 2
"""Cases without which no record can be exchanged."""


def judge_heatmaps(
    checkpoint: Checkpoint,
    parts: Mapping[Split, PreparedSet],
    scaling: Scaling,
    budget: Budget,
    second: FusionNet | None = None,
) -> Heatmaps | None:
    """Everything that can be said of a network's maps on the test cases.

    Args:
        checkpoint: The run.
        parts: Its prepared splits; `train` gives records, `validation` the threshold of Dice.
        scaling: Of the logits, fitted after training.
        budget: Most cases of each check.
        second: Network of a run that differs in its seed alone.

    Returns:
        None for a network that sees no image. A network without gates has Grad-CAM alone; a cohort without masks has no overlap.
    """
    net, test = checkpoint.net.eval(), parts["test"]
    if net.config.fusion == "record":
        return None
    scores, thresholds = _scored(checkpoint, parts, budget)
    faithful = judge_faithfulness(
        net,
        _subjects(checkpoint, test, scaling, sample(test, budget.faithfulness, budget.seed)),
        checkpoint.config.grid.modality,
        budget.seed,
    )
    overlaps = {name: method_scores(name, each, thresholds[name]) for name, each in scores.by_method.items()}
    chapter = Heatmaps(
        n=len(scores.share_of_head),
        chance=float(np.mean(scores.share_of_head)) if scores.share_of_head else None,
        methods=tuple(
            _joined(name, overlaps.get(name), faithful) for name in dict.fromkeys([*overlaps, *faithful])
        ),
        randomisation=None,
        randomised=(),
        record_swap=(),
    )
    subjects = _subjects(checkpoint, test, scaling, sample(test, budget.sanity, budget.seed))
    return _with_sanity(chapter, net, subjects, second, budget.seed) if net.stage_lattices else chapter


def _scored(
    checkpoint: Checkpoint, parts: Mapping[Split, PreparedSet], budget: Budget
) -> tuple[Scores, dict[str, int | None]]:
    """Scores of every map on test cases, and the threshold of Dice for each from validation cases."""
    net, modality = checkpoint.net, checkpoint.config.grid.modality
    references = reference_records(parts["train"], budget.seed, next(net.parameters()).device)

    def scored(split: Split, count: int) -> Scores:
        prepared = parts[split]
        masked = masked_cases(prepared, np.arange(len(prepared)))
        return score_maps(net, prepared, masked[sample(masked, count, budget.seed)], modality, references)

    test = scored("test", budget.masked)
    held = scored("validation", budget.threshold) if test.by_method else Scores()
    return test, {name: best_threshold(held.by_method.get(name, [])) for name in test.by_method}


def _with_sanity(
    chapter: Heatmaps, net: FusionNet, subjects: Subjects, second: FusionNet | None, seed: int
) -> Heatmaps:
    if len(subjects.index) < AT_LEAST:
        return chapter
    own = attention_maps(net, subjects)
    one = next(batches(subjects.prepared, subjects.index, 1, next(net.parameters()).device))
    cascade = randomise_in_cascade(net, subjects, own, one, seed)
    again = repeatability(own, attention_maps(second.eval(), subjects)) if second is not None else ()
    return chapter.model_copy(
        update={
            "randomisation": cascade.ssim,
            "randomisation_rank": cascade.rank,
            "randomised": cascade.randomised,
            "record_swap": record_swap(net, subjects, own, seed),
            "repeatability": again,
        }
    )


def _subjects(
    checkpoint: Checkpoint, test: PreparedSet, scaling: Scaling, index: Int64[np.ndarray, " N"]
) -> Subjects:
    return Subjects(test, index, checkpoint.config.grid.spacing_mm, scaling)


def _joined(
    name: str, overlap: HeatmapMethod | None, faithful: dict[str, tuple[Metric, ...]]
) -> HeatmapMethod:
    """One map's overlap and faithfulness as one line."""
    base = overlap or HeatmapMethod(name=name, metrics=())
    return base.model_copy(update={"metrics": base.metrics + faithful.get(name, ())})
