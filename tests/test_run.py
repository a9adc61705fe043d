"""./run itself: its help, its answer to typos, what it prints besides the program, and how it adds up test reports.

What compiles or writes runs in a small checkout: the real scripts, a program of one file, and a set-up that does nothing.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence

import pytest

import run_tests as runner
from places import ROOT

COMMANDS = "setup build demo test bench up down status lab lint format sbom shopstream".split()
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int count, char** words) {
  char folder[4096];
  const char* brokers = getenv("SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS");
  printf("first in %s with %s on %s\n", getcwd(folder, sizeof folder), words[count - 1], brokers ? brokers : "default");
  return 3;
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
add_executable(shopstream main.c)
"""


def run(*arguments: str, root: pathlib.Path = ROOT, cwd: pathlib.Path | None = None, before: Sequence[object] = (),
        **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*before, root / "run", *arguments], cwd=cwd, env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60)


def copy_scripts(checkout: pathlib.Path) -> None:
    shutil.copytree(ROOT / "scripts", checkout / "scripts", ignore=shutil.ignore_patterns("__pycache__"))


def only_tools(folder: pathlib.Path, *names: str) -> pathlib.Path:
    """A PATH with these tools alone."""
    tools = folder / "bin"
    tools.mkdir()
    for name in names:
        (tools / name).symlink_to(shutil.which(name))
    return tools


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The small checkout, compiled. Tests that change it take a copy."""
    checkout = tmp_path_factory.mktemp("small") / "check out"
    copy_scripts(checkout)
    (checkout / "config").mkdir()
    for file in ("run", "CMakePresets.json", "config/pipeline.yaml"):
        shutil.copy(ROOT / file, checkout / file)
    (checkout / "tests").mkdir()
    (checkout / "tests/requirements.txt").touch()
    (checkout / "CMakeLists.txt").write_text(PROJECT)
    (checkout / "main.c").write_text(PROGRAM)
    (checkout / "scripts/setup.py").write_text("print('setup: a word on standard output')\n")
    python = checkout / ".deps/venv/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    first = small(checkout, "shopstream", "x", cwd=checkout.parent)
    assert first.stdout == f"first in {checkout.parent} with x on default\n", first.stderr
    assert "setup: a word" in first.stderr and "Compiling, " in first.stderr and "compiled in" in first.stderr
    return checkout


@pytest.fixture
def checkout(built: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(built, tmp_path / "small", symlinks=True)  # Keeps times, as cp -a does.
    return tmp_path / "small"


def small(checkout: pathlib.Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return run(*arguments, root=checkout, SHOPSTREAM_DEPS=str(checkout / ".deps"), **options)


# Help, before anything is installed.


def test_alone_it_lists_the_commands() -> None:
    listed = run()
    assert listed.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in listed.stdout


def test_an_unknown_command_names_the_nearest() -> None:
    failed = run("tset")
    assert failed.returncode == 2
    assert "unknown command tset, did you mean test?" in failed.stderr


def test_format_refuses_other_arguments() -> None:
    failed = run("format", "--chek")
    assert failed.returncode == 2
    assert "--chek" in failed.stderr


def test_help_installs_and_builds_nothing(tmp_path: pathlib.Path) -> None:
    """On a machine that has only Python and the shell's own tools."""
    tools = only_tools(tmp_path, "env", "bash", "dirname", "readlink", "cat")
    (tools / "python3").symlink_to(pathlib.Path(sys.executable).resolve())
    fresh = tmp_path / "checkout"
    copy_scripts(fresh)
    shutil.copy(ROOT / "run", fresh)
    before = sorted(fresh.rglob("*"))
    for command in COMMANDS:
        for flag in ("--help", "-h"):
            shown = run(command, flag, root=fresh, PATH=str(tools), PYTHONDONTWRITEBYTECODE="1")
            assert (shown.returncode, shown.stderr) == (0, ""), command
            assert f"usage: ./run {command}" in shown.stdout
    assert sorted(fresh.rglob("*")) == before


def test_every_part_of_bench_is_in_its_help() -> None:
    parts = re.search(r"^PARTS = \{(.*?)\}", (ROOT / "scripts/bench.py").read_text(), re.MULTILINE | re.DOTALL)[1]
    listed = re.search(r"^parts: (.*)$", run("bench", "--help").stdout, re.MULTILINE)[1]
    assert listed.split() == re.findall(r'"(\w+)":', parts)


