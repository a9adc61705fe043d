"""Runs `shopstream` in a test, isolated (own topic, group and lake), and always cleans up."""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from cluster import Cluster

CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}  # Exit codes.
# Few records make no cut due, so that they wait for up to 30 s.
COMMITS_SOON = {"SHOPSTREAM_INGEST_BATCH_TIMEOUT_SECONDS": "1"}
# While all brokers are away, the Kafka client tries again ever more rarely, up to every 10 s. It learns every 5 s which
# brokers answer.
RECONNECTS_SOON = {"SHOPSTREAM_KAFKA_SECURITY_RECONNECT_BACKOFF_MAX_MS": "500",
                   "SHOPSTREAM_KAFKA_SECURITY_STATISTICS_INTERVAL_MS": "1000"}


class Running:
    """A `shopstream` that runs alongside the test; its output is in `output` and `errors`."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: pathlib.Path):
        self.output = folder / "stdout.log"
        self.errors = folder / "stderr.log"
        self.command = command
        with open(self.output, "wb") as output, open(self.errors, "wb") as errors:
            self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                             stdout=output, stderr=errors, start_new_session=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def crashed(self) -> bool:
        return self._process.poll() in CRASHES

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, which also kills a process stopped with SIGSTOP."""
        self._process.kill()
        self._process.wait(timeout=10)

    def wait(self, timeout: float) -> int:
        """The exit code."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.words()}\nstill runs after {timeout:g} s") from None

    def stop(self, timeout: float = 30) -> int:
        """SIGTERM, then the exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def says(self, words: str) -> bool:
        """Whether these words are in its log by now."""
        return words in self.errors.read_text(errors="replace")

    def metrics(self) -> str:
        """What /metrics shows; empty until it is served."""
        found = re.search(r'metrics on (http://[^\s"]+)', self.errors.read_text(errors="replace"))
        if not found:
            return ""
        with urllib.request.urlopen(found[1], timeout=5) as answer:
            return answer.read().decode()

    def words(self) -> str:
        """The output to show if an assertion fails."""
        return (f"$ {' '.join(self.command)}\nstdout: {_end(self.output)}\nstderr: {_end(self.errors)}")


class Shopstream:
    """`shopstream` against one cluster, with a topic, a group and a lake that no other test uses."""

    def __init__(self, cluster: Cluster, folder: pathlib.Path, name: str):
        self.cluster = cluster
        self.folder = folder
        self.topic = name
        self.group = f"{name}-group"
        self.lake = folder / "lake"
        self._started: list[Running] = []
        self._config = folder / "pipeline.yaml"
        self._config.write_text("# Everything comes from the environment.\n")

    def environment(self, **settings: str) -> dict[str, str]:
        """settings: further variables, e.g. SHOPSTREAM_INGEST_BATCH_SIZE="1000"."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")},
            "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.cluster.bootstrap_servers,
            "SHOPSTREAM_KAFKA_TOPIC": self.topic,
            "SHOPSTREAM_KAFKA_GROUP": self.group,
            "SHOPSTREAM_REGISTRY_URL": self.cluster.registry_url,
            "SHOPSTREAM_LAKE_URI": str(self.lake),
            "SHOPSTREAM_METRICS_LISTEN": "",
            "SHOPSTREAM_LOG_FORMAT": "text",  # As people see it; tests/test_logs.py tests the others.
            **settings,
        }

    def command(self, *arguments: object) -> list[str]:
        return [str(self.cluster.binary), "--config", str(self._config), *map(str, arguments)]

    def run(self, *arguments: object, expect: int | None = 0, timeout: float = 60,
            **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs a command until it exits. `expect`: its exit code, or None if any is accepted."""
        command = self.command(*arguments)
        done = subprocess.run(command, env=self.environment(**settings), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)
        assert expect is None or done.returncode == expect, (
            f"$ {' '.join(command)}\nexit code {done.returncode}, expected {expect}\n"
            f"stdout: {done.stdout[-4000:]}\nstderr: {done.stderr[-4000:]}")
        return done

    def json(self, *arguments: object, **options: Any) -> Any:
        """The parsed output of a command that prints a table, run with --json."""
        return json.loads(self.run("--json", *arguments, **options).stdout)

    def start(self, *arguments: object, program: pathlib.Path | None = None, **settings: str) -> Running:
        """Starts a command alongside the test, which stops it at its end. `program`: another `shopstream`."""
        folder = self.folder / f"process-{len(self._started) + 1}"
        folder.mkdir()
        command = self.command(*arguments)
        running = Running([str(program), *command[1:]] if program else command, self.environment(**settings), folder)
        self._started.append(running)
        return running

    def kill_all(self) -> list[Running]:
        """Returns those that had crashed before."""
        crashed = [running for running in self._started if running.crashed()]
        for running in self._started:
            running.kill()
        return crashed


@contextlib.contextmanager
def shopstream_world(cluster: Cluster, folder: pathlib.Path, name: str) -> Iterator[Shopstream]:
    world = Shopstream(cluster, folder, name)
    try:
        yield world
    finally:
        crashed = world.kill_all()
    assert not crashed, "\n".join(running.words() for running in crashed)


def _end(path: pathlib.Path) -> str:
    return path.read_text(errors="replace")[-4000:]
