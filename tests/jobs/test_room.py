"""What is set is what the parts of a process go by."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.identifiers import uuid7
from app.jobs.request import upload_name
from app.jobs.room import leftovers_of
from app.jobs.sweep import JobSweep
from app.records.remote_artefacts import open_artefacts, patience_s
from app.settings import Settings
from tests.jobs.conftest import Parts

SLICES = 8


def test_what_a_slow_store_is_still_taking_is_not_left_over(parts: Parts, tmp_path: Path) -> None:
    artefacts = open_artefacts(f"memory://{tmp_path.name}/slow", tmp_path, tmp_path)
    settings, now_s = Settings(), [0.0]
    sweep = JobSweep(
        parts.records,
        replace(parts.worker, artefacts=artefacts),
        timedelta(days=30),
        leftovers_of(settings, lambda: now_s[0]),
    )
    job_id, source = str(uuid7()), tmp_path / "source"
    for number in range(SLICES):
        # One after the other, as long as the store may take for the largest case that is let in.
        source.touch()
        artefacts.put(f"{upload_name(job_id)}/{number:06d}", source)
        assert sweep.sweep() == 0
        now_s[0] += patience_s(settings.max_unpacked_bytes) / SLICES
    assert len(list(artefacts.names(upload_name(job_id)))) == SLICES, "then comes its row"
    now_s[0] += 600
    assert sweep.sweep() == 1
    assert not list(artefacts.names(upload_name(job_id)))
