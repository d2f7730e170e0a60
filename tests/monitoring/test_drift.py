"""A stream that shifts raises the gauge and the alert of what shifted and no other; one that does not raises none."""

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.registry import Collector
from sqlalchemy import update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from app.metrics import Metrics
from app.model_package.package import Package
from app.model_package.training_summary import TRAINING_SUMMARY, TrainingSummary
from app.monitoring.drift import DriftWatch
from app.monitoring.observation import observe, reference_of
from app.monitoring.window import MOST_CASES, Drift, ShareNow, drifts, shares
from app.predictions.answer import Answer
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from app.records.tables import PredictionRow
from tests.monitoring import stream
from tests.monitoring.stream import Shift, Stream
from tests.support.promtool import failures_of_rules
from tests.support.records import tables_at
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)
SHA256 = "0" * 64
SHIFTS: dict[Shift, set[tuple[str, str]]] = {
    stream.unshifted: set(),
    stream.older: {("NeuroFuseRecordDrift", "age")},
    stream.no_glucose: {("NeuroFuseMissingDrift", "glucose")},
    stream.thicker: {("NeuroFuseSpacingDrift", "slice_mm")},
    stream.brighter: {("NeuroFuseIntensityDrift", "p75"), ("NeuroFuseIntensityDrift", "p99")},
    stream.stranger: {("NeuroFuseEmbeddingDrift", "distance")},
    stream.silent: {("NeuroFuseAbstentionShift", "abstained")},
}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """What the tiny package would be, had it been trained on such a stream."""
    folder = tmp_path_factory.mktemp("package")
    (folder / TRAINING_SUMMARY).write_text(Stream(MANIFEST, seed=1).summary().model_dump_json())
    return Package(folder, MANIFEST, SHA256)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    store = RecordStore(tables_at(tmp_path / "records.sqlite3"))
    yield store
    store.close()


def keep(records: RecordStore, answers: Iterable[Answer]) -> None:
    """As the service keeps them, in one transaction instead of one each."""
    with Session(records.engine) as session, session.begin():
        session.add_all(PredictionRow(**vars(kept(answer))) for answer in answers)


def kept(answer: Answer) -> KeptPrediction:
    said = answer.prediction
    return KeptPrediction(
        id=answer.id,
        created=answer.created,
        model_name=answer.model.name,
        model_version=answer.model.version,
        model_sha256=answer.model.sha256,
        document=answer.model_dump_json(),
        task=answer.task,
        label=said.label,
        favourable=said.favourable,
        abstained=said.abstained,
        out_of_distribution=said.out_of_distribution.flagged,
    )


def spoil(records: RecordStore, answer: Answer) -> None:
    """Leave a document that no release can read."""
    with Session(records.engine) as session, session.begin():
        session.execute(update(PredictionRow).where(PredictionRow.id == answer.id).values(document="{"))


def send(watch: DriftWatch, records: RecordStore, source: Stream, shift: Shift, count: int) -> None:
    """So many cases of a stream."""
    answers = []
    for _ in range(count):
        case = shift(source.case(), source.chance)
        answers.append(source.answer(case))
        watch.see(answers[-1], source.image(case))
    keep(records, answers)


def gauges(watch: Collector) -> dict[str, float]:
    """Every sample as Prometheus writes it."""
    return {
        f"{sample.name}{{{','.join(f'{name}={json.dumps(value)}' for name, value in sample.labels.items())}}}": sample.value
        for family in watch.collect()
        for sample in family.samples
    }


def as_rule_test(name: str, series: dict[str, str], raised: set[tuple[str, str]], at: str) -> dict[str, Any]:
    """What promtool is to find: which alerts were ever raised, and of what."""
    labels = [
        f'{{alertname="{alert}"' + (f', measure="{measure}"' if measure else "") + "}"
        for alert, measure in sorted(raised)
    ]
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count by (alertname, measure) (max_over_time(ALERTS{{alertstate="firing",severity="clinical"}}[{at}]))',
                "eval_time": at,
                "exp_samples": [{"labels": each, "value": 1} for each in labels],
            }
        ],
    }


def test_each_shift_raises_its_own_alert_and_no_other(package: Package, tmp_path: Path) -> None:
    tests = []
    for number, (shift, raised) in enumerate(SHIFTS.items()):
        records = RecordStore(tables_at(tmp_path / f"{number}.sqlite3"))
        watch = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
        watch.refresh()
        send(watch, records, Stream(MANIFEST, seed=10 + number), shift, 300)
        watch.refresh()
        series = {name: f"{value}x30" for name, value in gauges(watch).items()}
        tests.append(as_rule_test(shift.__name__, series, raised, "30m"))
        records.close()
    assert failures_of_rules(tmp_path, tests) == ""


