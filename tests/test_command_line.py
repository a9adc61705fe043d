"""What the program reports about its own flags, commands and settings; needs no cluster."""

import contextlib
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator

import pytest

from cluster import BINARY
from on_terminal import shown_on_a_terminal
from shopstream import Running
from waiting import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
COMMANDS = ("topics", "registry", "schema", "generate", "replay", "ingest", "refine", "audit", "table", "consume",
            "group", "quarantine", "lineage", "health", "query", "backup")


@functools.cache
def help_of(*command: str) -> str:
    return run(*command, "--help").stdout


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
    (["--log-format", "jsn", "audit"], "unknown log format 'jsn'; did you mean 'json'?"),
    (["--set", "log.format=xml", "audit"], "--set: log.format: 'xml' is not one of auto, text, logfmt, json"),
    (["--set", "registry.password hunter2", "audit"], "--set registry.password...: write --set key=value"),
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
    for arguments in (["--json", "--set", lake, "health", "--timeout-ms", "200"],
                      ["health", "--set", lake, "--timeout-ms", "200", "--json"],
                      ["health", "--set", lake, "--json", "--timeout-ms", "200"]):
        done = run(*arguments, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1",
                   SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:1")
        assert done.returncode == 1, done.stderr
        assert {row["component"] for row in json.loads(done.stdout)} >= {"registry", "lake"}


def test_ingest_serves_metrics(tmp_path: pathlib.Path) -> None:
    """From the start, before Kafka answers: nothing listens on port 1."""
    running = Running([str(BINARY), "ingest", "--set", "kafka.bootstrap_servers=127.0.0.1:1",
                       "--set", "registry.listen=127.0.0.1:0", "--set", f"lake.uri={tmp_path}/lake",
                       "--set", "metrics.listen=127.0.0.1:0"], ENVIRONMENT, tmp_path)
    try:
        found = wait_until(lambda: re.search(r"metrics on (http://\S+/metrics)", running.errors.read_text()), 10,
                           "ingest says where its metrics are")
        with urllib.request.urlopen(found.group(1), timeout=5) as answer:
            assert answer.status == 200
    finally:
        running.kill()


# ---- every flag, whatever is given to it

NUMBERS = ("INT", "UINT", "FLOAT", "N", "R", "S", "X", "0..1", "TIME", "OFFSET")
NO_NUMBERS = ("", "x", "nan", "-nan", "inf", "-1", "1e308", "-1e308", "1e-320", "99999999999999999999", "0x10", " 5",
              "5 ", "1,5", "٣")


def options_of(command: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(command, flag or positional, placeholder of its value) of a command and those below it, from its help."""
    text = help_of(*command)
    section, below = "", []
    for line in text.splitlines():
        if line and not line.startswith(" "):
            section = line.rstrip(":")
        elif section in ("Options", "Positionals") and (found := re.match(r"  (\S+) (\S+)", line)):
            yield command, found[1].split(",")[-1], found[2].split("=")[0]  # "-n,--max INT"
        elif section == "Subcommands" and (found := re.match(r"  (\S+)  ", line)):
            below.append(found[1])
    for name in below:
        yield from options_of((*command, name))


def test_no_number_given_to_a_flag_is_more_than_wrong_usage() -> None:
    """The flags come from the program's own help, so that a new one is tested as well."""
    tried = 0
    for command, option, placeholder in options_of(()):
        if placeholder not in NUMBERS or not command:
            continue
        for value in NO_NUMBERS:
            if placeholder == "0..1" and value == "1e-320":
                continue  # It is one.
            given = [f"{option}={value}"] if option.startswith("-") else [value]
            others = ["0"] if option == "OFFSET" else []
            done = run(*command, *others, *given)
            words = f"$ {' '.join(command)} {given}: {done.returncode} {done.stderr}"
            assert done.returncode == 2 and done.stdout == "", words
            assert done.stderr.startswith("shopstream: ") and done.stderr.count("\n") == 1, words
            assert len(done.stderr) < 400, words
            tried += 1
    assert tried > 150


@pytest.mark.parametrize(("arguments", "message"), [
    (["quarantine", "show", "x", "1"], "PARTITION: 'x' is not a whole number from 0 to 2147483647"),
    (["consume", "--max", "0"], "--max: '0' is not a whole number of 1 or more"),
    (["consume", "-o", "-x"], "--offset: '-x' is not one of start, end, an offset, +N (after the start), -N (before the end)"),
    (["consume", "--offset=@yesterday"], "--offset: '@yesterday' is not one of start"),
    (["consume", "-p", "0,"], "--partition: '0,' is not a partition, such as 1, or several, such as 0,2"),
    (["consume", "--offset", "5", "--from-beginning"], "--offset excludes --from-beginning"),
    (["generate", "--rate", "1e308"], "--rate: '1e308' is not a number from 0.000001 to 1000000000"),
    (["quarantine", "list", "--cause", "korrupt"], "unknown cause 'korrupt'; did you mean 'corrupt'? (causes are empty, "),
    (["--config", ".", "audit"], ".: this is a folder; name a configuration file"),
    (["tabel"], "did you mean 'table'? See `shopstream --help`"),
    (["--set", "lake.quarantine_table=bronze-events", "audit"], "are both 'bronze-events': give each its own table"),
])
def test_wrong_values_are_named_in_words(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr, done.stderr


@pytest.mark.parametrize(("text", "message"), [
    ("kafka: hello\n", "1: 'kafka' is a section: write its settings below it, indented, such as `topic: ...`"),
    ("just some words\n", "1: expected sections such as `kafka:`"),
    ("kafka:\n\ttopic: x\n", "(the line begins with a tab: indent with spaces)"),
    ("kafka: [1, 2]\n", "must be a value or a map, not a list"),
    ("\x00\x01\x02", "pipeline.yaml"),
    ("a: *b\n", "not valid YAML"),
    ("{" * 3000, "pipeline.yaml"),
], ids=["section", "words", "tab", "list", "bytes", "alias", "deep"])
def test_a_file_that_is_no_configuration_is_named(tmp_path: pathlib.Path, text: str, message: str) -> None:
    config = tmp_path / "pipeline.yaml"
    config.write_text(text)
    done = run("--config", str(config), "audit")
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1, done.stderr


# ---- completion, manual, default configuration, tables

def commands_below(command: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    text = help_of(*command)
    for name in re.findall(r"^  ([a-z-]+)  ", text.partition("Subcommands:")[2].partition("\n\n")[0], re.MULTILINE):
        yield (*command, name)
        yield from commands_below((*command, name))


def completed(script: pathlib.Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    done = subprocess.run(["bash", "-c", 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shopstream; '
                           'printf "%s\\n" "${COMPREPLY[@]}"', "bash", str(script), "shopstream", *words],
                          capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout.split()


def test_completion_knows_every_command(tmp_path: pathlib.Path) -> None:
    commands = list(commands_below())
    assert ("table", "optimize") in commands and len(commands) > 30
    for shell in "bash", "zsh", "fish":
        script = tmp_path / shell
        script.write_text(run("completion", shell).stdout)
        text = script.read_text()
        assert all(f"'{' ' if len(command) == 1 else ''}{' '.join(command)}'" in text for command in commands)
        if program := shutil.which(shell):
            check = {"fish": "--no-execute"}.get(shell, "-n")
            subprocess.run([program, check, str(script)], check=True, timeout=30)
    bash = tmp_path / "bash"
    assert completed(bash, "tab") == ["table"]
    assert completed(bash, "--json", "table", "v") == ["vacuum", "verify"]
    assert completed(bash, "table", "optimize", "--dr") == ["--dry-run"]
    assert completed(bash, "consume", "--of") == ["--offset"]
    assert completed(bash, "--config", "") == []  # Files, by the shell.
    assert {"list", "describe", "--json", "--help"} <= set(completed(bash, "table", ""))
    done = run("completion", "bahs")
    assert done.returncode == 1 and "did you mean 'bash'?" in done.stderr


def test_the_manual_has_every_command_flag_and_setting() -> None:
    page = run("man").stdout
    if man := shutil.which("man"):
        done = subprocess.run([man, "--warnings", "-l", "-"], input=page, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "MANWIDTH": "100", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        assert (done.returncode, done.stderr) == (0, "")
        assert "shopstream - A real-time purchase pipeline" in re.sub(r".\x08", "", done.stdout)
    plain = page.replace("\\-", "-")
    for command, option, _ in options_of(()):
        assert option in plain, (command, option)
    for command in commands_below():
        assert any(line.startswith(f'.SS "shopstream {" ".join(command)}') for line in plain.splitlines()), command
    assert "\\fBkafka.bootstrap_servers\\fR" in page


def test_the_default_configuration_is_found_beside_the_program(tmp_path: pathlib.Path) -> None:
    def used(program: pathlib.Path, folder: pathlib.Path) -> str:
        done = subprocess.run([program, "--help"], env=ENVIRONMENT, cwd=folder, capture_output=True, text=True,
                              timeout=30, check=True)
        return re.findall(r"--config FILE \[(.*)\]", done.stdout)[0]

    def lake(program: pathlib.Path, folder: pathlib.Path) -> str:
        done = subprocess.run([program, "table", "list"], env=ENVIRONMENT, cwd=folder, capture_output=True, text=True,
                              timeout=30)
        assert done.returncode == 1
        return done.stderr

    elsewhere = tmp_path / "elsewhere"
    for name in "elsewhere", "bin", "share/shopstream/config", "checkout/build/release", "checkout/config":
        (tmp_path / name).mkdir(parents=True)
    installed, built = tmp_path / "bin/shopstream", tmp_path / "checkout/build/release/shopstream"
    shutil.copy(BINARY, installed)
    os.link(installed, built)
    assert used(installed, elsewhere) == "config/pipeline.yaml"
    for config in "share/shopstream", "checkout":
        (tmp_path / config / "config/pipeline.yaml").write_text("lake:\n  uri: my-lake\n")
    (tmp_path / "checkout/CMakeLists.txt").touch()
    assert used(installed, elsewhere) == f"{tmp_path}/share/shopstream/config/pipeline.yaml"
    assert f"{elsewhere}/my-lake" in lake(installed, elsewhere)
    # A checkout's lake is in the checkout, wherever the program is called.
    assert used(built, elsewhere) == f"{tmp_path}/checkout/config/pipeline.yaml"
    assert f"{tmp_path}/checkout/my-lake" in lake(built, elsewhere)
    # The working folder's own file comes first.
    (elsewhere / "config").mkdir()
    (elsewhere / "config/pipeline.yaml").write_text("lake:\n  uri: here\n")
    assert f"{elsewhere}/here" in lake(built, elsewhere)


def test_tables_fit_the_terminal_and_show_states_in_colour(tmp_path: pathlib.Path) -> None:
    arguments = ["health", "--timeout-ms", "200", "--set", f"lake.uri={tmp_path}/lake", "--set",
                 "kafka.bootstrap_servers=127.0.0.1:1", "--set", "registry.url=http://127.0.0.1:1"]
    for columns in 40, 80, 200:
        text = shown_on_a_terminal(columns, [BINARY, *arguments], ENVIRONMENT)
        assert "\x1b[31mdown\x1b[0m" in text
        lines = re.sub(r"\x1b\[\d+m", "", text).splitlines()
        assert lines and max(map(len, lines)) <= columns
        assert (lines[0].startswith("component:")) == (columns == 40)
    assert "\x1b" not in shown_on_a_terminal(80, ["env", "NO_COLOR=1", BINARY, *arguments], ENVIRONMENT)
    done = run(*arguments)
    assert "\x1b" not in done.stdout and "\n" in done.stdout


# ---- a lake that is not there

@pytest.mark.parametrize("command", [("quarantine", "list"), ("quarantine", "show", "0", "0"), ("audit",),
                                     ("table", "list"), ("table", "describe", "bronze-events"),
                                     ("table", "history", "bronze-events"), ("table", "files", "bronze-events"),
                                     ("table", "verify", "bronze-events"), ("table", "vacuum", "bronze-events"),
                                     ("table", "optimize", "bronze-events"), ("table", "repair", "bronze-events"),
                                     ("query", "SELECT count(*) FROM bronze_events")])
def test_an_absent_lake_is_an_error_with_its_absolute_path(command: tuple[str, ...], tmp_path: pathlib.Path) -> None:
    done = subprocess.run([str(BINARY), "--set", "lake.uri=lake", "--set", "kafka.bootstrap_servers=127.0.0.1:1",
                           *command], env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and done.stdout == "", done
    assert f"{tmp_path}/lake" in done.stderr and "lake.uri" in done.stderr, done.stderr
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(("uri", "message"), [
    ("s3:/x", "write s3://bucket/prefix"),
    ("s3:bucket", "write s3://bucket/prefix"),
    ("file:/x", "write file:///absolute/path"),
    ("~/lake", "only a shell expands '~'"),
    ("/etc/passwd", "/etc/passwd is a file: name a folder"),
    ("gs://x/y", "'gs' storage is not supported"),
])
def test_a_root_that_cannot_be_a_lake_is_refused(uri: str, message: str, tmp_path: pathlib.Path) -> None:
    for command in (("table", "list"), ("storage", "test"), ("ingest", "--until-caught-up")):
        done = subprocess.run([str(BINARY), "--set", f"lake.uri={uri}", *command], env=ENVIRONMENT, cwd=tmp_path,
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and message in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def web_server() -> Iterator[str]:
    """A server that is neither a registry nor S3."""
    class Answers(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"<html>nothing here</html>")

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@pytest.mark.parametrize("command", [("table", "list"), ("storage", "test"), ("quarantine", "list"), ("audit",)])
def test_an_endpoint_that_is_no_s3_service_is_named(command: tuple[str, ...], web_server: str) -> None:
    done = run(*command, SHOPSTREAM_LAKE_URI="s3://bucket/lake", SHOPSTREAM_S3_ENDPOINT=web_server,
               SHOPSTREAM_S3_ACCESS_KEY="x", SHOPSTREAM_S3_SECRET_KEY="y")
    assert done.returncode == 1 and "s3.endpoint" in done.stdout + done.stderr, done


@pytest.mark.parametrize(("url", "message"), [
    ("http://127.0.0.1:1", "connection refused: start the server, or correct registry.url"),
    ("http://nohost.invalid:8082", "the host name is not known: correct registry.url"),
    ("closes", "closed without an HTTP answer: correct registry.url"),
    ("web", "is registry.url the URL of a schema registry?"),
])
def test_a_wrong_registry_is_named_with_its_setting(url: str, message: str, web_server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closes:
        threading.Thread(target=_close_all, args=(closes,), daemon=True).start()
        urls = {"web": web_server, "closes": f"http://127.0.0.1:{closes.getsockname()[1]}"}
        done = run("schema", "list", SHOPSTREAM_REGISTRY_URL=urls.get(url, url))
    assert done.returncode == 1 and message in done.stderr, done.stderr


def _close_all(server: socket.socket) -> None:
    """Accepts each connection, and closes it once the request has come."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
