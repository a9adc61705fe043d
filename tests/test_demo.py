"""How ./run demo runs the program and shows what it says. The whole demo takes minutes, so no test runs it."""

import pathlib

import pytest

import demo
from cluster import Cluster
from places import DEPS


@pytest.fixture
def program(cluster: Cluster, tmp_path: pathlib.Path) -> demo.Program:
    return demo.Program(cluster, demo.Lake.on_disk(tmp_path / "lake"), demo.Screen(steps=1))


def test_the_programs_log_does_not_break_the_layout(program: demo.Program, capsys: pytest.CaptureFixture[str]) -> None:
    program.run("topics", "setup")
    assert program.run("generate", "--count", "1000")["acknowledged"] == 1000
    assert program.run("ingest", "--until-caught-up")["rows"] == 1000
    with pytest.raises(demo.DemoError, match=r"(?s)schema show.*exited with code 1"):
        program.run("schema", "show", "no-such-subject")
    shown = capsys.readouterr().out
    assert "no-such-subject" in shown  # The program's own last words.
    assert "metrics on" not in shown  # News passes on a terminal, and only there.
    assert all(line.startswith("      ") for line in shown.splitlines()), shown


def test_warnings_stay_and_progress_passes(program: demo.Program, capsys: pytest.CaptureFixture[str]) -> None:
    program._relay(["2026-11-24T06:00:00.123 warning registry: no answer yet\n",
                    "2026-11-24T06:00:01.123 info    1,000 events\n", "shopstream: its last line\n"])
    assert capsys.readouterr().out == "      warning: registry: no answer yet\n      shopstream: its last line\n"


def test_the_real_purchases_are_found_wherever_the_dependencies_are(tmp_path: pathlib.Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").symlink_to(DEPS / "data")
    monkeypatch.setattr(demo, "DEPS", tmp_path)
    mapping = demo.source_mapping().read_text()
    assert "../../.deps" not in mapping and f"{tmp_path}/data/complete_journey/transactions.parquet" in mapping
