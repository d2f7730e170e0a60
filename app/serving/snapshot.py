"""What a process serves at one moment: its packages and what names mean, read together and replaced together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import UnknownModelError
from app.inference.predictor import Predictor
from app.model_package.manifest import Task
from app.model_package.naming import Reference
from app.serving.entry import Entry, State
from app.serving.routing import Meaning, Routing


@dataclass(frozen=True)
class Snapshot:
    """A moment of a catalogue; between what a name means and who answers nothing can come.

    Attributes:
        entries: Every package.
        routing: What names mean.
        lagging: Names of packages that mean what they do because what they should mean cannot be loaded.
    """

    entries: Mapping[Reference, Entry] = field(default_factory=dict)
    routing: Routing = field(default_factory=Routing)
    lagging: frozenset[str] = frozenset()

    @property
    def ready(self) -> bool:
        """Whether every name has a meaning that answers, nothing found at the start is still loading, and every change was followed."""
        answering = self.routing.answering()
        return (
            bool(answering)
            and not self.lagging
            and all(self.state(reference) is State.READY for reference in answering)
            and all(self.state(reference) is not State.LOADING for reference in self.routing.in_service)
        )

    def state(self, reference: Reference) -> State | None:
        """How far a package has come; None where there is no such one."""
        entry = self.entries.get(reference)
        return entry.state if entry else None

    def wanted(self) -> frozenset[Reference]:
        """Versions that something needs, or would need if they could be loaded."""
        late = (reference for reference in self.entries if reference.name in self.lagging)
        return self.routing.needed().union(late)

    def holds(self, entry: Entry) -> bool:
        """Whether a package stays known though it may be gone from the store: it is open, or something needs it."""
        return entry.state in (State.READY, State.LOADING) or entry.reference in self.wanted()

    def find(self, model: str, key: str | None = None) -> tuple[Entry, Meaning]:
        """Find what a name means; see `app.serving.catalogue.Catalogue.entry`.

        Raises:
            UnknownModelError: There is no such package.
        """
        meaning = self.routing.meaning(model, key)
        entry = self.entries.get(meaning.reference) if meaning else None
        if meaning is None or entry is None:
            raise UnknownModelError(
                "Expected the name of a package, name@version or name@alias; there is no such one. See GET /models.",
                known=[*map(str, sorted(self.entries)), *sorted(map(str, self.routing.aliases.values()))],
            )
        return entry, meaning

    def name_for_task(self, task: Task) -> str:
        """The name of the package that answers a task: the task's own, else that of the only one that does.

        Raises:
            UnknownModelError: None does, or several do and none bears the task's name.
        """
        names = self.routing.names()
        if task in names:
            return task
        answering = [name for name in sorted(names) if self._answers(name, task)]
        if len(answering) != 1:
            raise UnknownModelError(
                f"Expected one package for task `{task}`; {len(answering)} answer it. Name one in the part `model`.",
                known=answering,
            )
        return answering[0]

    def shadows_of(self, reference: Reference) -> list[Predictor]:
        """The packages that are compared with the answers of this one, those that are ready."""
        shadows = (self.entries.get(each) for each in self.routing.shadows_of(reference))
        return [entry.predictor for entry in shadows if entry and entry.predictor]

    def _answers(self, name: str, task: Task) -> bool:
        meaning = self.routing.meaning(name)
        entry = self.entries.get(meaning.reference) if meaning else None
        return entry is not None and entry.manifest is not None and entry.manifest.task == task
