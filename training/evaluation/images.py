"""What needs the network and the images again: maps against masks, answers to disturbed images, and a gallery.

The statistics of the outcome are finished before; this adds its chapters to the document.
"""

from pathlib import Path

import numpy as np

from app.model_package.manifest import Metric
from training.checkpoint import Checkpoint
from training.evaluation.bootstrap import Resamples
from training.evaluation.budget import Budget
from training.evaluation.document import Distance, Disturbance, Evaluation
from training.evaluation.examples import pick_examples
from training.evaluation.fitted import Fitted
from training.evaluation.heatmaps import judge_heatmaps
from training.evaluation.pointing import peaks_in_masks
from training.evaluation.robustness import judge_robustness
from training.evaluation.statistics import share
from training.networks.model import FusionNet
from training.networks.serving_graph import ServingGraph
from training.predict import collect
from training.prepare import PreparedSet
from training.runs import Opened


def with_images(
    evaluation: Evaluation,
    run: Path,
    opened: Opened,
    fitted: Fitted,
    budget: Budget | None,
    second: FusionNet | None = None,
) -> Evaluation:
    """The document with its chapters about images.

    Args:
        evaluation: Without them.
        run: Folder of a network's run; gets the gallery's pictures.
        opened: The run.
        fitted: What was fitted after training.
        budget: Most cases of each check; None leaves out all but the served heatmap's peak.
        second: Network of a run that differs in its seed alone.
    """
    checkpoint, cohort, parts = opened.checkpoint, opened.cohort, opened.parts
    peaks = _peaks(checkpoint, parts["test"])
    evaluation = evaluation.model_copy(update={"metrics": evaluation.metrics + peaks})
    if budget is None:
        return evaluation
    disturbances = judge_robustness(
        checkpoint, cohort, parts["test"], fitted.scaling, fitted.distances, budget
    )
    return evaluation.model_copy(
        update={
            "heatmaps": judge_heatmaps(checkpoint, parts, fitted.scaling, budget, second),
            "robustness": disturbances,
            "examples": pick_examples(checkpoint, cohort, parts["test"], fitted.scaling, run),
            "distance": _with_disturbed(evaluation.distance, disturbances),
        }
    )


def _peaks(checkpoint: Checkpoint, test: PreparedSet) -> tuple[Metric, ...]:
    """Share of cases whose heatmap, as it is served, peaks in the guiding mask."""
    if not checkpoint.net.stage_lattices or not any(test.masks):
        return ()
    geometry = ServingGraph(checkpoint.net).heatmap_geometry(checkpoint.config.grid.shape)
    heatmap = collect(checkpoint.net, test, heatmap=True).heatmap
    hits = peaks_in_masks(heatmap, test, np.array(geometry.to_model_grid))
    resamples = Resamples(len(hits))
    return resamples.metrics({"heatmap_peak_in_mask": share(hits)})


def _with_disturbed(distance: Distance | None, disturbances: tuple[Disturbance, ...]) -> Distance | None:
    """Beside the held-out patients, the share called unlike training of every disturbed copy of them."""
    if distance is None:
        return None
    flagged = {
        f"{line.kind} {line.level}".strip(): metric.value
        for line in disturbances
        for metric in line.metrics
        if metric.name == "flagged"
    }
    return distance.model_copy(update={"flagged": distance.flagged | flagged})
