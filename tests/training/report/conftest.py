"""One full report for all tests, since setting it takes a second."""

import pytest

from tests.training.report.reading import Page
from tests.training.report.simulated import material
from training.report.page import render


@pytest.fixture(scope="session")
def report() -> str:
    return render(material())


@pytest.fixture(scope="session")
def page(report: str) -> Page:
    return Page(report)