def test_before_set_up_the_remedy_is_named(tmp_path: pathlib.Path) -> None:
    for command in ("status", "down"):
        failed = run(command, SHOPSTREAM_DEPS=str(tmp_path / "absent"))
        assert failed.returncode == 1 and "nothing is set up yet" in failed.stderr, failed.stderr
        assert "./run setup" in failed.stderr
    assert not (tmp_path / "absent").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    failed = run("setup", SHOPSTREAM_DEPS=str(tmp_path / "file/deps"))
    assert failed.returncode == 1 and "Traceback" not in failed.stderr, failed.stderr
    assert f"cannot write to {tmp_path}/file/deps" in failed.stderr and "SHOPSTREAM_DEPS" in failed.stderr


def test_setup_has_nothing_to_do_a_second_time() -> None:
    assert "nothing is missing" in run("setup").stdout


def test_only_one_place_knows_where_dependencies_are() -> None:
    """So that SHOPSTREAM_DEPS works everywhere, absolute or relative."""
    reads = re.compile(r"""(environ\.get|environ|getenv)[\[(]"SHOPSTREAM_DEPS|\$\{SHOPSTREAM_DEPS:?-""")
    found = {str(path.relative_to(ROOT)) for folder in ("scripts", "tests", "deploy") for path in (ROOT / folder).rglob("*")
             if path.suffix in (".py", ".bash", "") and path.is_file() and path.name != "test_run.py"
             and reads.search(path.read_text(errors="replace"))}
    assert found | {"run"} == {"scripts/places.py", "scripts/places.bash", "run"}
    assert not reads.search((ROOT / "run").read_text())


def test_relative_dependencies_count_from_the_current_folder(tmp_path: pathlib.Path) -> None:
    failed = run("status", cwd=tmp_path, SHOPSTREAM_DEPS="deps")
    assert failed.returncode == 1 and "nothing is set up yet" in failed.stderr, failed.stderr
    (tmp_path / "file").write_text("")
    assert f"cannot write to {tmp_path}/file/deps" in run("setup", cwd=tmp_path, SHOPSTREAM_DEPS="file/deps").stderr


def test_dependencies_elsewhere_are_linked_and_remembered(tmp_path: pathlib.Path) -> None:
    """So that the paths in documents and mappings hold, and later commands need no variable."""
    checkout, elsewhere = tmp_path / "checkout", tmp_path / "elsewhere"
    copy_scripts(checkout)

    def deps(words: str, **environment: str) -> str:
        cleared = {name: value for name, value in os.environ.items() if name != "SHOPSTREAM_DEPS"}
        return subprocess.run(["bash", "-c", words], cwd=checkout / "scripts", env={**cleared, **environment},
                              capture_output=True, text=True, timeout=30, check=True).stdout.strip()

    python = f"{sys.executable} -B -c 'import places; print(places.DEPS)'"
    bash = "source ./places.bash; echo $SHOPSTREAM_DEPS"
    assert deps(python) == deps(bash) == str(checkout / ".deps")
    deps(f"{sys.executable} -B -c 'import setup; setup.lend_dependencies()'", SHOPSTREAM_DEPS=str(elsewhere))
    assert deps(python) == deps(bash) == str(elsewhere)
    assert deps(python, SHOPSTREAM_DEPS="x") == deps(bash, SHOPSTREAM_DEPS="x") == str(checkout / "scripts/x")


def test_an_old_python_is_named(tmp_path: pathlib.Path) -> None:
    tools = only_tools(tmp_path, "bash", "dirname", "cat")
    failed = subprocess.run(["bash", ROOT / "run", "setup"], env={"PATH": str(tools)}, capture_output=True, text=True,
                            timeout=30)
    assert failed.returncode == 1 and "Python 3.11 or later is needed" in failed.stderr
    shown = subprocess.run(["bash", ROOT / "run", "up", "--help"], env={"PATH": str(tools)}, capture_output=True,
                           text=True, timeout=30)
    assert (shown.returncode, shown.stderr) == (0, "") and "up   " in shown.stdout


# ./run shopstream.


