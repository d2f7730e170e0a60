"""Start a backbone from a state dict on disk: MONAI's, torchvision's, MedicalNet's or one's own."""

import hashlib
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from app.errors import NeuroFuseError

WRAPPERS = ("state_dict", "state", "model")
PREFIXES = ("module.", "backbone.net.", "net.")
SMALLEST_SHARE = 0.5


class PretrainedWeightsError(NeuroFuseError):
    """A file of weights does not fit the network that is to start from it."""

    code = "pretrained-weights"


def load_weights(net: nn.Module, path: Path) -> float:
    """Copy every tensor of the file that has the name and the shape of one of the network's.

    What the file lacks, such as a first convolution for another number of channels, keeps its random start.

    Args:
        net: MONAI's network.
        path: A state dict, alone or under `state_dict`, `state` or `model`; read without running code.

    Returns:
        Share of the network's parameters that the file filled.

    Raises:
        PretrainedWeightsError: The file cannot be read, or fills less than half of the parameters.
    """
    found, own = _read(path), net.state_dict()
    fitting = {name: found[name] for name, tensor in own.items() if _fits(found.get(name), tensor)}
    parameters = {name: parameter.numel() for name, parameter in net.named_parameters()}
    share = sum(count for name, count in parameters.items() if name in fitting) / sum(parameters.values())
    if share < SMALLEST_SHARE:
        raise PretrainedWeightsError(
            f"the file of pretrained weights fills {share:.0%} of the backbone's parameters, expected at least "
            f"{SMALLEST_SHARE:.0%}; the configured network, dimension and widths must be the file's"
        )
    net.load_state_dict(own | fitting)
    return share


@cache
def weights_digest(path: Path) -> str:
    """SHA-256 of a file of weights; read once in a process.

    Raises:
        PretrainedWeightsError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PretrainedWeightsError(
            f"expected a file of pretrained weights in {path.name}, found none that can be read ({error.strerror}); correct backbone.weights "
            "in the configuration, which counts from the folder in which the command is given"
        ) from None


def _fits(tensor: Tensor | None, like: Tensor) -> bool:
    return tensor is not None and tensor.shape == like.shape


def _read(path: Path) -> dict[str, Tensor]:
    try:
        tree = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch.load lets through what unpickling raises, a module not to be imported
        raise PretrainedWeightsError(
            f"expected a PyTorch state dict to start from, cannot read the file: {type(error).__name__}"
        ) from None
    for wrapper in WRAPPERS:
        tree = tree.get(wrapper, tree)
    return {_bare(name): tensor for name, tensor in tree.items() if isinstance(tensor, Tensor)}


def _bare(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name
