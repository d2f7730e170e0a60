"""One line of a table of results: an answer, or why there is none; the same from the command line and over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.errors import NeuroFuseError
from app.predictions.answer import Answer

ANSWERED: Final = "answered"
FAILED: Final = "failed"
Line = Mapping[str, str]
_FIRST: Final = ("id", "case", "status", "code", "detail", "release", "model", "package_sha256", "label")
_LAST: Final = (
    "favourable",
    "prediction_set",
    "coverage",
    "out_of_distribution",
    "flagged",
    "abstained",
    "image_share",
    "findings",
    "warnings",
    "milliseconds",
)


def columns_of(labels: Sequence[str]) -> tuple[str, ...]:
    """Of the results of a package with these classes: a column `p_<label>` for each."""
    return (*_FIRST, *(f"p_{label}" for label in labels), *_LAST)


def answered(name: str, case: str, answer: Answer) -> Line:
    """The line of an answer.

    Args:
        name: Of the row.
        case: Digest of what was asked.
        answer: The document that the service would give.
    """
    outcome, favourable = answer.prediction, answer.prediction.favourable
    return {
        "id": name,
        "case": case,
        "status": ANSWERED,
        "release": answer.release or "",
        "model": f"{answer.model.name}@{answer.model.version}",
        "package_sha256": answer.model.sha256,
        "label": outcome.label,
        **{f"p_{label}": f"{p:.6f}" for label, p in outcome.probabilities.items()},
        "favourable": "" if favourable is None else f"{favourable:.6f}",
        "prediction_set": " ".join(outcome.prediction_set),
        "coverage": f"{outcome.coverage:g}",
        "out_of_distribution": f"{outcome.out_of_distribution.score:.4f}",
        "flagged": _yes(outcome.out_of_distribution.flagged),
        "abstained": _yes(outcome.abstained),
        "image_share": f"{answer.ehr.image_share:.4f}",
        "findings": " ".join(finding.code for finding in answer.image.findings),
        "warnings": " ".join(warning.code for warning in answer.warnings),
        "milliseconds": str(answer.timing_ms.total),
    }


def failed(name: str, case: str, error: NeuroFuseError) -> Line:
    """The line of a case that cannot be answered: the code and the words of a problem document."""
    return failed_with(name, case, error.code, error.detail, error.fields)


def failed_with(name: str, case: str, code: str, detail: str, fields: Mapping[str, Any]) -> Line:
    """The same from the parts of a problem document.

    Args:
        name: Of the row.
        case: Digest of what was asked.
        code: Of the problem.
        detail: Its words.
        fields: Its further members. A table has no column for them, so where they say what is wrong with which feature,
            that stands in place of the words.
    """
    wrong = "; ".join(f"{each['name']} {each['problem']}" for each in fields.get("features", ()))
    return {"id": name, "case": case, "status": FAILED, "code": code, "detail": wrong or detail}


def _yes(truth: bool) -> str:
    return "yes" if truth else "no"
