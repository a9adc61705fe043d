"""Runs the README's tour unchanged, in its order, and every documented report with --json, as it would go to jq."""

import json
import os
import pathlib
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

import documented
from cluster import Cluster
from places import ROOT
from shopstream import Shopstream, shopstream_world
from waiting import wait_until

README = ROOT / "README.md"
SHOPSTREAM = "./run shopstream "
# Commands in docs/ that other tests run, or that print no report.
ELSEWHERE = {
    "command-line.md": "its topics are the reader's own; test_observe.py consumes, test_command_line.py completes",
    "your-own-events.md": "test_your_own_events.py runs it whole",
    "query.md": "test_query.py runs its examples",
    "refine.md": "test_refine.py and test_refine_sql.py run its commands",
    "sql.md": "test_refine_sql.py",
    "secured-cluster.md": "test_secure_up.py logs in as its roles",
    "scale.md": "test_refine_sql.py",
    "observe.md": "test_sampling.py runs observe, which does not end",
    "labs.md": "test_pages.py opens a console with labs, which does not end",
    "console.md": "test_console_server.py runs the console, which does not end",
    "failover.md": "test_failover.py adopts a mirror, which needs one",
    "archive.md": "test_archive.py moves rows, which needs a place",
    "backup.md": "test_backup.py runs its commands, which need a place",
    "runbook.md": "test_alert_rules.py checks its commands, which need the faults that they repair",
    "security.md": "test_security.py runs its commands, on a node that needs a login",
    "registry.md": "new.avsc is the reader's own file; test_registry.py checks the commands of schemas",
}
NO_REPORT = re.compile(r"--set ingest\.bach_size|--set lake\.uri=s3://| replay |^registry|^generate|^ingest$|^refine --watch|^query |^lineage --|^table (?:erase|retain) ")


class Tour:
    """The README's lake with fewer purchases: a topic, a registered schema, and what ingest made of it."""

    def __init__(self, world: Shopstream):
        self.world = world
        world.run("topics", "setup")
        world.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
        world.run("generate", "--count", "3000", "--malformed-share", "0.05", "--seed", "1")
        world.run("ingest", "--until-caught-up")
        world.run("refine")

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", "-c", line], cwd=ROOT, env=self.world.environment(), capture_output=True,
                              text=True, timeout=120)

    def start(self, line: str) -> subprocess.Popen[bytes]:
        with open(self.world.folder / "background.log", "ab") as log:
            return subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=ROOT, env=self.world.environment(), stdout=log,
                                    stderr=log)


@pytest.fixture(scope="module")
def tour(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    session_cluster.start_brokers()
    session_cluster.start_registry()
    folder = tmp_path_factory.mktemp("readme")
    with shopstream_world(session_cluster, folder, f"readme-{os.getpid()}") as world:
        yield Tour(world)


def test_the_tour_runs_as_printed(tour: Tour) -> None:
    newest, = tour.world.json("quarantine", "list", "--limit", "1")["rows"]
    text = documented.replaced(documented.section(README, "Five minutes"), {
        "quarantine show 2 65279": f"quarantine show {newest['partition']} {newest['offset']}",
        "--duration 5m": "--duration 2s"})
    ran = []
    for line, shown in documented.commands(text):
        ran.append(line)
        if line in (f"{SHOPSTREAM}ingest", f"{SHOPSTREAM}refine --watch"):
            kill_while_it_works(tour, line)
            continue
        done = tour.shell(line)
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        # The columns of a table; a record's own facts differ.
        printed = done.stdout.splitlines()[0].split() if done.stdout else []
        if "quarantine show" in line:
            assert printed[:1] == ["record"]
        elif shown:
            assert printed == shown.split(), f"$ {line}"
    assert len(ran) == 15, ran
    assert ran[-1].endswith("&& ./run shopstream audit") and "Clean: " in done.stdout


def kill_while_it_works(tour: Tour, line: str) -> None:
    """The README dares the reader to. kill -9 reaches the program itself, since ./run becomes it."""
    process = tour.start(line)
    program = pathlib.Path(f"/proc/{process.pid}/exe")
    wait_until(lambda: program.readlink().name == "shopstream", 60, "./run became the program")
    process.kill()
    assert process.wait(timeout=10) == -9


def test_the_readme_reads_the_lake_from_python(tour: Tour) -> None:
    code, polars = documented.blocks(documented.section(README, "Read the lake from Python"))
    lake = {".shopstream/lake": str(tour.world.lake)}
    names: dict = {}
    documented.run(documented.replaced(code, {**lake, "date = DATE '2017-12-24'": "true"}), names)
    regions = documented.run(documented.replaced(polars, lake), {})
    rows = names["bronze"].count_rows()
    assert rows > 2000 and regions["len"].sum() == rows
    assert set(regions["region"]) == {"US", "EU", "ASIA"}


def documented_reports() -> dict[str, str]:
    """Each command that prints a report, without its program, and the document that has it."""
    found: dict[str, str] = {}
    for document in [README, *sorted((ROOT / "docs").glob("*.md"))]:
        if document.name in ELSEWHERE:
            continue
        for line, _ in documented.commands(document.read_text()):
            for command in line.split(" && "):
                words = command.partition("shopstream ")[2].strip()
                if words and "|" not in words and not NO_REPORT.search(words) and "quarantine show" not in words:
                    found.setdefault(words, document.name)
    return found


def test_every_documented_report_is_json_and_nothing_else(tour: Tour) -> None:
    reports = documented_reports()
    assert len(reports) >= 12 and "audit" in reports, reports
    newest, = tour.world.json("quarantine", "list", "--limit", "1")["rows"]
    also = ["table list", "progress show", "group list", "group describe", "topics list", "schema verify", "health",
            "storage test",
            f"quarantine show {newest['partition']} {newest['offset']}"]
    for words in dict.fromkeys([*reports, *also]):
        # Without ./run, which the other tests go through: it would take longer than the command.
        assert json.loads(tour.world.run(*shlex.split(words), "--json").stdout) is not None, words


def test_a_pipe_gets_json(tour: Tour) -> None:
    line = next(word for word in re.findall(r"`([^`]*)`", README.read_text()) if word.endswith("| jq"))
    reader = "python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'"
    done = tour.shell(f"set -o pipefail; {line.removesuffix('jq')}{reader}")
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr  # The number of tables.
