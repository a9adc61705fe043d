"""Each lab fails untouched, fails with each common wrong answer for its own reason, and passes with its solution:
all on one cluster. And the runner itself: predictions, hints, resets, and what survives."""

import datetime
import decimal
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import pyarrow
import pytest
from deltalake import write_deltalake

import soak
from cluster import Cluster
from lab_proof import proves
from places import ROOT
from runner import answers, commands, environment, own_cluster
from runner.bench import Bench
from runner.course import HINTS, LABS, OWN, SECURED, Lab, LabError, all_labs
from runner.progress import Attempt, Progress
from waiting import wait_until

COURSE = all_labs()
FILES = ("page.md", "hints.md", "after.md", "lab.py", "lab.toml", "start", "solution")
MOST_WORDS = 120  # Of the concept, which is the first paragraph of a page.
FIRST = COURSE[0]  # Any will do to test the runner.


@pytest.fixture
def labs(cluster: Cluster, tmp_path: pathlib.Path) -> Callable[..., int]:
    """./run lab, for one student on the tests' cluster."""
    return lambda *words: commands.main(words, cluster, tmp_path / "student")


# Every lab, proved.


@pytest.fixture
def load() -> Iterator[None]:
    """In soak: two programs for each core that never wait."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))] if soak.LONG else []
    yield
    for program in busy:
        program.kill()
        program.wait()


@pytest.mark.soak
@pytest.mark.usefixtures("load")
@pytest.mark.parametrize("turn", range(soak.steps(short=1, long=3)))
@pytest.mark.parametrize("lab", [lab for lab in COURSE if lab.cluster != SECURED], ids=lambda lab: lab.name)
def test_a_lab_fails_untouched_and_wrong_and_passes_solved(lab: Lab, turn: int, cluster: Cluster, tmp_path: pathlib.Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that harm brokers: the next test repairs them."""
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")  # For brokers that a lab starts again.
    proves(lab, cluster, tmp_path, at_a_time=1 if lab.cluster == OWN else 2)


@pytest.mark.parametrize("lab", COURSE, ids=lambda lab: lab.name)
def test_a_lab_has_all_its_parts(lab: Lab) -> None:
    assert [name for name in FILES if not (lab.folder / name).exists()] == []
    assert len(lab.wrong) >= 2 and {path.name for path in (lab.folder / "wrong").iterdir()} == set(lab.wrong)
    assert len(lab.hints()) == HINTS and all(lab.hints())
    assert lab.prediction.question and len(lab.prediction.choices) != 1
    paragraphs = lab.page().split("\n\n")
    assert paragraphs[0] == f"# Lab {lab.number}: {lab.title}"
    assert len(paragraphs[1].split()) <= MOST_WORDS and paragraphs[2].startswith("    "), "a concept, then one picture"
    assert "## Task" in lab.page() and "## Questions" in lab.page()
    assert all(f"\n{label} " in f"\n{lab.text('after.md')}" for label in ("WHY", "HERE", "READ"))
    for path in re.findall(r"(?<![/\w])((?:src|docs)/[\w/.-]+\w)", lab.text("after.md")):
        assert (ROOT / path).exists(), path
    for name in ("page.md", "hints.md", "after.md"):
        too_long = [line for line in lab.text(name).splitlines() if len(line) > 79 and "https://" not in line]
        assert not too_long, (name, too_long)


# The runner.


