"""Which networks the service can answer with: it shows where a network looked, how much it took from the image, and reads one volume."""

from training.networks.model import FusionNet


def why_not_served(net: FusionNet, images: int) -> str:
    """What stands against it; empty where nothing does.

    Args:
        net: The network.
        images: Images of each patient in its cohort.
    """
    if not net.stage_lattices or not net.heads:
        return (
            "expected a row with a spatial gate and a gated fusion, such as mma+mhgmu, found one without; "
            "other rows are for comparison and cannot be served"
        )
    if images > 1:
        return (
            f"expected a cohort with one image of each patient, found {images} image columns; the service reads "
            "one volume and cannot put single slices together: train and compare on them, serve a model of volumes"
        )
    return ""
