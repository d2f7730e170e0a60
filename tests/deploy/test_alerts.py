"""Alert rules, dashboards and what they ask for: rules pass their tests, and no query asks for a metric that is not there."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.promtool import tool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
PAGE = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
HOW_TO = (ROOT / "docs" / "how-to" / "monitoring.md").read_text(encoding="utf-8")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
BY_PROMETHEUS = {"ALERTS", "up", "scrape_duration_seconds"}
PROCESS = re.compile(r"process_\w+")


def dashboard(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def queries(document: dict[str, Any]) -> list[str]:
    """Of its panels and of its variables."""
    panels = [target["expr"] for panel in document["panels"] for target in panel.get("targets", ())]
    return panels + [each["definition"] for each in document["templating"]["list"]]


def metrics_in(query: str) -> set[str]:
    """Names of metrics, without the suffixes that a histogram's series have."""
    names = set(re.findall(r"\b(?:neurofuse|request|process|scrape)[_:]\w+\b|\bup\b", query))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}


def labels_in(query: str) -> set[str]:
    selectors = re.findall(r"\{([^}]*)\}", query)
    grouped = re.findall(r"(?:by|without|on) \(([^)]*)\)", query)
    named = {name for each in selectors for name in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", each)}
    return named | {name.strip() for each in grouped for name in each.split(",") if name.strip()}


LISTED = dict(re.findall(r"`((?:neurofuse|request)_\w+)(?:\{([\w,]+)\})?`", PAGE))
LABELS = {"job", "instance", "le"} | {name for each in LISTED.values() for name in each.split(",") if name}


@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")]
)
def test_promtool_passes(arguments: tuple[str, ...]) -> None:
    ran = subprocess.run(  # noqa: S603 - our own words
        [tool("promtool"), *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_passes_the_configuration() -> None:
    command = [tool("promtool"), "check", "config", "--syntax-only", "prometheus.yml"]
    ran = subprocess.run(  # noqa: S603 - our own words
        command, cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_raised_in_a_test_and_explained() -> None:
    tested = (PROMETHEUS / "alerts.test.yml").read_text(encoding="utf-8")
    for rule in ALERTS:
        assert re.search(rf'alertname="{rule["alert"]}"', tested), rule["alert"]
        assert f"`{rule['alert']}`" in HOW_TO, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket", "clinical", "none"}
        assert rule["annotations"]["summary"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboards_ask_for_metrics_and_labels_that_exist(path: Path) -> None:
    document = dashboard(path)
    for query in queries(document):
        assert metrics_in(query), query
        unknown = {
            name
            for name in metrics_in(query) - set(LISTED) - BY_PROMETHEUS - RECORDED
            if not PROCESS.fullmatch(name)
        }
        assert not unknown
        assert labels_in(query) <= LABELS, query


def test_rules_ask_for_metrics_and_labels_that_exist() -> None:
    for rule in RULES:
        names = metrics_in(rule["expr"]) - set(LISTED) - BY_PROMETHEUS - RECORDED
        assert all(PROCESS.fullmatch(name) for name in names), names
        assert labels_in(rule["expr"]) <= LABELS, rule["expr"]


def test_every_metric_but_the_expected_shares_is_shown_somewhere() -> None:
    shown = {name for path in DASHBOARDS for query in queries(dashboard(path)) for name in metrics_in(query)}
    shown |= {name for rule in RULES if rule.get("record") in shown for name in metrics_in(rule["expr"])}
    hidden = set(LISTED) - shown
    assert hidden == {
        "neurofuse_models",
        "neurofuse_packages",
        "neurofuse_switches_total",
        "neurofuse_shadow_seconds",
        "neurofuse_outcome_set_coverage_error",
    }


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_do_not_overlap_and_dashboards_are_told_apart(path: Path) -> None:
    document = dashboard(path)
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert document["uid"] == f"neurofuse-{path.stem}"
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])


def test_what_is_provisioned_fits_together() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    uids = {
        target["datasource"]["uid"]
        for path in DASHBOARDS
        for panel in dashboard(path)["panels"]
        for target in panel.get("targets", ())
    }
    assert uids == {source["uid"]}
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    assert [Path(each).name for each in config["rule_files"]] == ["alerts.yml"]