def test_the_program_is_alone_on_standard_output(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """It runs where the caller is, and its exit code is passed on."""
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    done = small(checkout, "shopstream", "a b", cwd=elsewhere)
    assert done.returncode == 3
    assert done.stdout == f"first in {elsewhere} with a b on default\n"
    again = small(checkout, "shopstream", "--help", cwd=elsewhere)
    assert (again.stdout, again.stderr) == (f"first in {elsewhere} with --help on default\n", "")
    link = tmp_path / "shop"
    link.symlink_to(checkout / "run")
    linked = subprocess.run([link, "shopstream", "x"], cwd=elsewhere, capture_output=True, text=True, timeout=60,
                            env={**os.environ, "SHOPSTREAM_DEPS": str(checkout / ".deps")})
    assert (linked.stdout, linked.stderr) == (f"first in {elsewhere} with x on default\n", "")


def test_a_copied_checkout_builds_its_own_sources(built: pathlib.Path, checkout: pathlib.Path) -> None:
    (checkout / "main.c").write_text(PROGRAM.replace("first", "second"))
    done = small(checkout, "shopstream", "x", cwd=checkout)
    assert done.stdout.startswith("second in "), done.stderr
    assert f"build/release was made for {built}: starting it afresh" in done.stderr
    assert small(built, "shopstream", "x", cwd=built).stdout.startswith("first in ")
    quiet = small(checkout, "shopstream", "x", cwd=checkout)
    assert (quiet.stdout, quiet.stderr) == (done.stdout, "")


def test_what_does_not_compile_is_shown_with_its_log(checkout: pathlib.Path) -> None:
    (checkout / "main.c").write_text(PROGRAM.replace("return 3;", "return three;"))
    failed = small(checkout, "shopstream", "x", cwd=checkout)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "three" in failed.stderr and f"whole log: {checkout}/build/release/compile.log" in failed.stderr
    assert "three" in (checkout / "build/release/compile.log").read_text()


def test_the_program_finds_a_cluster_on_other_ports(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    ports = checkout / ".shopstream/cluster/ports.json"
    ports.parent.mkdir(parents=True)
    ports.write_text(json.dumps({"kafka": [7001, 7002, 7003], "controller": [7101, 7102, 7103], "registry": 7201,
                                 "minio": 7301}))

    def brokers(*arguments: str, **options: object) -> str:
        return small(checkout, "shopstream", *arguments, "x", **options).stdout.rpartition(" on ")[2].strip()

    assert brokers(cwd=tmp_path) == "127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003"
    # What the user chose wins.
    assert brokers(cwd=tmp_path, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="mine:1") == "mine:1"
    assert brokers("--config", "mine.yaml", cwd=tmp_path) == "default"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/pipeline.yaml").touch()
    assert brokers(cwd=tmp_path) == "default"
    config = checkout / "config/pipeline.yaml"
    config.write_text(config.read_text().replace("127.0.0.1:9094,", "kafka.example.com:9094,"))
    assert brokers(cwd=checkout) == "default"


def test_a_checkout_that_cannot_be_written_runs_what_is_built(checkout: pathlib.Path) -> None:
    if os.geteuid() == 0:  # Permissions do not bind root; a mount does.
        before = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"',
                  checkout]
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            pytest.skip("this machine lets root create no mounts")
    else:
        before = []
        for folder in [checkout, *(path for path in checkout.rglob("*") if path.is_dir() and not path.is_symlink())]:
            folder.chmod(0o555)
    (checkout / "main.c").write_text(PROGRAM.replace("first", "second"))
    try:
        done = small(checkout, "shopstream", "x", cwd=checkout.parent, before=before)
        assert (done.stdout, done.stderr) == (f"first in {checkout.parent} with x on default\n", "")
    finally:
        for folder in [checkout, *(path for path in checkout.rglob("*") if path.is_dir() and not path.is_symlink())]:
            folder.chmod(0o755)


# Phases.

INSTALL = """
import sys
from setup_step import Schedule, SetupError, Step
def fail(step):
    step.command("seq", 100, 130)
    raise SetupError("it is broken")
steps = [Step("good", lambda step: step.command("echo", "much detail"), ["an input"])]
if sys.argv[1:]: steps.append(Step("bad", fail))
failures = Schedule([step for step in steps if not step.done()]).run()
print(*failures, sep="\\n", file=sys.stderr)
"""


def install(deps: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", INSTALL, *arguments], cwd=ROOT / "scripts", text=True, timeout=30,
                          env={**os.environ, "SHOPSTREAM_DEPS": str(deps)}, capture_output=True)


def test_set_up_shows_a_line_for_each_step_and_learns_how_long_they_take(tmp_path: pathlib.Path) -> None:
    done = install(tmp_path)
    assert done.stdout.splitlines()[0] == f"Setting up: good (about 1 s; logs in {tmp_path}/log)"
    assert re.fullmatch(r"  good: \d+ s\n  set up in \d+ s\n", done.stdout.partition("\n")[2])
    assert "much detail" in (tmp_path / "log/good.log").read_text()
    assert json.loads((tmp_path / "log/times.json").read_text())["setup good"] < 30


def test_a_failed_step_shows_the_end_of_its_log(tmp_path: pathlib.Path) -> None:
    failed = install(tmp_path, "with a bad one")
    assert "bad: failed after " in failed.stdout and "set up in" not in failed.stdout
    lines = failed.stderr.splitlines()
    assert lines[0] == "error: bad: it is broken"
    assert [line.strip() for line in lines[1:-1]] == [str(n) for n in range(111, 131)]
    assert lines[-1].strip() == f"whole log: {tmp_path}/log/bad.log"
    assert install(tmp_path, "again").stdout.startswith("Setting up: bad (")  # The good one is not done twice.


PROGRESS = """
import phase, time
phase.SHORT = 0
shown = phase.Phase("Working, 8 steps", 30)
for done in range(9):
    time.sleep(0.01)
    shown.progress(done, 8, "x" * 200)
shown.end()
"""


def test_progress_is_one_line_on_a_terminal_and_few_elsewhere(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-c", PROGRESS]
    environment = {**os.environ, "SHOPSTREAM_DEPS": str(tmp_path)}
    piped = subprocess.run(command, cwd=ROOT / "scripts", env=environment, capture_output=True, text=True, timeout=30)
    assert [line[:7] for line in piped.stdout.splitlines()] == ["Working", *(f"  [{n}/8]" for n in (2, 4, 6)), "  done "]
    assert piped.stdout.startswith("Working, 8 steps (about 30 s)\n")
    terminal, writer = os.openpty()
    subprocess.run(command, cwd=ROOT / "scripts", env=environment, stdout=writer, timeout=30, check=True)
    os.close(writer)
    text = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert text.count("\n") == 2 and text.count("\r\x1b[K  [") == 8
    assert max(map(len, re.split(r"[\r\n]+", text))) < 80 + len("\x1b[K")


# Reports.


def report(folder: pathlib.Path, cases: str) -> pathlib.Path:
    path = folder / "report.xml"
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return path


def test_reports_are_added_up(tmp_path: pathlib.Path) -> None:
    counted = runner.count_report(report(tmp_path, """
        <testcase name="a" status="run" result="completed"/>
        <testcase name="b" status="run" result="completed"><failure message="2 is not 3"/></testcase>
        <testcase name="c" status="run" result="skipped"><skipped/></testcase>
        <testcase name="d"><error message="in a fixture"/></testcase>"""))
    assert str(counted) == "1 passed, 2 failed, 1 skipped"


def test_a_runner_that_failed_without_a_word_counts_as_a_failure(tmp_path: pathlib.Path) -> None:
    silent = runner.count_report(tmp_path / "never-written.xml")
    assert str(runner.insist(silent, exit_code=1)) == "0 passed, 1 failed"
    assert str(runner.insist(silent, exit_code=0)) == "0 passed, 0 failed"


@pytest.mark.parametrize(("flags", "counted"), [([], "1 passed, 1 failed"), (["--timeout=0"], "2 passed, 0 failed")])
def test_a_test_that_takes_too_long_fails(tmp_path: pathlib.Path, flags: list[str], counted: str) -> None:
    (tmp_path / "test_two.py").write_text("import time\ndef test_long():\n    time.sleep(1.1)\ndef test_short():\n    pass\n")
    # However busy this machine is.
    (tmp_path / "sitecustomize.py").write_text("import os\nos.getloadavg = lambda: (1, 1, 1)\n")
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "long_tests", "--junitxml=report.xml", *flags], cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": f"{ROOT / 'tests'}:{tmp_path}", "SHOPSTREAM_LONGEST_TEST": "1"},
                          capture_output=True, text=True, timeout=60)
    assert str(runner.count_report(tmp_path / "report.xml")) == counted, done.stdout
    assert ("test_long passed, but took 1." in done.stdout) == (not flags), done.stdout