def test_a_student_predicts_fails_asks_gives_up_and_starts_over(labs: Callable[..., int], tmp_path: pathlib.Path,
                                                                capsys: pytest.CaptureFixture[str],
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    def says(code: int, *words: str) -> str:
        assert labs(*words) == code
        said = capsys.readouterr()
        text = said.out + said.err
        if words[:1] != ("solution",):  # It shows files as they are.
            assert not [line for line in text.splitlines() if len(line) >= 80 and str(tmp_path) not in line and "https://" not in line], text
        return text

    number = str(FIRST.number)
    assert FIRST.concept in says(0)
    assert "no lab is started" in says(1, "check")
    assert "there is no lab 99" in says(1, "99")
    assert FIRST.title in says(0, number)
    assert "Predict first" in says(3, "check")
    assert "is not an answer" in says(1, "predict", "perhaps")
    answer = next(iter(FIRST.prediction.choices), "1")
    says(0, "predict", answer)
    assert "NOT YET" in says(3, "check")
    assert "comes too late" in says(1, "predict", answer)
    assert "Hint 1 of 3" in says(0, "hint") and "Hint 2 of 3" in says(0, "hint", number)
    assert "after a pass" in says(3, "solution")
    # All of it is in a file, which another process reads.
    kept = Progress(tmp_path / "student").attempts[FIRST.name]
    assert (kept.prediction, kept.hints, kept.checks, kept.passed) == (answer, 2, 1, False)
    assert "steps.sh" in says(0, "solution", "--give-up") and "gave up" in says(0)
    before = kept.token
    monkeypatch.chdir(tmp_path / "student" / FIRST.name)  # Where a student's shell is.
    says(0, "reset")
    assert pathlib.Path("settings.py").exists() and not pathlib.Path("solution").exists()
    kept = Progress(tmp_path / "student").attempts[FIRST.name]
    assert kept.token != before and not kept.prediction and not kept.hints and kept.gave_up
    says(0, "stop")
    assert not (tmp_path / "student" / FIRST.name).exists() and "gave up" in says(0)


def test_two_students_do_not_meet(cluster: Cluster, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("ada", "bob")
    for name in names:
        assert commands.main([str(FIRST.number)], cluster, tmp_path / name) == 0
    ada, bob = (Bench(FIRST, Progress(tmp_path / name).attempts[FIRST.name], cluster, tmp_path / name) for name in names)
    assert ada.topic != bob.topic and ada.group != bob.group and ada.lake != bob.lake
    assert commands.main(["stop"], cluster, tmp_path / "ada") == 0
    assert bob.ends() and bob.folder.exists() and not ada.folder.exists()
    assert commands.main(["stop"], cluster, tmp_path / "bob") == 0
    assert ada.topic not in ada.admin().list_topics(timeout=10).topics


def test_watching_ends_with_the_pass(labs: Callable[..., int], cluster: Cluster, tmp_path: pathlib.Path,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert labs(str(FIRST.number)) == 0 and labs("predict", next(iter(FIRST.prediction.choices))) == 0
    watching = threading.Thread(target=lambda: ended.append(labs("check", "--watch")), daemon=True)
    ended: list[int] = []
    watching.start()
    kept = wait_until(lambda: (now := Progress(tmp_path / "student").attempts[FIRST.name]).checks and now, 60, "the first check")
    assert not kept.passed
    bench = Bench(FIRST, kept, cluster, tmp_path / "student")
    bench.put(FIRST.folder / "solution")
    bench.run("bash", "-e", "steps.sh")
    watching.join(60)
    assert ended == [0]
    said = capsys.readouterr().out
    assert "NOT YET" in said and "PASSED" in said and "WHY" in said
    assert labs("solution") == 0 and labs("stop") == 0


def test_watching_survives_a_file_that_cannot_run(labs: Callable[..., int], cluster: Cluster, tmp_path: pathlib.Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    crew = next(lab for lab in COURSE if lab.number == 3)
    assert labs("3") == 0
    worker = tmp_path / "student" / crew.name / "worker.py"
    worker.write_text(worker.read_text().replace('"range"', '"no-such-assignor"'))
    ended: list[int] = []
    watching = threading.Thread(target=lambda: ended.append(labs("check", "--watch")), daemon=True)
    watching.start()
    said = ""

    def says(words: str) -> bool:
        nonlocal said
        new = capsys.readouterr()
        said += new.out + new.err
        return words in said

    wait_until(lambda: says("Predict first, so that"), 60, "the first check")
    assert labs("predict", "3") == 0
    wait_until(lambda: says("a worker has failed"), 60, "a check of the worker, after the prediction")
    worker.write_text("this is no Python")
    wait_until(lambda: says("SyntaxError"), 60, "a check of the broken file")
    assert watching.is_alive() and labs("stop") == 0
    watching.join(60)
    assert ended == [1] and says("lab 3 is not started")


def test_what_does_not_return_is_stopped_with_all_that_it_started(cluster: Cluster, tmp_path: pathlib.Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(FIRST, Attempt(token="endless"), cluster, tmp_path)
    bench.folder.mkdir()
    monkeypatch.setattr("runner.bench.STEPS_TIMEOUT", 1.0)
    with pytest.raises(LabError, match="endless loop"):
        bench.run("bash", "-c", "exec 9>held; flock 9; sleep 300 & wait")
    with open(bench.folder / "held") as held:  # Free once the last process is gone.
        wait_until(lambda: is_free(held), 10, "the end of the process that was started in the background")


def is_free(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("day", ["date_trunc('day', timestamp)", "strftime(timestamp, '%Y-%m-%d')", "CAST(timestamp AS DATE)"])
def test_event_time_accepts_a_day_of_any_type(day: str, cluster: Cluster, tmp_path: pathlib.Path) -> None:
    lab = next(lab for lab in COURSE if lab.number == 10)
    bench = Bench(lab, Attempt(token="types"), cluster, tmp_path)
    bench.folder.mkdir()
    made = datetime.datetime(2026, 3, 1, 23, 59, tzinfo=datetime.timezone.utc)
    rows = pyarrow.table({"timestamp": pyarrow.array([made] * 3, pyarrow.timestamp("us", "UTC")), "amount_usd": [0.1, 0.2, 0.3]})
    for table in ("silver-events", "bronze-events"):
        write_deltalake(str(bench.lake / table), rows)
    (bench.folder / "dashboard.sql").write_text(f"SELECT {day} AS day, sum(amount_usd) AS revenue_usd FROM silver_events GROUP BY ALL")
    assert lab.code().asked(bench) == {datetime.date(2026, 3, 1): decimal.Decimal("0.60")}


# A lab with a cluster of its own.


OWN_LAB = """
from confluent_kafka.admin import NewTopic
from runner.finding import failed

def start(bench):
    bench.admin().create_topics([NewTopic(bench.topic, 2, 1)])[bench.topic].result(30)

def check(bench):
    return failed(f"{len(bench.ends())} partitions at {(bench.folder / 'settings.py').read_text()}", "nothing")
"""


@pytest.fixture
def own_lab(tmp_path: pathlib.Path) -> Lab:
    """One broker: it starts sooner."""
    folder = tmp_path / "labs/77-own"
    shutil.copytree(LABS / "template", folder)
    (folder / "lab.py").write_text(OWN_LAB)
    (folder / "lab.toml").write_text('cluster = "own"\nbrokers = 1\n' + (folder / "lab.toml").read_text())
    return Lab.read(folder)


def test_a_lab_that_harms_brokers_has_its_own_until_it_stops(own_lab: Lab, cluster: Cluster, tmp_path: pathlib.Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "ada"

    def says(code: int, *words: str) -> str:
        assert commands.main(words, cluster, home, own_lab.folder.parent) == code
        said = capsys.readouterr()
        return said.out + said.err

    def brokers(*words: str) -> str:
        done = subprocess.run([home / own_lab.name / "brokers", *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    try:
        started = says(0, "77")
        assert "starting broker 1" in started and "Only this lab uses them" in started
        ada = own_cluster.own_cluster(own_lab, home)
        bob = own_cluster.own_cluster(own_lab, tmp_path / "bob")
        assert ada.running() == ["broker 1", "registry"] and ada.ports.brokers not in (bob.ports.brokers, cluster.ports.brokers)
        assert "brokers of lab 77 run" in says(0)
        brokers("freeze", "1")
        assert "broker 1   frozen" in brokers()
        brokers("start", "1")
        assert "broker 1   runs" in brokers()
        ada.kill()  # As a restart of the machine does. Meanwhile, another program takes a port.
        with socket.create_server(("127.0.0.1", ada.ports.registry)):
            says(0, "predict", "a")
            checked = says(3, "check")
        moved = own_cluster.own_cluster(own_lab, home)
        assert moved.ports.brokers != ada.ports.brokers and "starting broker 1" in checked
        assert "2 partitions at" in checked and f"127.0.0.1:{moved.ports.brokers}" in checked, checked
        brokers("stop", "1")
        assert moved.running() == ["registry"] and "broker 1   stopped" in brokers()
        says(0, "stop")
        assert not moved.running() and not own_cluster.place(own_lab, home).exists()
    finally:
        own_cluster.remove(own_lab, home)


def test_a_lab_says_where_it_runs(own_lab: Lab) -> None:
    assert (own_lab.cluster, own_lab.nodes) == (OWN, (1,))
    facts = own_lab.folder / "lab.toml"
    facts.write_text(facts.read_text().replace('"own"', '"mine"'))
    with pytest.raises(LabError, match="cluster is 'mine', which is none of shared, own, secured"):
        Lab.read(own_lab.folder)


@pytest.mark.parametrize("error, advice", [(PermissionError(13, "Permission denied", "/there"), "SHOPSTREAM_LABS"),
                                           (FileNotFoundError(2, "No such file", "sink.py"), "sink.py is missing"),
                                           (ConnectionRefusedError(111, "Connection refused"), "./run status")])
def test_an_error_of_the_system_says_what_to_do(error: OSError, advice: str) -> None:
    assert advice in commands.said(error)


def test_a_new_lab_has_the_parts_of_a_lab(tmp_path: pathlib.Path, cluster: Cluster,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labs").mkdir()
    shutil.copytree(FIRST.folder, tmp_path / "labs" / FIRST.name)
    assert commands.main(["new", "my-own"], cluster, tmp_path / "student", tmp_path / "labs") == 0
    made = next(lab for lab in all_labs(tmp_path / "labs") if lab.name.endswith("-my-own"))
    assert made.number == FIRST.number + 1 and [name for name in FILES if not (made.folder / name).exists()] == []
    assert len(made.hints()) == HINTS and len(made.wrong) == 2
    assert commands.main(["new", "Not A Name"], cluster, tmp_path / "student", tmp_path / "labs") == 1


def test_programs_get_json(cluster: Cluster, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    def asked(code: int, *words: str) -> Any:
        assert answers.main(words, cluster, tmp_path / "student") == code
        return json.loads(capsys.readouterr().out)

    number = str(FIRST.number)
    assert [lab["concept"] for lab in asked(0, "list")["labs"]] == [lab.concept for lab in COURSE]
    assert asked(1, "check", number)["error"]["kind"] == "invalid"
    assert asked(0, "state", number)["topic"] is None
    assert asked(0, "start", number)["lab"]["started"]
    assert "predict first" in asked(1, "check", number)["error"]["message"]
    assert asked(0, "predict", number, "a")["before"]["prediction"] == ""
    done = asked(0, "check", number)
    assert done["lab"]["finding"]["expected"] and not done["lab"]["finding"]["passed"] and done["after"]["checks"] == 1
    assert asked(0, "hint", number)["lab"]["hints"] == FIRST.hints()[:1]
    shown = asked(0, "show", number)
    assert shown == done["lab"] | {"hints": FIRST.hints()[:1]} and shown["page"] == FIRST.page()
    assert shown["own_brokers"] is False
    state = asked(0, "state", number)
    assert {topic["topic"] for topic in state["topics"]} >= {shown["topic"]} and state["attempt"]["checks"] == 1
    assert asked(0, "stop", number)["lab"]["started"] is False
    assert answers.main(["check"], cluster, tmp_path) == answers.main(["check", "-1"], cluster, tmp_path) == 2


def test_a_lab_does_not_inherit_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS", "SHOPSTREAM_REGISTRY_PASSWORD", *environment.KEPT):
        monkeypatch.setenv(name, "given")
    environment.forget_settings()
    assert {name for name in os.environ if name.startswith("SHOPSTREAM_")} == set(environment.KEPT)


@pytest.mark.parametrize("words", [["chek"], ["check", "four"], ["new"], ["4", "5"]])
def test_a_wrong_command_line_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        commands.main(words)
    assert stopped.value.code == 2 and "usage: ./run lab" in capsys.readouterr().err


def test_the_course_lists_every_lab() -> None:
    text = (ROOT / "docs/labs.md").read_text()
    listed = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    assert [(int(number), concept.strip(), int(minutes)) for number, concept, minutes in listed] == [
        (lab.number, lab.concept, lab.minutes) for lab in COURSE]
    assert LABS == ROOT / "labs"
