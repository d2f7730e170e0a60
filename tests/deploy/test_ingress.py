"""An ingress replica counts as running once its packages are ready or refused, and does not where nobody could say."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what Ray says of itself as it is imported
    pytest.importorskip("ray.serve", reason="Ray is not installed here: make test-ray")

from app.errors import NotReadyError
from app.model_package.naming import Reference
from app.serving.entry import Entry, State
from deploy.ray.ingress import has_begun


def entries(*states: State) -> list[Entry]:
    return [Entry(Reference("gos", number), state) for number, state in enumerate(states, 1)]


def test_it_waits_for_every_package() -> None:
    assert not has_begun(entries(State.READY, State.LOADING), unsettled=False)
    assert has_begun(entries(State.READY, State.UNLOADED), unsettled=False)


def test_a_package_that_was_refused_keeps_nothing_from_running() -> None:
    assert has_begun(entries(State.READY, State.FAILED), unsettled=False)


def test_a_package_that_predictors_said_nothing_of_is_asked_for_again_by_another_replica() -> None:
    with pytest.raises(NotReadyError, match="gos@2"):
        has_begun(entries(State.READY, State.FAILED), unsettled=True)
    assert has_begun(entries(State.READY), unsettled=True), "asked again at another, with success"
