"""The service on two Ray nodes beside the service on one; then one of the two is killed under load.

Both nodes are on this machine and share its cores, so two of them cannot be faster here: the ratio tells what the second node costs.
"""

import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import httpx
from rich.console import Group, RenderableType
from rich.table import Table

from benchmarks.cases import ROOT, head_ct
from benchmarks.load import Body, Load, attack, case_body, percentile_ms, zip_of
from benchmarks.ray_cluster import Node, RayCluster
from benchmarks.service import MODEL, RECORD, store_of_one
from tests.support.postgres import Postgres, start_postgres

RAY_BINARIES: Final = ROOT / ".venv-ray" / "bin"
ROUNDS: Final = 3
CLIENTS: Final = 4
A_ROUND: Final = 24
CPUS: Final = 4
"""Of a node, as Ray counts them: room for its replicas, whatever this machine has."""
KILLED_AFTER_S: Final = 10.0
LASTING_S: Final = 60.0
RETRY_WITHIN_S: Final = 60.0
RETRY_PAUSE_S: Final = 0.25
ANSWER_WITHIN_S: Final = 30.0
NOTE: Final = (
    "{case}, heatmap=none, {clients} clients; cases a second, medians of {rounds} rounds of {each} in turns. A node has one ingress replica "
    "and one predictor replica; records in one PostgreSQL. All nodes share this machine's cores."
)
KILL_NOTE: Final = (
    "{clients} clients for {lasting:.0f} s, who ask the next node where one does not answer; after {killed:.0f} s SIGKILL to every process "
    "of one node. An attempt fails by a broken or refused connection, or by a status of 500 and above."
)


@dataclass(frozen=True)
class Asked:
    """One request of a client that retries.

    Attributes:
        began_s: Since the first of all.
        took_s: With all its attempts.
        attempts: Their number.
        node: That answered; None where none did in time.
        prediction: Id of the answer.
    """

    began_s: float
    took_s: float
    attempts: int
    node: str | None
    prediction: str | None


