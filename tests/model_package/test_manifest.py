from typing import Any

import pytest
from pydantic import ValidationError

from app.model_package.manifest import Manifest, Outputs
from tests.support.tiny_package import tiny_manifest

MANIFEST = tiny_manifest("gos", "gos", 1)


def classes(*labels: str) -> list[dict[str, str]]:
    return [{"label": label, "title": label} for label in labels]


def test_a_manifest_survives_json() -> None:
    assert Manifest.model_validate_json(MANIFEST.model_dump_json()) == MANIFEST


def test_nothing_has_a_default() -> None:
    stored = MANIFEST.model_dump()
    for field in stored:
        with pytest.raises(ValidationError, match=field):
            Manifest.model_validate({key: value for key, value in stored.items() if key != field})


def test_a_manifest_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MANIFEST.version = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"classes": classes("gos_4")}, "at least two"),
        ({"classes": classes("gos_4", "gos_4")}, "labels of their own"),
        ({"favourable": ["gos_6"]}, "favourable"),
        ({"favourable": ["gos_4", "gos_4"]}, "favourable"),
    ],
)
def test_classes_that_contradict_each_other_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Outputs.model_validate(MANIFEST.outputs.model_dump() | changes)