def test_answers_that_are_too_sure_raise_the_alert_of_scores(
    package: Package, records: RecordStore, tmp_path: Path
) -> None:
    watch = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
    watch.refresh()
    send(watch, records, Stream(MANIFEST, seed=30), stream.surer, 300)
    watch.refresh()
    series = {name: f"{value}x30" for name, value in gauges(watch).items()}
    raised = {("NeuroFuseScoreDrift", "event"), ("NeuroFuseScoreDrift", "label")}
    assert failures_of_rules(tmp_path, [as_rule_test("surer", series, raised, "30m")]) == ""


def test_two_thousand_unshifted_cases_raise_nothing_at_any_time(
    package: Package, records: RecordStore, tmp_path: Path
) -> None:
    watch, source = (
        DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults),
        Stream(MANIFEST, seed=2),
    )
    watch.refresh()
    told: dict[str, list[str]] = defaultdict(list)
    step, minutes = 100, 16  # an alert waits fifteen minutes: each state is held for longer
    for number in range(2000 // step):
        send(watch, records, source, stream.unshifted, step)
        watch.refresh()
        for name, value in gauges(watch).items():
            # A state and its repetitions; of what was not told, none.
            told[name] += [f"_x{minutes}"] * (number - len(told[name])) + [f"{value}x{minutes - 1}"]
    series = {name: " ".join(values) for name, values in told.items()}
    assert len(series) > 100
    length = f"{minutes * 2000 // step}m"
    assert failures_of_rules(tmp_path, [as_rule_test("unshifted", series, set(), length)]) == ""


def test_a_small_window_says_nothing(package: Package, records: RecordStore) -> None:
    watch = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
    watch.refresh()
    send(watch, records, Stream(MANIFEST, seed=3), stream.older, 99)
    watch.refresh()
    assert {name.split("{")[0] for name in gauges(watch)} == {"neurofuse_window_cases"}


def test_a_package_without_a_summary_has_no_gauge_rather_than_a_wrong_one(
    tmp_path: Path, records: RecordStore
) -> None:
    watch = DriftWatch(
        records.predictions, lambda: [Package(tmp_path, MANIFEST, SHA256)], Metrics().watch_faults
    )
    watch.refresh()
    send(watch, records, Stream(MANIFEST, seed=4), stream.older, 200)
    watch.refresh()
    drifts = [name for name in gauges(watch) if name.startswith("neurofuse_drift{")]
    assert len(drifts) == 1
    assert 'kind="embedding"' in drifts[0]
    expected = [name for name in gauges(watch) if name.startswith("neurofuse_share_expected{")]
    assert len(expected) == 1
    assert 'measure="out_of_distribution"' in expected[0]
    # What needs nothing to compare with is told all the same.
    assert any('kind="missing",measure="age"' in name for name in gauges(watch))


def test_a_package_whose_summary_cannot_be_read_is_watched_without_and_the_others_as_ever(
    package: Package, tmp_path: Path, records: RecordStore
) -> None:
    (tmp_path / TRAINING_SUMMARY).write_text('{"schema_version": 2, "distributions": [], "shares": []}')
    spoilt = Package(tmp_path, tiny_manifest("gos", "spoilt", 1), "1" * 64)
    watch = DriftWatch(records.predictions, lambda: [package, spoilt], Metrics().watch_faults)
    for each in (package, spoilt):
        source = Stream(each.manifest, seed=11)
        keep(records, [source.answer(source.case()) for _ in range(200)])
    with capture_logs() as lines:
        watch.refresh()
        watch.refresh()
    assert [(line["event"], line["model"]) for line in lines] == [("summary-unreadable", "spoilt@1")]
    drifts = [name for name in gauges(watch) if name.startswith("neurofuse_drift{")]
    assert any('model_name="gos"' in name and 'kind="record"' in name for name in drifts)
    assert ['kind="embedding"' in name for name in drifts if 'model_name="spoilt"' in name] == [True]


def test_an_absurd_number_in_a_summary_costs_no_other_package_its_gauges(
    package: Package, tmp_path: Path, records: RecordStore
) -> None:
    summary = json.loads((package.path / TRAINING_SUMMARY).read_bytes())
    summary["distributions"][0]["n"] = 10**400  # a whole number, and beyond every float
    (tmp_path / TRAINING_SUMMARY).write_text(json.dumps(summary))
    absurd = Package(tmp_path, tiny_manifest("gos", "absurd", 1), "1" * 64)
    watch = DriftWatch(records.predictions, lambda: [absurd, package], Metrics().watch_faults)
    for each in (package, absurd):
        source = Stream(each.manifest, seed=13)
        keep(records, [source.answer(source.case()) for _ in range(200)])
    with capture_logs() as lines:
        watch.refresh()
    assert [(line["event"], line["model"]) for line in lines] == [("watch-fault", "absurd@1")]
    drifts = [name for name in gauges(watch) if name.startswith("neurofuse_drift{")]
    assert {'model_name="gos"' in name for name in drifts} == {True}


def test_a_restart_forgets_nothing_but_brightness(package: Package, records: RecordStore) -> None:
    first = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
    first.refresh()
    send(first, records, Stream(MANIFEST, seed=5), stream.older, 150)
    first.refresh()
    second = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
    second.refresh()
    lost = set(gauges(first)) - set(gauges(second))
    assert lost
    assert all('kind="intensity"' in name for name in lost)
    assert gauges(second).items() <= gauges(first).items()


def test_brightness_counts_from_the_first_case_on(package: Package, records: RecordStore) -> None:
    watch = DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults)
    send(watch, records, Stream(MANIFEST, seed=8), stream.unshifted, 100)
    watch.refresh()
    assert (
        sum(name.startswith("neurofuse_drift{") and 'kind="intensity"' in name for name in gauges(watch)) == 2
    )


