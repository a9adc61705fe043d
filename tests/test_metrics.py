"""What the long-running commands serve at work: /metrics as docs/metrics.md has it, /livez and /readyz.

SHOPSTREAM_WRITE_DOCS=1 writes the tables of docs/metrics.md instead of comparing them."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from cluster import Cluster
from places import ROOT
from probes import get, served_at
from shopstream import Running, Shopstream, shopstream_world
from waiting import wait_until

PAGE = ROOT / "docs/metrics.md"
BEGIN, END = "<!-- written by tests/test_metrics.py -->\n", "<!-- end -->\n"
# What follows "shopstream_" in a name, or is it, and the heading.
GROUPS = {"ingest": "Ingest", "refine": "Refine", "producer": "Producer (generate, replay)", "registry": "Registry",
          "quarantine": "Quarantine replay", "lake": "Data files", "store": "Storage", "ready": "Readiness",
          "process": "Process"}
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"')


@dataclasses.dataclass
class Metric:
    type: str
    help: str
    labels: frozenset[str] = frozenset()
    commands: set[str] = dataclasses.field(default_factory=set)


class Page:
    """One scrape."""

    def __init__(self, text: str):
        self.text = text
        self.metrics: dict[str, Metric] = {}
        self.values: dict[str, float] = {}
        helps: dict[str, str] = {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                _, _, name, helps["last"] = line.split(" ", 3)
            elif line.startswith("# TYPE "):
                _, _, name, type = line.split(" ")
                assert name not in self.metrics, f"{name} occurs twice"
                self.metrics[name] = Metric(type, helps["last"])
            else:
                self._add(line)

    def _add(self, line: str) -> None:
        found = SAMPLE.match(line)
        assert found, line
        name = found[1]
        if name not in self.metrics:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in self.metrics, line
        self.metrics[name].labels |= frozenset(LABEL.findall(found[2] or "")) - {"le"}
        self.values[line.rpartition(" ")[0]] = float(found[3])


class Pipeline:
    """Every long-running command, at work."""

    def __init__(self, world: Shopstream, folder: pathlib.Path):
        self.world = world
        rules = folder / "rules.yaml"
        rules.write_text((ROOT / "config/refine/rules.yaml").read_text() + WARNING_RULE)
        world.run("topics", "setup")
        world.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
        self.running: dict[str, Running] = {}
        self._start("generate", "--rate", "300", "--malformed-share", "0.1", "--duplicate-share", "0.2")
        self._start("ingest")
        quarantined = re.compile(r"^shopstream_ingest_quarantined_total\{.*\} [1-9]", re.MULTILINE)
        wait_until(lambda: quarantined.search(self.running["ingest"].metrics()), 90, "ingest has committed")
        self._start("observe")
        self._start("refine", "--watch", SHOPSTREAM_REFINE_RULES=str(rules))
        # It waits for a registry that is not there, so that it runs for as long as the test.
        self._start("quarantine", "replay", SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:1")

    def _start(self, *arguments: str, **settings: str) -> None:
        name = " ".join(word for word in arguments[:2] if word.isalpha())
        self.running[name] = self.world.start(*arguments, SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0", **settings)

    def bases(self) -> dict[str, str]:
        """Where each command serves."""
        found = {"registry": self.world.cluster.registry_url}
        for name, running in self.running.items():
            found[name] = served_at(running)
        return found

    def pages(self) -> dict[str, Page]:
        """What each command shows of its own work; what observe sees is in docs/observe.md."""
        return {name: Page(get(f"{base}/metrics")[1]) for name, base in self.bases().items() if name != "observe"}


WARNING_RULE = """
  - name: always_warns
    owner: test
    description: Finds every purchase.
    action: warn
    range: {column: amount, above: 1000000000}
