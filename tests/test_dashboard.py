"""deploy/grafana: the dashboard is the one that its script writes, shows every metric, and names none that does not
exist. So do the alerts."""

import json
import pathlib
import re

import render_grafana
import render_prometheus
from places import ROOT

# What Prometheus itself adds.
OWN = {"up", "ALERTS"}


def served() -> set[str]:
    """Every metric of the documents, which their own tests compare with the running commands."""
    listed = re.findall(r"^\| `((?:shopstream|process)_\w+)` \|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    observed = re.findall(r"^\| (shopstream_\w+)", (ROOT / "docs/observe.md").read_text(), re.MULTILINE)
    return {*listed, *observed}


def recorded() -> set[str]:
    return set(re.findall(r"- record: (\S+)", rules()))


def rules() -> str:
    return (render_prometheus.FOLDER / "rules.yml").read_text()


def used(expressions: str) -> set[str]:
    """The names in it; of a histogram without the suffix."""
    names = re.findall(r"\b(?:\w+:)?(?:shopstream|process)_[a-z_]+(?::\w+)?|\bup\b|\bALERTS\b", expressions)
    return {re.sub(r"_bucket$", "", name) for name in names}


def test_the_dashboard_is_what_its_script_writes() -> None:
    assert render_grafana.PATH.read_text() == render_grafana.text(), "scripts/render_grafana.py"


def test_the_dashboard_and_the_rules_name_metrics_that_exist() -> None:
    shown = used("\n".join(expressions()))
    assert shown - OWN <= served() | recorded(), shown - OWN - served() - recorded()
    asked = used("\n".join(re.findall(r"^        expr: (.*(?:\n          .*)*)", rules(), re.MULTILINE)))
    assert len(asked) > 40
    assert asked - OWN <= served() | recorded(), asked - OWN - served() - recorded()


def test_the_dashboard_shows_every_metric() -> None:
    shown = used("\n".join(expressions()))
    behind = used("\n".join(re.findall(r"^        expr: (.*)", rules().partition("- alert:")[0], re.MULTILINE)))
    assert served() <= shown | behind, served() - shown - behind


def expressions() -> list[str]:
    found = json.loads(render_grafana.PATH.read_text())
    assert [panel["id"] for panel in found["panels"]] == list(range(1, len(found["panels"]) + 1))
    return [target["expr"] for panel in found["panels"] for target in panel.get("targets", [])]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(render_grafana.PATH.read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_provisioning_finds_the_dashboard_and_its_source() -> None:
    folder = pathlib.Path(ROOT / "deploy/grafana/provisioning")
    assert "type: prometheus" in (folder / "datasources/prometheus.yml").read_text()
    scrape = render_prometheus.shipped()["scrape_interval"]
    assert f"timeInterval: {scrape}" in (folder / "datasources/prometheus.yml").read_text()
    assert "/var/lib/grafana/dashboards" in (folder / "dashboards/shopstream.yml").read_text()
