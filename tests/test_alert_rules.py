"""deploy/prometheus without a server: promtool checks the files, and tries each alert with the shipped durations. Every
alert has its section in the runbook."""

import pathlib
import re
import shlex
import subprocess

import alert_cases
import render_prometheus
from places import BINARY, ROOT
from prometheus_server import promtool

RUNBOOK = ROOT / "docs/runbook.md"
PARTS = ("Confirm", "Do", "Verify")
FOLDER = render_prometheus.FOLDER
RULES = (FOLDER / "rules.yml").read_text()


def test_the_files_are_what_the_templates_render() -> None:
    for name in render_prometheus.RENDERED:
        assert (FOLDER / name).read_text() == render_prometheus.render(name, render_prometheus.shipped()), (
            f"{name} is out of date: scripts/render_prometheus.py")


def test_promtool_accepts_them() -> None:
    promtool("check", "config", "--lint-fatal", FOLDER / "prometheus.yml")
    promtool("check", "rules", "--lint-fatal", FOLDER / "rules.yml")


def test_each_alert_fires_after_its_time_and_clears(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "rules_test.json"
    path.write_text(alert_cases.unit_tests(str(FOLDER / "rules.yml")))
    promtool("test", "rules", path)


def test_each_alert_is_tried() -> None:
    shipped = render_prometheus.shipped()
    assert {case.alert for case in alert_cases.CASES} == set(alert_cases.alerts())
    assert (shipped["window"], shipped["recently"], shipped["long"]) == ("5m", "2m", "1h")  # As in alert_cases.
    assert shipped["scrape_interval"] == shipped["evaluation_interval"] == f"{alert_cases.STEP}s"


def test_each_alert_is_complete() -> None:
    for rule in re.split(r"^      - alert: ", RULES, flags=re.MULTILINE)[1:]:
        name = rule.split("\n")[0]
        assert re.search(r"^        labels: \{severity: (critical|warning)\}$", rule, re.MULTILINE), name
        assert f"runbook_url: {render_prometheus.shipped()['runbook']}#{name.lower()}\n" in rule
        assert "summary: " in rule and "description: " in rule, name


def test_each_alert_has_its_section_in_the_runbook() -> None:
    sections = runbook_sections()
    alerts = [title for title in sections if title.startswith("Shopstream")]
    assert sorted(alerts) == sorted(alert_cases.alerts())
    for rule in re.split(r"^      - alert: ", RULES, flags=re.MULTILINE)[1:]:
        name = rule.split("\n")[0]
        severity = re.search(r"severity: (\w+)", rule)
        assert severity and sections[name].strip().startswith(f"{severity[1]}. "), name
        assert re.findall(r"^- \*\*(\w+):\*\*", sections[name], re.MULTILINE) == list(PARTS), name


def test_the_links_of_the_runbook_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", RUNBOOK.read_text(), re.MULTILINE)
    for file, anchor in re.findall(r"\]\(([\w./-]*)#?([\w-]*)\)", RUNBOOK.read_text()):
        target = RUNBOOK.parent / file if file else RUNBOOK
        assert target.exists(), file
        if anchor:
            found = headings if not file else re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in map(anchor_of, found), f"{file}#{anchor}"


def test_the_commands_of_the_runbook_exist() -> None:
    commands = re.findall(r"^ {4,}(shopstream .*?)(?:  #.*)?$", RUNBOOK.read_text(), re.MULTILINE)
    commands += re.findall(r"`(shopstream [a-z].*?)`", RUNBOOK.read_text())
    assert len(commands) > 40
    helps: dict[tuple[str, ...], str] = {}
    for line in dict.fromkeys(commands):
        words = shlex.split(line)[1:]
        path = tuple(next((words[:n] for n in (2, 1) if known(words[:n], helps)), ()))
        assert path, f"no such command: {line}"
        for flag in re.findall(r" (--?[a-z][a-z-]*)", line):
            assert re.search(rf"(^|[\s,]){flag}\b", helps[path]), f"no {flag} in: {line}"


def known(words: list[str], helps: dict[tuple[str, ...], str]) -> bool:
    """Whether the words are a command. Remembers its help, with the flags of all commands."""
    if tuple(words) not in helps:
        done = subprocess.run([BINARY, *words, "--help"], capture_output=True, text=True, timeout=30)
        takes = done.stdout.partition("Usage: ")[2].split("\n")[0].split()
        helps[tuple(words)] = done.stdout if takes[1:len(words) + 1] == words else ""
    return bool(helps[tuple(words)])


def runbook_sections() -> dict[str, str]:
    """The text below each heading of the third level."""
    pieces = re.split(r"^#{2,3} (.*)$", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(pieces[::2], pieces[1::2]))


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
