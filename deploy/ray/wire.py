"""What an ingress replica and a predictor replica say to each other."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from app.inference.ticket import Urgency
from app.model_package.package import Package


@dataclass(frozen=True)
class PackageKey:
    """Which package is meant, wherever it lies.

    Attributes:
        name: Package name.
        version: Its version.
        sha256: Its digest: that the stores of two nodes differ is found, and answered by nobody.
    """

    name: str
    version: int
    sha256: str

    @classmethod
    def of(cls, package: Package) -> "PackageKey":
        """The key of a package that was verified."""
        return cls(package.manifest.name, package.manifest.version, package.sha256)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class OpenedPackage:
    """A package that has given its golden answer on a predictor replica.

    Attributes:
        provider: Execution provider in use there.
    """

    provider: str


@dataclass(frozen=True)
class Question:
    """One call of a graph.

    Attributes:
        package: Which graph.
        image: [B, 1, D, H, W].
        values: [B, F].
        missing: [B, F].
        urgency: Of the case, as its ticket says.
        remaining_s: Seconds for which the answer is of use; None for ever. No moment is sent: clocks of machines differ.
    """

    package: PackageKey
    image: Float32[np.ndarray, "B 1 D H W"]
    values: Float32[np.ndarray, "B F"]
    missing: Float32[np.ndarray, "B F"]
    urgency: Urgency
    remaining_s: float | None
