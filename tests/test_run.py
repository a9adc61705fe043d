"""./run itself: its answer to typos, and how it adds up test reports."""

import os
import pathlib
import subprocess

import cluster as local_cluster
import run_tests as runner

ROOT = local_cluster.ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "run", *arguments], env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=30)


def test_alone_it_lists_the_commands() -> None:
    listed = run()
    assert listed.returncode == 0
    for command in "setup build demo test bench up down lint format".split():
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
    for command in ("up", "demo", "test", "bench", "lint", "format", "status"):
        shown = run(command, "--help", SHOPSTREAM_DEPS=str(tmp_path / "absent"))
        assert shown.returncode == 0 and "usage: ./run" in shown.stdout, (command, shown.stderr)
    assert not (tmp_path / "absent").exists()


def test_before_set_up_the_remedy_is_named(tmp_path: pathlib.Path) -> None:
    failed = run("status", SHOPSTREAM_DEPS=str(tmp_path / "absent"))
    assert failed.returncode == 1 and "nothing is set up yet" in failed.stderr, failed.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    failed = run("setup", SHOPSTREAM_DEPS=str(tmp_path / "file/deps"))
    assert failed.returncode == 1 and "Traceback" not in failed.stderr, failed.stderr
    assert "cannot write to" in failed.stderr and "SHOPSTREAM_DEPS" in failed.stderr


def test_setup_has_nothing_to_do_a_second_time() -> None:
    assert "nothing is missing" in run("setup").stdout


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
