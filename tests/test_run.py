"""./run itself: its answer to typos, and how it adds up test reports."""

import pathlib
import subprocess

import cluster as local_cluster
import run_tests as runner

ROOT = local_cluster.ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "run", *arguments], capture_output=True, text=True, timeout=30)


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
