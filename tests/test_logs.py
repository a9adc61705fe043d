"""What every command writes to stderr in the formats for programs, and that no log shows a secret."""

import concurrent.futures
import contextlib
import datetime
import http.server
import json
import pathlib
import re
import subprocess
import threading
from collections.abc import Iterator

import pytest

from cluster import BINARY
from probes import get
from shopstream import Shopstream
from test_command_line import commands_below
from waiting import wait_until

LEVELS = ("debug", "info", "warn", "error")
LOGFMT = re.compile(r'time=(\S+) level=(\w+) msg=("(?:[^"\\]|\\["\\bfnrt/]|\\u[0-9a-f]{4})*")(?: suppressed=(\d+))?')
SERVICES = (("ingest",), ("refine", "--watch"), ("observe",), ("registry",), ("console",))

# What each command is tried with: once so that it works, if that is quick, and once so that it fails. Commands that are
# not named here are tried without arguments.
ARGUMENTS: dict[str, list[list[str]]] = {
    "topics create": [["another-topic", "--partitions", "0"], ["TOPIC"]],
    "topics expand": [["--partitions", "1"]],
    "topics describe": [[], ["absent-topic"]],
    "schema register": [[], ["/nonexistent.avsc"]],
    "schema show": [["TOPIC-value"], ["absent"]],
    "schema check": [["schemas/purchase_event.avsc"], ["/nonexistent.avsc"]],
    "schema diff": [["schemas/purchase_event.avsc"], ["/nonexistent.avsc"]],
    "generate": [["--count", "50", "--malformed-share", "0.2"], ["--rate", "x"]],
    "replay": [["absent-source"]],
    "ingest": [["--until-caught-up"]],
    "refine": [[]],
    "refine accept": [["no-such-rule"]],
    "table describe": [["bronze-events"], ["absent"]],
    "table history": [["bronze-events"], ["absent"]],
    "table files": [["bronze-events"], ["absent"]],
    "table vacuum": [["bronze-events"], ["absent"]],
    "table verify": [["bronze-events", "--deep"], ["absent"]],
    "table optimize": [["bronze-events"], ["absent"]],
    "table repair": [["bronze-events"], ["absent"]],
    "table erase": [["event_id = 'none'"], ["a line\nbreak"]],
    "table retain": [["bronze-events", "9000d"], ["absent", "1d"]],
    "table archive": [["bronze-events", "--before", "2000-01-01", "--to", "/nonexistent/place", "--dry-run"],
                      ["absent", "--before", "2000-01-01", "--to", "/nonexistent/place"]],
    "query": [['SELECT count(*) FROM "bronze-events"'], ["SELEC\n1"]],
    "consume": [["--from-beginning", "--max", "3"], ["--filter", "amount >"]],
    "group describe": [[], ["absent-group"]],
    "group reset-offsets": [["a-group", "--to-earliest"], ["--to-earliest"]],
    "quarantine show": [["0", "0"], ["7", "7"]],
    "progress accept-loss": [["0"]],
    "completion": [["bash"], ["bsh"]],
    "health": [[], ["--set", "registry.url=http://127.0.0.1:1"]],
}


def events(text: str, log_format: str) -> list[dict[str, str]]:
    """Every line, parsed strictly."""
    found = []
    for line in text.splitlines():
        if log_format == "json":
            event = json.loads(line)
        else:
            parts = LOGFMT.fullmatch(line)
            assert parts, line
            event = {"time": parts[1], "level": parts[2], "msg": json.loads(parts[3])}
            event |= {"suppressed": int(parts[4])} if parts[4] else {}
        assert list(event) in (["time", "level", "msg"], ["time", "level", "msg", "suppressed"]), line
        assert event["level"] in LEVELS and event["msg"].isprintable(), line
        assert datetime.datetime.fromisoformat(event["time"]).tzinfo == datetime.timezone.utc, line
        found.append(event)
    return found


def lines_of_commands(program: Shopstream) -> list[list[str]]:
    """Every command of the program's help, with arguments."""
    lines = []
    for command in commands_below():
        name = " ".join(command)
        # Not the groups of commands, and not what runs until it is stopped.
        if command in SERVICES and name not in ARGUMENTS:
            continue
        for arguments in ARGUMENTS.get(name, [[]]):
            lines.append([*command, *(word.replace("TOPIC", program.topic) for word in arguments)])
    return lines


