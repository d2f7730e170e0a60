"""The list that SQL gives is the list that a loop over every answer would give."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from app.records.database import open_database
from app.records.feedback import Feedback, FeedbackRecords
from app.records.predictions import KeptPrediction, PredictionRecords
from app.records.worklist import Entry, Page, Selection, Worklist
from tests.records.conftest import KINDS, Place

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
REFERENCES = (
    "K-17",
    "k-17/B",
    "100%",
    "100",
    "a_b",
    "axb",
    "a\\b",
    "a/b",
    "Ärzte",
    "%",
    "_",
    "'; --",
    "K",
    None,
)
TEXTS = ("", "k-17", "K", "%", "_", "100%", "a_", "\\", "/", "0193", "0193C2", "Ä", "'", "absent")
PACKAGES = (("gos", 1), ("gos", 2), ("gos-site", 1), ("ad", 1))


def population() -> list[Entry]:
    """Answers of four packages with every kind of reference and feedback; several share a moment or a value."""
    chance = random.Random(7)  # noqa: S311 - variety, not a secret
    return [_entry(number, chance) for number in range(90)]


def _entry(number: int, chance: random.Random) -> Entry:
    name, version = chance.choice(PACKAGES)
    task = name[:3].rstrip("-")
    agreement = chance.choice(("agree", "disagree", None))
    said = Feedback(agreement, None, "gos_1", START)  # type: ignore[arg-type]
    prediction = KeptPrediction(
        id=f"{chance.choice(('0193c2', '0193C4', 'feed'))}{number:030d}",
        created=START + timedelta(minutes=chance.randrange(20)),
        model_name=name,
        model_version=version,
        model_sha256=f"{version:064d}",
        document="{}",
        task=task,
        label=chance.choice(("gos_1", "gos_4") if task == "gos" else ("cn", "ad")),
        favourable=chance.choice((0.1, 0.7, 0.71)) if task == "gos" else None,
        abstained=chance.random() < 0.5,
        out_of_distribution=chance.random() < 0.5,
        reference=chance.choice(REFERENCES),
    )
    return Entry(prediction, said if chance.random() < 0.6 else None)


EVERYTHING = population()


@pytest.fixture(scope="module")
def sqlite(new_place: Callable[[str], Place]) -> Iterator[Engine]:
    yield from filled(new_place("sqlite"))


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Iterator[Engine]:
    yield from filled(new_place(request.param))


def filled(place: Place) -> Iterator[Engine]:
    engine = open_database(place)
    records, feedback = PredictionRecords(engine), FeedbackRecords(engine)
    for entry in EVERYTHING:
        records.add(entry.prediction)
        if entry.feedback is not None:
            feedback.put(entry.prediction.id, entry.feedback)
    yield engine
    engine.dispose()


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


def is_wanted(entry: Entry, selection: Selection) -> bool:
    """The filter as a plain function."""
    kept, said, text = entry.prediction, entry.feedback, ascii_lower(selection.text)
    feedback = {"none": said is None, "any": said is not None, None: True}
    agreement = said.agreement if said else None
    return all((
        ascii_lower(kept.id).startswith(text) or text in ascii_lower(kept.reference or "") or not text,
        selection.task in (None, kept.task),
        selection.model_name in (None, kept.model_name),
        selection.model_version in (None, kept.model_version),
        selection.label in (None, kept.label),
        feedback.get(selection.feedback, agreement == selection.feedback),
        selection.since is None or kept.created >= selection.since,
        selection.until is None or kept.created < selection.until,
    ))  # fmt: skip


def ordered(entries: list[Entry], page: Page) -> list[Entry]:
    """The order as a plain function."""

    def value(entry: Entry) -> Any:
        kept = entry.prediction
        return (kept.model_name, kept.model_version) if page.key == "model" else getattr(kept, page.key)

    def time(entry: Entry) -> tuple[datetime, str]:
        return entry.prediction.created, entry.prediction.id

    present = [entry for entry in entries if value(entry) is not None]
    absent = [entry for entry in entries if value(entry) is None]
    present.sort(key=lambda entry: (value(entry), *time(entry)), reverse=page.descending)
    absent.sort(key=time, reverse=page.descending)
    return present + absent


moments = st.none() | st.integers(-2, 22).map(lambda minutes: START + timedelta(minutes=minutes))
selections = st.builds(
    Selection,
    text=st.sampled_from(TEXTS) | st.text(alphabet="kK01-%_/\\ab", max_size=3),
    task=st.sampled_from((None, None, "gos", "ad")),
    model_name=st.sampled_from((None, None, "gos", "gos-site", "absent")),
    model_version=st.sampled_from((None, None, None, 1, 2)),
    label=st.sampled_from((None, None, "gos_4", "cn")),
    feedback=st.sampled_from((None, None, "none", "any", "agree", "disagree")),
    since=moments,
    until=moments,
)
pages = st.builds(
    Page,
    limit=st.integers(1, 100),
    offset=st.integers(0, 100),
    key=st.sampled_from(("created", "reference", "task", "model", "label", "favourable")),
    descending=st.booleans(),
)


@given(selections, pages)
@settings(max_examples=50)  # on each of the two databases
def test_a_page_is_the_part_of_the_filtered_and_sorted_list(
    engine: Engine, selection: Selection, page: Page
) -> None:
    wanted = ordered([entry for entry in EVERYTHING if is_wanted(entry, selection)], page)
    assert Worklist(engine).page(selection, page) == (
        wanted[page.offset : page.offset + page.limit],
        len(wanted),
    )


@given(selections, pages)
@settings(max_examples=50)  # on each of the two databases
def test_pages_one_after_another_hold_every_entry_once(
    engine: Engine, selection: Selection, page: Page
) -> None:
    worklist = Worklist(engine)
    step = max(page.limit, 10)
    whole, total = worklist.page(selection, Page(200, 0, page.key, page.descending))
    pieces = [
        worklist.page(selection, Page(step, offset, page.key, page.descending))[0]
        for offset in range(0, total, step)
    ]
    assert [entry for piece in pieces for entry in piece] == whole


@pytest.mark.parametrize("selection", [Selection(), Selection(task="gos", feedback="none"), Selection("17")])
@pytest.mark.parametrize("key", ["created", "favourable"])
def test_to_filter_sort_and_count_sqlite_reads_no_document(
    sqlite: Engine, selection: Selection, key: Any
) -> None:
    statements: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    event.listen(sqlite, "before_cursor_execute", remember)
    Worklist(sqlite).page(selection, Page(25, key=key))
    event.remove(sqlite, "before_cursor_execute", remember)
    steps: list[str] = []
    with sqlite.connect() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps += [row[3] for row in plan if row[3].split()[1].startswith("predictions")]
    scans = [step for step in steps if step.startswith("SCAN")]
    assert len(scans) == 2
    assert all("USING COVERING INDEX" in step for step in scans)
    assert all("(id=?)" in step for step in steps if step not in scans)
