"""Make a package ready on the provider that was asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from app.cpus import usable_cpus
from app.errors import NeuroFuseError, OverloadedError
from app.inference.batching import BatchedSession, BatchPolicy
from app.inference.cpu_session import CpuSession, answers_alike
from app.inference.graph_session import GraphSession
from app.inference.onnx_runtime.providers import Provider
from app.inference.onnx_runtime.session import OnnxSession
from app.inference.predictor import Predictor
from app.inference.self_test import self_test
from app.inference.sized_session import SizedSession
from app.inference.warm_up import SIZES, exercise, fastest_run_s, warm_up
from app.metrics import Metrics
from app.model_package.package import Package
from app.model_package.training_summary import load_training_summary
from app.serving.entry import StartPredictor
from app.settings import Settings

MOST_THREADS: Final = 4
"""Of one inference, where the operator does not choose: small convolutions gain little by more, other cases do."""
LEAST_GAIN: Final = 1.05
"""Times as fast as without that a run with CUDA graphs must be, where they are kept: they cost memory and a start that takes longer."""


@dataclass(frozen=True)
class Gathering:
    """How cases share runs of the graph, as far as it is chosen beforehand.

    Attributes:
        max_batch: Cases of the largest batch; 0 leaves the choice to a measurement at the start.
        wait_s: Longest time a batch with room waits for others; None leaves the choice to the same measurement.
        metrics: Where runs are counted, if anywhere.
    """

    max_batch: int = 0
    wait_s: float | None = None
    metrics: Metrics | None = None


MEASURED: Final = Gathering()
log = structlog.stdlib.get_logger(__name__)


def start_as_set(
    settings: Settings, cpus: int | None = None, metrics: Metrics | None = None
) -> StartPredictor:
    """How a process makes packages ready that takes many cases.

    Args:
        settings: The operator's choices, see `start_with`.
        cpus: CPUs that are ours, where the machine is shared; by default those this process may use.
        metrics: Where runs of the graph are counted, if anywhere.
    """
    return start_with(
        settings.provider,
        settings.threads,
        devices=tuple(map(int, settings.devices.split(","))),
        cpus=cpus,
        gathering=Gathering(
            settings.max_batch, None if settings.batch_wait_ms < 0 else settings.batch_wait_ms / 1000, metrics
        ),
        cuda_graphs=settings.cuda_graphs,
    )


def starter_alone(settings: Settings) -> StartPredictor:
    """How a command makes a package ready that answers one case after another: on one device, in runs of one case."""
    device = int(settings.devices.split(",")[0])
    return start_with(
        settings.provider, settings.threads, devices=(device,), gathering=Gathering(max_batch=1)
    )


def start_with(
    provider: Provider,
    threads: int,
    *,
    devices: Sequence[int] = (0,),
    cpus: int | None = None,
    gathering: Gathering = MEASURED,
    cuda_graphs: bool = False,
) -> StartPredictor:
    """How packages are made ready.

    Args:
        provider: Execution provider; falling back to another one is refused, never silent.
        threads: Threads of one inference; 0 for one per usable CPU, at most `MOST_THREADS`, for a case that comes alone, and
            for one each where cases meet (`app.inference.cpu_session`); for one on a GPU, beside which they would idle.
        devices: Numbers of the GPUs, each with a session of its own. A CPU has as many sessions as its cores have room for.
        cpus: CPUs that are ours, where the machine is shared; by default those this process may use.
        gathering: How cases share runs. Where it leaves the choice, a GPU is measured; a CPU answers two cases in twice the time of
            one, so it is given one at a time, and its answers stay the same to the last bit whoever asks beside.
        cuda_graphs: Whether CUDA graphs are tried, and kept where a run gains by them.

    Returns:
        A function from a verified package to a predictor that has given its golden answer. Each of its sessions has met every size that
        its runs will have; one that the device has no memory for is refused here, not under load.
    """
    ours = cpus or usable_cpus()
    threads_each = threads or (min(ours, MOST_THREADS) if provider == "cpu" else 1)
    places = [0] * max(1, ours // threads_each) if provider == "cpu" else devices

    def start(package: Package) -> Predictor:
        load_training_summary(package)  # what cannot be watched later is refused now
        openers = [
            partial(OnnxSession, package, provider=provider, threads=threads_each, device=device)
            for device in places
        ]
        sessions: list[GraphSession] = [
            opened() if provider == "cpu" else SizedSession(opened) for opened in openers
        ]
        policy = _measured(sessions[0], package, provider, gathering)
        if cuda_graphs and provider == "cuda":
            sessions = [
                captured_where_faster(session, partial(opened, captured=policy.sizes), package)
                for session, opened in zip(sessions, openers, strict=True)
            ]
            # With graphs a case that comes alone gains most, so larger batches bring less; of these, none is larger than what is captured.
            policy = _measured(sessions[0], package, provider, gathering, policy.max_batch)
        _exercised(sessions, package, policy)
        narrows = provider == "cpu" and not threads and threads_each > 1
        lanes = _narrowed(sessions, package, threads_each, ours) if narrows else sessions
        predictor = Predictor(package, BatchedSession(lanes, policy, _observer(package, gathering.metrics)))
        self_test(predictor)
        log.info(
            "package-warm",
            model=str(package.manifest.reference),
            lanes=len(lanes),
            max_batch=policy.max_batch,
            max_wait_ms=round(1000 * policy.max_wait_s, 1),
        )
        return predictor

    return start


def _measured(
    session: GraphSession, package: Package, provider: Provider, gathering: Gathering, most: int = SIZES[-1]
) -> BatchPolicy:
    """The operator's choices before the measurement's; a CPU gains nothing by shapes that it has met before."""
    most = gathering.max_batch or (1 if provider == "cpu" else most)
    measured = warm_up(session, package.manifest, most)
    chosen = gathering.max_batch or measured.max_batch
    sizes = () if provider == "cpu" else tuple(sorted({*(size for size in SIZES if size < chosen), chosen}))
    if isinstance(session, SizedSession):
        session.keep(sizes)
    wait_s = measured.max_wait_s if gathering.wait_s is None else gathering.wait_s
    return replace(measured, max_batch=chosen, max_wait_s=wait_s, sizes=sizes)


def _exercised(sessions: Sequence[GraphSession], package: Package, policy: BatchPolicy) -> None:
    """Have each session meet every size; the first has met those that were measured, which end where they no longer pay.

    Raises:
        OverloadedError: A device has no memory for one of them.
    """
    sizes = policy.sizes or (1,)
    try:
        exercise(sessions[0], package.manifest, (size for size in sizes if size not in policy.run_s))
        for session in sessions[1:]:
            exercise(session, package.manifest, sizes)
    except OverloadedError as error:
        raise OverloadedError(
            f"Expected memory on every device for runs of {policy.max_batch} cases; one has less. Set NEUROFUSE_MAX_BATCH lower."
        ) from error


def _narrowed(
    sessions: Sequence[GraphSession], package: Package, threads: int, cores: int
) -> Sequence[GraphSession]:
    """A lane for each core, where a run in one thread gives the same answers; else the sessions as they are."""
    narrow = OnnxSession(package, threads=1)
    if answers_alike(sessions[0], narrow, package.manifest):
        return [CpuSession(sessions, narrow, threads, cores)] * cores
    log.info("cpu-threads-differ", model=str(package.manifest.reference), threads=threads)
    narrow.close()
    return sessions


def captured_where_faster(
    plain: GraphSession, open_captured: Callable[[], GraphSession], package: Package
) -> GraphSession:
    """A session with CUDA graphs where these can be had and bring something, else the plain one; the other is closed.

    Args:
        plain: Without.
        open_captured: Opens the same and captures them; refused where the graph has nodes that do not run on the GPU.
        package: Theirs.

    Raises:
        ServiceError: As `GraphSession.run`, of the plain session.
    """
    plain_s = fastest_run_s(plain, package.manifest, 1)
    captured: GraphSession | None = None
    try:
        captured = open_captured()
        gain = plain_s / fastest_run_s(captured, package.manifest, 1)
    except NeuroFuseError as error:
        log.warning("cuda-graphs-refused", model=str(package.manifest.reference), code=error.code)
        gain = 0.0
    log.info(
        "cuda-graphs-tried",
        model=str(package.manifest.reference),
        gain=round(gain, 2),
        kept=gain >= LEAST_GAIN,
    )
    kept, other = (captured, plain) if captured is not None and gain >= LEAST_GAIN else (plain, captured)
    if other is not None:
        other.close()
    return kept


def _observer(package: Package, metrics: Metrics | None) -> Callable[[int], None]:
    return (
        (lambda _cases: None)
        if metrics is None
        else metrics.batch_cases.labels(package.manifest.name).observe
    )
