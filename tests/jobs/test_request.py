"""A case comes back from a job as it went in; two requests are the same where they ask the same of the same bytes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.jobs.request import fingerprint, read_request, write_request
from app.predictions.case import Case
from app.records.jobs import Job

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
RECORDS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text(), max_size=4)


@given(RECORDS, st.sampled_from(("native", "model", "none")), st.none() | st.text(), st.booleans())
def test_a_case_comes_back_as_it_was_asked(
    tmp_path_factory: Any, record: dict[str, object], heatmap: Any, series: str | None, keep_image: bool
) -> None:
    folder: Path = tmp_path_factory.getbasetemp() / "asked"
    folder.mkdir(exist_ok=True)
    for name in ("000001", "000000"):
        (folder / name).touch()
    asked = Case(
        (folder / "000000", folder / "000001"),
        record,
        heatmap,
        series,
        "ehr",
        keep_image=keep_image,
        reference="K",
    )
    kept = Job("a", "running", 2, "gos", 1, write_request(asked), NOW, NOW, 3, reference="K")
    found = read_request(kept, folder)
    assert (found, found.id) == (asked, "a")


def test_the_order_and_the_names_of_files_do_not_matter_but_every_byte_and_word_does(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path, content in zip(paths, (b"1", b"2", b"1"), strict=True):
        path.write_bytes(content)
    one, two, three = paths
    same = fingerprint({"task": "gos", "ehr": "{}"}, [one, two])
    assert fingerprint({"ehr": "{}", "task": "gos"}, [two, three]) == same
    others = [
        fingerprint({"task": "gos"}, [one, two]),
        fingerprint({"task": "gos", "ehr": "{ }"}, [one, two]),
        fingerprint({"task": "gos", "ehr": "{}"}, [one]),
        fingerprint({"task": "gos", "ehr": "{}"}, [one, three]),
    ]
    assert len({same, *others}) == 5