def test_a_package_that_is_no_longer_served_is_forgotten(package: Package, records: RecordStore) -> None:
    served = [package]
    watch, source = (
        DriftWatch(records.predictions, lambda: served, Metrics().watch_faults),
        Stream(MANIFEST, seed=9),
    )
    watch.refresh()
    served.clear()
    watch.refresh()
    case = source.case()
    watch.see(source.answer(case), source.image(case))
    assert gauges(watch) == {}


def test_an_answer_that_was_deleted_is_no_longer_counted(package: Package, records: RecordStore) -> None:
    watch, source = (
        DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults),
        Stream(MANIFEST, seed=6),
    )
    answers = [source.answer(source.case()) for _ in range(3)]
    keep(records, answers)
    watch.refresh()
    records.predictions.delete(answers[0].id)
    watch.refresh()
    assert [value for name, value in gauges(watch).items() if "window_cases" in name] == [2]


def test_an_answer_that_cannot_be_read_is_left_out_and_the_others_count(
    package: Package, records: RecordStore
) -> None:
    watch, source = (
        DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults),
        Stream(MANIFEST, seed=12),
    )
    answers = [source.answer(source.case()) for _ in range(3)]
    keep(records, answers)
    spoil(records, answers[0])
    with capture_logs() as lines:
        watch.refresh()
        watch.refresh()
    assert [value for name, value in gauges(watch).items() if "window_cases" in name] == [2]
    assert [(line["event"], line["model"], line["count"]) for line in lines] == [
        ("answers-unreadable", "gos@1", 1)
    ]


def test_no_value_of_a_record_is_in_a_gauge(package: Package, records: RecordStore) -> None:
    watch, source = (
        DriftWatch(records.predictions, lambda: [package], Metrics().watch_faults),
        Stream(MANIFEST, seed=7),
    )
    keep(records, [source.answer(source.case()) for _ in range(120)])
    watch.refresh()
    names = {each.name for each in MANIFEST.ehr.features}
    labels = {
        value for family in watch.collect() for sample in family.samples for value in sample.labels.values()
    }
    known = {"gos", "1", "record", "spacing", "intensity", "embedding", "score", "missing", "answer"}
    measures = {"in_plane_mm", "slice_mm", "distance", "event", "label", "image_share", "abstained"}
    assert labels <= known | measures | names | {"out_of_distribution"}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("NEUROFUSE_LONG"), reason="minutes: set NEUROFUSE_LONG")
def test_a_hundred_thousand_unshifted_cases_cross_the_line_of_no_alert(package: Package) -> None:
    """Fifty streams of 2,000 cases: what is told as chance is not exceeded by chance."""
    summary = TrainingSummary.model_validate_json((package.path / TRAINING_SUMMARY).read_bytes())
    reference = reference_of(MANIFEST, summary)
    beyond: list[Drift | ShareNow] = []
    for seed in range(50):
        source = Stream(MANIFEST, seed=1000 + seed)
        seen = [observe(source.answer(source.case()), reference) for _ in range(2000)]
        for end in range(100, 2001, 100):
            window = seen[max(0, end - MOST_CASES) : end]
            beyond += [each for each in drifts(reference, window) if each.index > each.by_chance]
            beyond += [
                each for each in shares(reference, window) if abs(each.shift or 0) > (each.by_chance or 9)
            ]
    assert len(beyond) <= 2
