"""The table of problems is complete and its codes are those of the contract."""

import pytest

from app import errors
from app.api.problems import INTERNAL, PROBLEM_TYPES, problem_type

CONTRACT = {
    400: {"malformed-request"},
    401: {"not-authenticated"},
    403: {"not-allowed", "cross-site", "sign-in-failed"},
    404: {"unknown-model", "unknown-prediction", "unknown-upload", "unknown-job", "unknown-batch", "not-found"},
    405: {"method-not-allowed"},
    409: {"package-in-use", "nothing-to-roll-back", "job-finished", "batch-closed", "idempotency-key-in-use"},
    410: {"case-expired", "job-cancelled"},
    413: {"upload-too-large", "archive-too-large"},
    415: {"unsupported-file", "unsupported-encoding"},
    422: {
        "corrupt-image", "no-usable-series", "mixed-series", "missing-slices", "irregular-geometry", "wrong-modality",
        "unreadable-image", "not-a-head", "ehr-invalid", "ehr-insufficient", "feedback-invalid",
        "webhook-refused", "idempotency-key-reused", "package-refused",
    },
    429: {"rate-limited"},
    500: {"internal", "job-interrupted", "answer-unreadable"},
    503: {"overloaded", "not-ready", "deadline-passed", "storage-unavailable", "provider-unavailable"},
}  # fmt: skip


def test_codes_and_statuses_are_those_of_the_contract() -> None:
    statuses = {kind.status for kind in PROBLEM_TYPES.values()}
    found = {
        status: {kind.code for kind in PROBLEM_TYPES.values() if kind.status == status} for status in statuses
    }
    assert found == CONTRACT


def test_every_kind_has_words() -> None:
    assert all(kind.title.endswith(".") and len(kind.meaning) > 10 for kind in PROBLEM_TYPES.values())
    assert len({kind.title for kind in PROBLEM_TYPES.values()}) == len(PROBLEM_TYPES)


@pytest.mark.parametrize(
    "error", [errors.PackageInvalidError, errors.GoldenMismatchError, errors.NeuroFuseError]
)
def test_a_broken_package_is_a_fault_of_the_service(error: type[errors.NeuroFuseError]) -> None:
    assert problem_type(error) is INTERNAL
