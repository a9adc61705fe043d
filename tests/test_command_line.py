"""What the program reports about its own flags, commands and settings; needs no cluster."""

import json
import os
import pathlib
import re
import subprocess
import urllib.request

import pytest

from cluster import BINARY
from shopstream import Running
from waiting import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
COMMANDS = ("topics", "registry", "schema", "generate", "replay", "ingest", "audit", "table", "consume", "group",
            "quarantine", "health")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BINARY), *arguments], env={**ENVIRONMENT, **environment}, capture_output=True,
                          text=True, timeout=30, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(("arguments", "message"), [
    (["ingets"], "unknown command 'ingets'; did you mean 'ingest'?"),
    (["topics", "lst"], "unknown command 'lst' of `shopstream topics`; did you mean 'list'?"),
    (["audit", "--limti", "5"], "unknown flag '--limti'; did you mean '--limit'?"),
    (["audit", "--jsn"], "unknown flag '--jsn'; did you mean '--json'?"),
    (["audit", "extra"], "unexpected argument 'extra'"),
    (["audit", "--limit", "many"], "--limit"),
    ([], "`shopstream` needs a command"),
    (["quarantine"], "`shopstream quarantine` needs a command"),
    (["--set", "kafka.topc=x", "audit"], "--set: unknown setting 'kafka.topc'; did you mean 'kafka.topic'?"),
    (["audit", "--set", "ingest.batch_size=0"], "--set: ingest.batch_size: 0 is out of bounds"),
    (["--log-level", "inof", "audit"], "unknown log level 'inof'; did you mean 'info'?"),
    (["--config", "/nonexistent.yaml", "audit"], "/nonexistent.yaml: no such configuration file"),
])
def test_wrong_usage_is_named_with_what_was_meant(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("shopstream: ") and done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_slip_in_the_environment_is_wrong_usage() -> None:
    done = run("audit", SHOPSTREAM_KAFKA_TOPICS="x")
    assert done.returncode == 2
    assert "did you mean 'SHOPSTREAM_KAFKA_TOPIC'?" in done.stderr


def test_a_slip_in_the_file_is_named_with_its_line(tmp_path: pathlib.Path) -> None:
    config = tmp_path / "pipeline.yaml"
    config.write_text("kafka:\n  gruop: x\n")
    done = run("--config", str(config), "audit")
    assert done.returncode == 2
    assert f"{config}:2: unknown setting 'kafka.gruop'; did you mean 'kafka.group'?" in done.stderr


def test_help_lists_commands_and_settings() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name in (*COMMANDS, "kafka.bootstrap_servers", "ingest.batch_size", "kafka.security.*"):
        assert name in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert done.stdout and not done.stderr


def test_version() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("shopstream ")


def test_global_flags_may_stand_before_or_after_the_command(tmp_path: pathlib.Path) -> None:
    lake = f"lake.uri={tmp_path}/lake"
    for arguments in (["--json", "--set", lake, "quarantine", "list"],
                      ["quarantine", "list", "--set", lake, "--json"],
                      ["quarantine", "--set", lake, "list", "--json"]):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"rows": [], "matching": 0, "by_cause": []}


def test_ingest_serves_metrics(tmp_path: pathlib.Path) -> None:
    """From the start, before Kafka answers: nothing listens on port 1."""
    running = Running([str(BINARY), "ingest", "--set", "kafka.bootstrap_servers=127.0.0.1:1",
                       "--set", "registry.listen=127.0.0.1:0", "--set", f"lake.uri={tmp_path}/lake",
                       "--set", "metrics.listen=127.0.0.1:0"], ENVIRONMENT, tmp_path)
    try:
        found = wait_until(lambda: re.search(r"metrics on (http://\S+)", running.errors.read_text()), 10,
                           "ingest says where its metrics are")
        with urllib.request.urlopen(found.group(1), timeout=5) as answer:
            assert answer.status == 200
    finally:
        running.kill()
