"""An evaluation of which few cases were disturbed and mapped, as a small `--image-cases` leaves it."""

from app.model_package.manifest import Metric
from training.evaluation import document as d


def of_few(judged: d.Evaluation, n: int) -> d.Evaluation:
    """The same, where so few cases were disturbed and mapped that there is no AUROC of them."""

    def few(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
        return tuple(each.model_copy(update={"n": n}) for each in metrics if each.name != "auroc")

    maps = judged.heatmaps
    assert maps is not None
    methods = tuple(each.model_copy(update={"metrics": few(each.metrics)}) for each in maps.methods)
    lines = tuple(each.model_copy(update={"metrics": few(each.metrics)}) for each in judged.robustness)
    return judged.model_copy(
        update={"heatmaps": maps.model_copy(update={"methods": methods}), "robustness": lines}
    )