@pytest.fixture
def filled(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    shopstream.run("generate", "--count", 200, "--malformed-share", 0.1)
    shopstream.run("ingest", "--until-caught-up")
    return shopstream


def test_every_line_of_every_command_is_an_event(filled: Shopstream) -> None:
    lines = lines_of_commands(filled)
    assert len(lines) > 50

    def run(line: list[str], log_format: str) -> tuple[int, list[dict[str, str]]]:
        done = filled.run(*line, expect=None, SHOPSTREAM_LOG_FORMAT=log_format, SHOPSTREAM_LOG_LEVEL="debug")
        assert done.returncode in (0, 1, 2, 3), (line, done)
        found = events(done.stderr, log_format)
        failed = done.returncode in (1, 2) and not done.stdout
        assert not failed or found[-1]["level"] == "error", (line, done)
        return done.returncode, found

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        tried = [pool.submit(run, line, log_format) for line in lines for log_format in ("logfmt", "json")]
        results = [one.result() for one in tried]
    assert {code for code, _ in results} >= {0, 1, 2}
    assert {event["level"] for _, found in results for event in found} >= {"debug", "info", "error"}


def test_the_log_of_a_service_is_for_programs(filled: Shopstream) -> None:
    """Without a setting it is logfmt, because stderr is no terminal."""
    anywhere = dict.fromkeys(("SHOPSTREAM_METRICS_LISTEN", "SHOPSTREAM_REGISTRY_LISTEN", "SHOPSTREAM_CONSOLE_LISTEN"),
                             "127.0.0.1:0")
    running = [(filled.start(*words, **anywhere, SHOPSTREAM_LOG_FORMAT=log_format), log_format)
               for words in SERVICES for log_format in ("auto", "json")]
    for service, _ in running:
        wait_until(lambda: service.says("metrics on") or service.says("listening on"), 30, "it serves")
    for service, log_format in running:
        assert service.stop() == 0, service.words()
        found = events(service.errors.read_text(), "logfmt" if log_format == "auto" else log_format)
        assert found, service.words()


# ---- secrets

class Echo(http.server.BaseHTTPRequestHandler):
    """A server that answers with what it was asked, over several lines, as some proxies do."""

    def do_GET(self) -> None:
        body = f"refused:\r\n2025-10-24T08:15:30.123 error   forged\n{self.requestline}\n{SECRETS}\x1b[2J".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


SECRETS = {name: f"{name}-hunter2-{number}" for number, name in enumerate(
    ["registry-password", "in-the-url", "in-the-endpoint", "sasl-password", "key-password", "s3-secret", "s3-token",
     "aws-secret", "jaas", "typo", "bearer"])}
WITH_SECRETS = {
    "SHOPSTREAM_REGISTRY_USERNAME": "somebody", "SHOPSTREAM_REGISTRY_PASSWORD": SECRETS["registry-password"],
    "SHOPSTREAM_S3_ACCESS_KEY": "AKIA", "SHOPSTREAM_S3_SECRET_KEY": SECRETS["s3-secret"],
    "SHOPSTREAM_S3_SESSION_TOKEN": SECRETS["s3-token"], "AWS_SECRET_ACCESS_KEY": SECRETS["aws-secret"],
    "SHOPSTREAM_KAFKA_SECURITY_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "SHOPSTREAM_KAFKA_SECURITY_SASL_MECHANISM": "PLAIN", "SHOPSTREAM_KAFKA_SECURITY_SASL_USERNAME": "somebody",
    "SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD": SECRETS["sasl-password"],
    "SHOPSTREAM_KAFKA_SECURITY_DEBUG": "all", "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
}
WRONG = [  # Settings that make a command fail, each with a secret in it.
    (["schema", "list"], "registry.url=http://somebody:{in-the-url}@"),
    (["health", "--timeout-ms", "200"], "registry.url=http://a:{in-the-url}@b@127.0.0.1:1"),
    (["schema", "list"], "registry.url=ftp://somebody:{in-the-url}@127.0.0.1"),
    (["schema", "list"], "registry.pasword={typo}"),
    (["schema", "list"], "registry.password {typo}"),
    (["table", "list"], "lake.uri=s3://AKIA:{s3-secret}@lake"),
    (["table", "list"], "lake.uri=s3://lake", "s3.endpoint=http://AKIA:{in-the-endpoint}@127.0.0.1:1"),
    (["table", "list"], "lake.uri=s3://lake", "s3.secret_key={s3-secret}", "s3.access_key="),
    (["topics", "list"], "kafka.security.ssl.key.password={key-password}", "kafka.security.ssl.key.location=/no.pem",
     "kafka.security.security.protocol=SSL"),
    (["topics", "list"], "kafka.security.ssl.key.pem={key-password}", "kafka.security.security.protocol=SSL"),
    (["topics", "list"], "kafka.security.sasl.jaas.config=password={jaas}"),
    (["topics", "list"], "kafka.security.sasl.oauthbearer.config=secret={bearer}",
     "kafka.security.sasl.mechanism=OAUTHBEARER"),
]


@contextlib.contextmanager
def echo_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def test_no_log_has_a_secret(tmp_path: pathlib.Path) -> None:
    """At level debug, with settings that make each command fail, against a server that repeats what it is told."""
    with echo_server() as host:
        url = f"registry.url=http://somebody:{SECRETS['in-the-url']}@{host}"
        lake = ["lake.uri=s3://lake", f"s3.endpoint=http://{host}"]
        lines = [["health", "--timeout-ms", "500"], ["schema", "show", "x"], ["table", "list"], ["storage", "test"],
                 ["schema", "register", "schemas/purchase_event.avsc"], ["topics", "list"], ["generate", "--count", "1"]]
        asked = [(line, [url, *lake]) for line in lines]
        asked += [(line, [text.format(**SECRETS) for text in wrong]) for line, *wrong in WRONG]

        def run(line: list[str], settings: list[str], log_format: str) -> str:
            words = [str(BINARY), *line, *(word for text in settings for word in ("--set", text))]
            done = subprocess.run([*words, "--log-level", "debug", "--log-format", log_format], cwd=tmp_path,
                                  env=WITH_SECRETS, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
            assert done.returncode in (1, 2, 3), (words, done)
            if log_format != "text":
                events(done.stderr, log_format)
            shown = done.stderr
            assert not [secret for secret in SECRETS.values() if secret in shown], (words, shown)
            assert "\x1b" not in shown and "\n2025-10-24T08:15:30.123" not in shown, (words, shown)
            return shown

        formats = ("text", "logfmt", "json")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            shown = "".join(pool.map(lambda one: run(*one[1], formats[one[0] % 3]), enumerate(asked)))
    assert "(hidden)" in shown and "forged" in shown and "kafka client: " in shown