"""


@pytest.fixture(scope="module")
def pipeline(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    session_cluster.start_brokers()
    session_cluster.start_registry()
    folder = tmp_path_factory.mktemp("metrics")
    with shopstream_world(session_cluster, folder, f"metrics-{os.getpid()}") as world:
        yield Pipeline(world, folder)


@pytest.fixture(scope="module")
def pages(pipeline: Pipeline) -> dict[str, Page]:
    """Scrapes once each command has done some of all its work, so that every metric has its labels."""
    try:
        wait_until(lambda: not without_values(pipeline.pages()), 90, "every metric has a value")
    except AssertionError as error:
        raise AssertionError(f"{error}: {without_values(pipeline.pages())}") from None
    return pipeline.pages()


def without_values(pages: dict[str, Page]) -> list[str]:
    shown = {sample_of(key) for page in pages.values() for key in page.values}
    return [name for name in all_metrics(pages) if name not in shown]


def sample_of(key: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", key.partition("{")[0])


def all_metrics(pages: dict[str, Page]) -> dict[str, Metric]:
    merged: dict[str, Metric] = {}
    for command, page in pages.items():
        for name, metric in page.metrics.items():
            known = merged.setdefault(name, Metric(metric.type, metric.help))
            assert (known.type, known.help) == (metric.type, metric.help), name
            known.labels |= metric.labels
            known.commands.add(command)
    return merged


def tables(metrics: dict[str, Metric], pages: int) -> str:
    groups: dict[str, list[str]] = {group: [] for group in GROUPS}
    for name, metric in sorted(metrics.items()):
        group = name.removeprefix("shopstream_").split("_")[0]
        labels = ", ".join(f"`{label}`" for label in sorted(metric.labels))
        commands = "all" if len(metric.commands) == pages else ", ".join(sorted(metric.commands))
        groups[group].append(f"| `{name}` | {metric.type} | {labels} | {commands} | {metric.help} |\n")
    text = ""
    for group, rows in groups.items():
        text += f"\n### {GROUPS[group]}\n\n| name | type | labels | served by | meaning |\n|---|---|---|---|---|\n"
        text += "".join(rows)
    return text + "\n"


def test_the_document_is_what_the_commands_serve(pages: dict[str, Page]) -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert end, f"{PAGE} has lost its marks"
    served = tables(all_metrics(pages), len(pages))
    if os.environ.get("SHOPSTREAM_WRITE_DOCS"):
        PAGE.write_text(before + BEGIN + served + END + after)
    documented = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert documented == served, "run the test with SHOPSTREAM_WRITE_DOCS=1 to update docs/metrics.md"


def test_names_and_units_are_prometheus_own(pages: dict[str, Page]) -> None:
    for name, metric in all_metrics(pages).items():
        assert re.fullmatch(r"(shopstream|process)(_[a-z]+)+", name), name
        assert name.endswith("_total") == (metric.type == "counter"), name
        assert metric.type != "histogram" or name.endswith("_seconds"), name
        assert not re.search(r"_(milliseconds|millis|ms|kb|mb|micros|minutes|count|sum|bucket)(_|$)", name), name
        assert metric.help and metric.help[0].isupper() or metric.help.startswith("1 "), name
        assert not metric.help.endswith("."), name
        assert all(re.fullmatch(r"[a-z]+", label) for label in metric.labels), (name, metric.labels)
    if promtool := shutil.which("promtool"):
        for page in pages.values():
            done = subprocess.run([promtool, "check", "metrics"], input=page.text, capture_output=True, text=True,
                                  timeout=30)
            assert (done.returncode, done.stdout + done.stderr) == (0, ""), page.text


def test_histograms_are_whole(pages: dict[str, Page]) -> None:
    for page in pages.values():
        for key, count in page.values.items():
            if found := re.fullmatch(r"(\w+_seconds)_count(?:\{(.*)\})?", key):
                labels = f"{found[2]}," if found[2] else ""
                buckets = [value for bucket, value in page.values.items()
                           if bucket.startswith(f'{found[1]}_bucket{{{labels}le="')]
                assert len(buckets) == 18 and buckets == sorted(buckets) and buckets[-1] == count, key


def test_every_document_names_metrics_that_exist(pages: dict[str, Page]) -> None:
    # tests/test_sampling.py compares observe's own page with its source.
    observed = re.findall(r"^\| (shopstream_\w+)", (ROOT / "docs/observe.md").read_text(), re.MULTILINE)
    known = {*all_metrics(pages), *observed}
    for document in (ROOT / "docs").glob("*.md"):
        for name in re.findall(rf"\bshopstream_(?:{'|'.join(GROUPS)})[a-z_]*", document.read_text()):
            plain = re.sub(r"_(bucket|sum|count)$", "", name)
            assert plain in known or name.endswith("_"), f"{document.name}: {name}"


def test_what_is_counted_is_what_happened(pipeline: Pipeline) -> None:
    """One counter serves the summary and the scrape."""
    ingest = pipeline.running["ingest"]
    page = pipeline.pages()["ingest"].values
    assert page["shopstream_ingest_records_total"] >= page["shopstream_ingest_rows_total"] > 0
    quarantined = sum(value for key, value in page.items() if key.startswith("shopstream_ingest_quarantined_total"))
    assert quarantined > 0
    # A scrape reads one after the other, while both count.
    assert abs(page["shopstream_ingest_freshness_seconds_count"] - page["shopstream_ingest_rows_total"]) < 5000
    produced = pipeline.pages()["generate"].values
    assert abs(produced["shopstream_producer_delivery_seconds_count"]
               - produced["shopstream_producer_acknowledged_total"]) < 5000
    assert ingest.running()


def test_every_command_is_live_and_ready(pipeline: Pipeline) -> None:
    for name, base in pipeline.bases().items():
        assert get(f"{base}/livez") == (200, "ok\n"), name
        wait_until(lambda: get(f"{base}/readyz") == (200, "ok\n"), 30, f"{name} is ready at {base}")
    shown = pipeline.pages()
    assert all(page.values["shopstream_ready"] == 1 for page in shown.values())
