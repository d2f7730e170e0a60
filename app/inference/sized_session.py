"""Runs on a GPU: a session for each size of a run.

ONNX Runtime remembers how it convolves the last shape only: a run of another one makes the plans of cuDNN for every convolution anew, and so does the run after
it (onnxruntime#23006, about a millisecond each). Batches differ in size from run to run; opened once for each size, a graph keeps its plans.
"""

from collections.abc import Callable, Iterable

from app.inference.graph_session import Features, GraphSession, Images, RawOutputs


class SizedSession:
    """One graph on one device; called by one thread at a time.

    Args:
        open_session: Opens the graph; done at once, and where a size is first run.
    """

    def __init__(self, open_session: Callable[[], GraphSession]) -> None:
        self._open = open_session
        self._unused: list[GraphSession] = [open_session()]
        self._by_size: dict[int, GraphSession] = {}

    @property
    def provider(self) -> str:
        """Of all of them."""
        return self._all[0].provider

    def run(self, image: Images, values: Features, missing: Features) -> RawOutputs:
        """Answer a batch, as `GraphSession.run` does."""
        size = len(image)
        if size not in self._by_size:
            self._by_size[size] = self._unused.pop() if self._unused else self._open()
        return self._by_size[size].run(image, values, missing)

    def keep(self, sizes: Iterable[int]) -> None:
        """Close the sessions of all other sizes, which were only tried."""
        kept = {*sizes}
        for size in [size for size in self._by_size if size not in kept]:
            self._by_size.pop(size).close()

    def close(self) -> None:
        """Close every session."""
        for session in self._all:
            session.close()

    @property
    def _all(self) -> list[GraphSession]:
        return [*self._by_size.values(), *self._unused]
