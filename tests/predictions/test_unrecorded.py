"""Files that no row speaks of go, after a while; those of answers and of jobs that may be answered stay."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from app.data_folder.bounded_folders import KeepingLimits
from app.data_folder.case_store import CaseStore, KeptCase
from app.identifiers import uuid7
from app.predictions.heatmaps import Heatmaps
from app.predictions.unrecorded import Unrecorded
from app.records.artefacts import FolderArtefacts
from app.records.jobs import Job
from app.records.predictions import KeptPrediction
from app.records.store import RecordStore
from tests.support.records import tables_at

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
EVERY_S = 1000.0
JOB = Job(
    id="", state="queued", priority=2, model_name="gos", model_version=1, request="{}", created=NOW, due=NOW, chances=3
)  # fmt: skip


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    with closing(RecordStore(tables_at(tmp_path / "records.sqlite3"))) as store:
        yield store


def recorded(records: RecordStore) -> list[str]:
    """Ids of an answer, and of a job that may become one."""
    answer, job = str(uuid7()), str(uuid7())
    records.predictions.add(
        KeptPrediction(answer, NOW, "gos", 1, "0" * 64, "{}", "gos", "gos_4", 0.7, abstained=False, out_of_distribution=False)
    )  # fmt: skip
    records.jobs.add(replace(JOB, id=job))
    return [answer, job]


def unrecorded(records: RecordStore) -> list[str]:
    """Ids of a job that will not be answered any more, and of nothing."""
    dropped, nothing = str(uuid7()), str(uuid7())
    records.jobs.add(replace(JOB, id=dropped))
    records.jobs.cancel(dropped, NOW)
    return [dropped, nothing]


def test_a_case_without_an_answer_goes_at_the_second_look_and_the_others_stay(
    records: RecordStore, tmp_path: Path
) -> None:
    cases = CaseStore(tmp_path / "cases", KeepingLimits(3600, 10**9))
    stay, go = recorded(records), unrecorded(records)
    for each in (*stay, *go):
        with cases.writing() as folder:
            cases.keep(each, KeptCase(np.zeros((1, 1, 1), np.float32), {}), folder)
    now_s = [0.0]
    sweep = Unrecorded(cases.ids, cases.delete, records.predictions.recorded, EVERY_S, lambda: now_s[0])
    for now_s[0], removed in ((0.0, 0), (EVERY_S - 1, 0), (EVERY_S, 2), (2 * EVERY_S, 0)):
        assert sweep.sweep() == removed
    assert set(cases.ids()) == set(stay)


def test_heatmaps_without_an_answer_go_too(records: RecordStore, tmp_path: Path) -> None:
    heatmaps = Heatmaps(FolderArtefacts(tmp_path))
    stay, go = recorded(records), unrecorded(records)
    for each in (*stay, *go):
        folder = tmp_path / "written" / each
        folder.mkdir(parents=True)
        for name in ("heatmap.nii.gz", "heatmap.png"):
            (folder / name).touch()
        heatmaps.keep(each, folder)
    now_s = [0.0]
    sweep = Unrecorded(heatmaps.ids, heatmaps.delete, records.predictions.recorded, EVERY_S, lambda: now_s[0])
    assert sweep.sweep() == 0
    now_s[0] = EVERY_S
    assert sweep.sweep() == 2
    assert heatmaps.ids() == set(stay)
