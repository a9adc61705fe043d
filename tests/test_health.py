"""`health --watch`, and remedies that fit the host. test_observe.py has the states, test_refusals.py and
test_permissions.py what may not be seen."""

import contextlib
import http.server
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from cluster import Cluster
from shopstream import Shopstream
from waiting import wait_until

def watch(timeout_ms: int) -> tuple[object, ...]:
    return "health", "--watch", "--interval-ms", 200, "--timeout-ms", timeout_ms


def test_watch_prints_the_changes(shopstream: Shopstream, cluster: Cluster) -> None:
    shopstream.run("topics", "setup")
    text, lines = shopstream.start(*watch(4_000)), shopstream.start("--json", *watch(4_000))
    broker = f"broker 127.0.0.1:{cluster.ports.broker(2)}"
    wait_until(lambda: "ingest" in text.output.read_text() and lines.output.read_text().count("\n") > 1, 30,
               "both have printed a report")
    cluster.stop_brokers([2])
    wait_until(lambda: f" {broker}: ok -> down: " in text.output.read_text(), 60, "the broker is down")
    cluster.start_brokers()
    wait_until(lambda: f" {broker}: down -> ok: " in text.output.read_text(), 60, "the broker is up again")

    def states() -> dict[str, str]:
        """What the reports say of the broker: since when it has had which state."""
        reports = map(json.loads, lines.output.read_text().rpartition("\n")[0].splitlines())
        return {one["since"]: one["state"] for report in reports for one in report["components"]
                if one["component"] == broker}

    # On a busy machine a check may be late once more, so only the order counts.
    wait_until(lambda: re.search("ok.*down.*ok", " ".join(states().values())), 60, "three states one after another")
    for running in text, lines:
        running.signal(signal.SIGINT)
        assert running.wait(20) == 0, running.words()


def test_watch_redraws_a_terminal(tmp_path: pathlib.Path, session_cluster: Cluster) -> None:
    outer, inner = pty.openpty()
    command = [session_cluster.binary, *map(str, watch(2000)), "--set", f"lake.uri={tmp_path}/lake", "--set",
               "kafka.bootstrap_servers=127.0.0.1:1", "--set", "registry.url=http://127.0.0.1:1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHOPSTREAM_", "NO_COLOR"))}
    with subprocess.Popen(command, env={**environment, "TERM": "xterm"}, stdout=inner, stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as program:
        os.close(inner)
        shown, is_stopped, deadline = b"", False, time.monotonic() + 60
        with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error.
            while select.select([outer], [], [], max(0.0, deadline - time.monotonic()))[0]:
                if not (piece := os.read(outer, 65_536)):
                    break
                shown += piece
                if not is_stopped and shown.count(b"\x1b[H\x1b[2J") >= 2:
                    program.send_signal(signal.SIGINT)
                    is_stopped = True
        if time.monotonic() >= deadline:
            program.kill()
        assert program.wait(30) == 0, shown
    os.close(outer)
    assert b"\x1b[31mdown\x1b[0m" in shown and shown.count(b"press Ctrl-C to stop") >= 2


@pytest.fixture
def closed_registry(request: pytest.FixtureRequest) -> Iterator[str]:
    """Another vendor's registry, which answers with this status."""
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(request.param)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def rows(world: Shopstream, **settings: str) -> dict[str, dict[str, str]]:
    done = world.run("--json", "health", "--timeout-ms", 2000, expect=None, **settings)
    return {row["component"]: row for row in json.loads(done.stdout)}


@pytest.mark.parametrize(("closed_registry", "state", "remedy"), [
    (401, "down", "set registry.username and registry.password"),
    (403, "not allowed to see", "grant registry.username the permission to read subjects"),
], indirect=["closed_registry"])
def test_a_refused_login_is_down_and_a_missing_permission_is_not(
        shopstream: Shopstream, closed_registry: str, state: str, remedy: str) -> None:
    row = rows(shopstream, SHOPSTREAM_REGISTRY_URL=closed_registry)["registry"]
    assert (row["state"], row["remedy"]) == (state, remedy)


def test_remedies_name_the_host_that_needs_them(shopstream: Shopstream) -> None:
    here = rows(shopstream, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", SHOPSTREAM_REGISTRY_URL="http://localhost:1")
    assert "./run up" in here["broker 127.0.0.1:1"]["remedy"] and "`shopstream registry`" in here["registry"]["remedy"]
    there = rows(shopstream, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="kafka-1.invalid:9092",
                 SHOPSTREAM_REGISTRY_URL="https://registry.invalid:8081/x")
    assert there["broker kafka-1.invalid:9092"]["remedy"].startswith("start Kafka on kafka-1.invalid (")
    assert there["registry"]["remedy"].startswith("start the registry on registry.invalid (")
    assert not re.search(r"\./run", json.dumps(there)), there
