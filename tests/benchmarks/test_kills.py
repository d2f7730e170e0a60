"""Jobs that are accepted while the service is killed."""

from pathlib import Path

from benchmarks.kills import kill_again_and_again
from benchmarks.load import case_body
from benchmarks.service import MODEL, RECORD


def test_what_was_accepted_before_a_kill_is_answered_after_it(
    tiny_store: Path, head_ct: Path, tmp_path: Path
) -> None:
    body = case_body(tmp_path / "body", [head_ct], RECORD, model=MODEL)
    reckoning = kill_again_and_again(tiny_store, tmp_path / "var", body, kills=1, database_url="")
    assert reckoning.kills == 1
    assert reckoning.sent > 0
    assert all(len(jobs) == 1 for jobs in reckoning.accepted.values())
    assert (reckoning.lost, reckoning.doubled, reckoning.strays) == (0, 0, 0)
