"""Runs on a CPU: several threads for a case that comes alone, one for each where several meet.

Two threads answer a case sooner than one, and cost more processor time together (a fifth for the reference models on two cores): worth it while a core would
be idle, and a loss for everybody where none is.
"""

import threading
from collections.abc import Sequence

import numpy as np

from app.inference.graph_contract import input_shapes
from app.inference.graph_session import Features, GraphSession, Images, RawOutputs
from app.model_package.manifest import Manifest

SEED = 0


class CpuSession:
    """One graph, opened for few and for many; called by as many threads at once as there are cores.

    Args:
        wide: Sessions of several threads; each is used by one case at a time.
        narrow: A session of one thread, which any number of cases use at the same time. It gives the same answers to the last bit
            (`answers_alike`).
        threads: Of each of `wide`.
        cores: That there are.
    """

    def __init__(self, wide: Sequence[GraphSession], narrow: GraphSession, threads: int, cores: int) -> None:
        self._all = (*wide, narrow)
        self._wide = list(wide)
        self._narrow = narrow
        self._threads = threads
        self._free_cores = cores
        self._lock = threading.Lock()

    @property
    def provider(self) -> str:
        """Of both."""
        return self._narrow.provider

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch, as `GraphSession.run` does."""
        session, threads = self._take()
        try:
            return session.run(image, values, missing)
        finally:
            self._give_back(session, threads)

    def close(self) -> None:
        """Close every session."""
        for session in self._all:
            session.close()

    def _take(self) -> tuple[GraphSession, int]:
        with self._lock:
            is_wide = bool(self._wide) and self._free_cores >= self._threads
            session, threads = (self._wide.pop(), self._threads) if is_wide else (self._narrow, 1)
            self._free_cores -= threads
            return session, threads

    def _give_back(self, session: GraphSession, threads: int) -> None:
        with self._lock:
            self._free_cores += threads
            if session is not self._narrow:
                self._wide.append(session)


def answers_alike(one: GraphSession, other: GraphSession, manifest: Manifest) -> bool:
    """Whether two sessions answer a case with the same bits.

    In which order numbers are added depends on shapes and threads, not on the numbers; so a single noisy case tells for all.

    Raises:
        ServiceError: As `GraphSession.run`.
    """
    noise = np.random.default_rng(SEED)
    shapes = input_shapes(manifest)
    image = noise.uniform(-1000, 1000, (1, *shapes["image"])).astype(np.float32)
    values = noise.uniform(0, 100, (1, *shapes["ehr_values"])).astype(np.float32)
    missing = np.zeros((1, *shapes["ehr_missing"]), np.float32)
    theirs = other.run(image, values, missing).tensors()
    return all(
        np.array_equal(tensor, theirs[name])
        for name, tensor in one.run(image, values, missing).tensors().items()
    )