def run(rounds: int) -> RenderableType:
    """Compare, then kill.

    Args:
        rounds: That count.
    """
    with tempfile.TemporaryDirectory(prefix="nf-ray-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # PostgreSQL runs as a user of its own
        case = head_ct()
        image = zip_of(case.paths, scratch / "case.zip")
        body = case_body(scratch / "body", [image], RECORD, model=MODEL)
        with (
            _postgres(scratch) as postgres,
            _cluster(scratch / "1", postgres, 1) as one,
            _cluster(scratch / "2", postgres, 2) as two,
        ):
            speed = _speeds(one, two, body, rounds)
            asked = _while_one_is_killed(two, body)
            kept = _found(two[0], asked)
    speed.caption = NOTE.format(case=case.name, clients=CLIENTS, rounds=rounds, each=A_ROUND)
    return Group(speed, _killed_table(asked, kept))


def _speeds(one: Sequence[Node], two: Sequence[Node], body: Body, rounds: int) -> Table:
    _, *taken = [
        (_per_s(one, body), _per_s(two, body)) for _ in range(rounds + 1)
    ]  # the first does not count
    table = Table("one node", "two nodes", "ratio", title="Cases a second on Ray Serve")
    firsts, seconds = zip(*taken, strict=True)
    ratio = median(second / first for first, second in taken)
    table.add_row(f"{median(firsts):.2f}", f"{median(seconds):.2f}", f"{ratio:.2f} x")
    return table


def _per_s(nodes: Sequence[Node], body: Body) -> float:
    load = Load(CLIENTS // len(nodes), A_ROUND // len(nodes))
    with ThreadPoolExecutor(len(nodes)) as threads:
        answers = list(threads.map(lambda node: attack(f"{node.url}/predict", body, load), nodes))
    if failed := sum(each.failed for each in answers):
        raise RuntimeError(f"{failed} requests failed while nobody was killed")
    return A_ROUND / max(each.wall_s for each in answers)


def _while_one_is_killed(nodes: Sequence[Node], body: Body) -> list[Asked]:
    began_s = time.monotonic()
    with ThreadPoolExecutor(CLIENTS + 1) as threads:
        clients = [
            threads.submit(partial(_client, nodes, body, began_s, first=number)) for number in range(CLIENTS)
        ]
        time.sleep(KILLED_AFTER_S)
        nodes[-1].process.kill()
        return sorted((asked for each in clients for asked in each.result()), key=lambda asked: asked.began_s)


def _client(nodes: Sequence[Node], body: Body, began_s: float, first: int) -> list[Asked]:
    """Ask one case after the other; begin at another node than one's neighbour, and leave it where it does not answer."""
    urls = deque(node.url for node in nodes)
    urls.rotate(first)
    asked = []
    with httpx.Client(timeout=ANSWER_WITHIN_S) as client:
        while (now_s := time.monotonic()) < began_s + LASTING_S:
            asked.append(_ask(client, urls, body, now_s - began_s))
    return asked


def _ask(client: httpx.Client, urls: deque[str], body: Body, began_s: float) -> Asked:
    content, headers = body.path.read_bytes(), {"Content-Type": body.content_type}
    started_s, attempts = time.monotonic(), 0
    while time.monotonic() < started_s + RETRY_WITHIN_S:
        attempts += 1
        try:
            answer = client.post(f"{urls[0]}/predict", content=content, headers=headers)
        except httpx.TransportError:
            answer = None
        if answer is not None and not answer.is_server_error:
            node = answer.raise_for_status().headers["X-Served-By"].partition("/")[0]
            return Asked(began_s, time.monotonic() - started_s, attempts, node, answer.json()["id"])
        urls.rotate()
        time.sleep(RETRY_PAUSE_S)
    return Asked(began_s, time.monotonic() - started_s, attempts, None, None)


def _found(node: Node, asked: Sequence[Asked]) -> int:
    """How many of the answers can be looked up at the node that is left."""
    ids = [each.prediction for each in asked if each.prediction]
    with httpx.Client(base_url=node.url, timeout=ANSWER_WITHIN_S) as client:
        return sum(client.get(f"/predictions/{each}").is_success for each in ids)


def _killed_table(asked: Sequence[Asked], kept: int) -> Table:
    table = Table("", "before", "after", title="One of two nodes killed under load")
    table.caption = KILL_NOTE.format(clients=CLIENTS, lasting=LASTING_S, killed=KILLED_AFTER_S)
    # Who was under way at the kill counts as after it.
    before = [each for each in asked if each.began_s + each.took_s <= KILLED_AFTER_S]
    after = [each for each in asked if each.began_s + each.took_s > KILLED_AFTER_S]
    told = (before, after)
    table.add_row("requests", *(str(len(each)) for each in told))
    table.add_row("never answered", *(str(sum(one.node is None for one in each)) for each in told))
    table.add_row("attempts that failed", *(str(sum(one.attempts - 1 for one in each)) for each in told))
    table.add_row("answered by node", *(_by_node(each) for each in told))
    for name, share in (("p50", 0.5), ("longest", 1.0)):
        table.add_row(
            name, *(f"{percentile_ms([one.took_s for one in each], share):.0f} ms" for each in told)
        )
    table.add_row(
        "answers found afterwards", "", f"{kept} of {sum(each.prediction is not None for each in asked)}"
    )
    return table


def _by_node(asked: Sequence[Asked]) -> str:
    return ", ".join(
        str(count) for _, count in sorted(Counter(each.node for each in asked if each.node).items())
    )


@contextmanager
def _postgres(scratch: Path) -> Iterator[Postgres]:
    folder = scratch / "postgres"
    folder.mkdir()
    server = start_postgres(folder)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def _cluster(folder: Path, postgres: Postgres, nodes: int) -> Iterator[list[Node]]:
    """A cluster with a replica of each kind on every node."""
    folder.mkdir()
    cluster = RayCluster(
        RAY_BINARIES,
        folder,
        model_store=store_of_one(folder / "store"),
        data=folder / "data",
        queue_limit=16,  # as deploy/ray/serve.yaml has it
        artefacts=folder / "artefacts",
        database_url=postgres.make_database(),
        log_level="ERROR",
    )
    running = [cluster.start_head(CPUS)]
    try:
        running += [cluster.start_worker(CPUS) for _ in range(nodes - 1)]
        each = {"num_replicas": nodes, "max_replicas_per_node": 1, "ray_actor_options": {"num_cpus": 2}}
        cluster.deploy({"Ingress": each, "Predictor": each})
        for node in running:
            node.process.wait_until(f"{node.url}/readyz")
        yield running
    finally:
        for node in running:
            node.process.kill()
