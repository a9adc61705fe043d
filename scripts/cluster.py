"""Runs the local cluster: three Kafka nodes, the schema registry and MinIO, for people and for tests.

    cluster.py up [--minio] [--no-registry]     start whatever is not running, wait until it is ready
    cluster.py up --broker N                    start only that broker
    cluster.py down [--broker N]                stop exactly what was started
    cluster.py status                           show what is running and ready

Each process has its own folder below --directory, with its data, log and pid file. `down` keeps the data.
"""

import argparse
import base64
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator

import psutil
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from background_process import BackgroundProcess, tail

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPS = pathlib.Path(os.environ.get("SHOPSTREAM_DEPS", ROOT / ".deps"))
BINARY = pathlib.Path(os.environ.get("SHOPSTREAM_BINARY", ROOT / "build/release/shopstream"))
SETTINGS = ROOT / "deploy/local"
BROKERS = (1, 2, 3)
MINIO_USER = MINIO_PASSWORD = "minioadmin"  # MinIO's own defaults; it listens on 127.0.0.1 only.

START_TIMEOUT = 120.0  # Seconds; 8 on an idle two-core machine, 50 on a very busy one.
STOP_TIMEOUT = 30.0   # Seconds from SIGTERM to SIGKILL.
# A node signs off with the controllers before it exits. Once two of three have stopped, there is no
# majority left to sign off with, and Kafka would wait for one for five minutes.
LAST_NODE_TIMEOUT = 10.0
PROGRESS_EVERY = 5.0  # Seconds between two lines about the same wait.


class ClusterError(Exception):
    """The message says what failed, on what, and what to do."""


@dataclasses.dataclass(frozen=True)
class Ports:
    """All on 127.0.0.1. Broker n listens on `brokers + n - 1`."""
    brokers: int = 9094
    controllers: int = 9194
    registry: int = 8082
    minio: int = 9000  # Its console is one above.

    @property
    def minio_console(self) -> int:
        return self.minio + 1

    def broker(self, number: int) -> int:
        return self.brokers + number - 1

    def controller(self, number: int) -> int:
        return self.controllers + number - 1


class Cluster:
    """Starts, monitors and stops the nodes of one folder; another Cluster with the same folder sees the same nodes."""

    def __init__(self, directory: pathlib.Path, ports: Ports = Ports(), binary: pathlib.Path = BINARY,
                 say: Callable[[str], None] = print):
        self.directory = directory.resolve()
        self.ports = ports
        self.binary = binary
        self._say = say
        self._brokers = {n: BackgroundProcess(f"broker {n}", self._folder(n)) for n in BROKERS}
        self._registry = BackgroundProcess("registry", self.directory / "registry")
        self._minio = BackgroundProcess("minio", self.directory / "minio")

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(f"127.0.0.1:{self.ports.broker(n)}" for n in BROKERS)

    @property
    def registry_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.registry}"

    @property
    def minio_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.minio}"

    @property
    def s3_environment(self) -> dict[str, str]:
        """The variables with which a shopstream finds this MinIO."""
        return {"SHOPSTREAM_S3_ENDPOINT": self.minio_url, "SHOPSTREAM_S3_REGION": "us-east-1",
                "SHOPSTREAM_S3_ACCESS_KEY": MINIO_USER, "SHOPSTREAM_S3_SECRET_KEY": MINIO_PASSWORD}

    def log_file(self, number: int) -> pathlib.Path:
        return self._folder(number) / "server.log"

    def broker_pid(self, number: int) -> int | None:
        return self._brokers[number].pid()

    def registry_pid(self) -> int | None:
        return self._registry.pid()

    def minio_pid(self) -> int | None:
        return self._minio.pid()

    # Brokers.

    def start_brokers(self, numbers: Iterable[int] = BROKERS, timeout: float = START_TIMEOUT) -> None:
        """Starts those that are not running, and returns once every one of `numbers` serves."""
        numbers = tuple(numbers)
        started = time.monotonic()
        new = [n for n in numbers if not self._brokers[n].running()]
        for n in set(numbers) - set(new):
            self._say(f"broker {n} is already running on 127.0.0.1:{self.ports.broker(n)} "
                      f"(pid {self.broker_pid(n)})")
        for n in new:
            self._refuse_taken_port(f"broker {n}", self.ports.broker(n), "--port", 19094)
            self._refuse_taken_port(f"broker {n}'s controller", self.ports.controller(n), *self._other_controllers())
        self._format(new)
        for n in new:
            self._say(f"starting broker {n} on 127.0.0.1:{self.ports.broker(n)}")
            self._brokers[n].start(self._java(n, "kafka.Kafka", self._properties(n)))
        self._wait_until_serving(numbers, timeout)
        if new:
            self._say(f"brokers ready after {time.monotonic() - started:.1f} s")

    def stop_brokers(self, numbers: Iterable[int] = BROKERS, timeout: float = STOP_TIMEOUT) -> None:
        stopping = self._terminate([self._brokers[n] for n in numbers])
        left = self._await_end(stopping, timeout, enough=lambda: not self._have_majority())
        if self._have_majority():
            self._kill(left, timeout)
            return
        for broker in self._await_end(left, LAST_NODE_TIMEOUT):
            broker.kill()
            self._say(f"{broker.name} had no majority left to sign off with, so it was killed; "
                      "its data is complete")

    def kill_broker(self, number: int) -> None:
        """SIGKILL: no sign-off with the controller, no flush."""
        self._brokers[number].kill()

    # Registry.

    def start_registry(self, timeout: float = 30) -> None:
        if self._registry.running():
            self._say(f"registry is already running on {self.registry_url} (pid {self._registry.pid()})")
            return
        if not os.access(self.binary, os.X_OK):
            raise ClusterError(f"the registry is part of {self.binary}, which is not built: ./run build")
        self._refuse_taken_port("the registry", self.ports.registry, "--registry-port", 18082)
        started = time.monotonic()
        self._registry.start([str(self.binary), "registry",
                              "--set", f"registry.listen=127.0.0.1:{self.ports.registry}",
                              "--set", f"kafka.bootstrap_servers={self.bootstrap_servers}"], cwd=ROOT)
        self._wait("the registry", self._registry_missing, [self._registry], timeout)
        self._say(f"registry ready after {time.monotonic() - started:.1f} s")

    def stop_registry(self, timeout: float = STOP_TIMEOUT) -> None:
        self._kill(self._await_end(self._terminate([self._registry]), timeout), timeout)

    def kill_registry(self) -> None:
        self._registry.kill()

    def registry_serves(self) -> bool:
        return answers(f"{self.registry_url}/subjects")

    # MinIO.

    def start_minio(self, timeout: float = 60) -> None:
        started = time.monotonic()
        running = self._minio.running()
        if running:
            self._say(f"minio is already running on {self.minio_url} (pid {self.minio_pid()})")
        else:
            self._launch_minio()
        self._wait("minio", self._minio_missing, [self._minio], timeout)
        if not running:
            self._say(f"minio ready after {time.monotonic() - started:.1f} s")

    def stop_minio(self, timeout: float = STOP_TIMEOUT) -> None:
        self._kill(self._await_end(self._terminate([self._minio]), timeout), timeout)

    def kill_minio(self) -> None:
        """SIGKILL. Acknowledged writes are on disk."""
        self._minio.kill()

    def minio_serves(self) -> bool:
        """True once it also accepts writes."""
        return answers(f"{self.minio_url}/minio/health/cluster")

    # The whole cluster.

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        self.stop_registry(timeout)
        if self._minio.running():  # Few users start it, so its absence is not reported.
            self.stop_minio(timeout)
        self.stop_brokers(timeout=timeout)

    def kill(self) -> None:
        for process in [self._registry, self._minio, *self._brokers.values()]:
            process.kill()

    def serving(self, number: int) -> set[int]:
        """The brokers that broker `number` considers alive; empty while it does not answer."""
        seen = self._metadata(number)
        return set(seen.brokers) if seen else set()

    def leaderless(self, number: int) -> list[str]:
        """Partitions without a leader according to broker `number`, as topic-partition."""
        seen = self._metadata(number)
        return [f"{topic.topic}-{partition.id}" for topic in (seen.topics.values() if seen else [])
                for partition in topic.partitions.values() if partition.leader < 0]

    def _metadata(self, number: int) -> ClusterMetadata | None:
        """Broker `number`'s metadata of the cluster; nothing while it does not answer."""
        port = self.ports.broker(number)
        if not _listens(port):
            return None
        client = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
        try:
            return client.list_topics(timeout=2)
        except KafkaException:
            return None

    def status(self) -> list[str]:
        lines = []
        for n, broker in self._brokers.items():
            where = f"127.0.0.1:{self.ports.broker(n)}"
            lines.append(f"broker {n}   {where:22} " + _state(broker, n in self.serving(n)))
        lines.append(f"registry   {self.registry_url:22} "
                     + _state(self._registry, self.registry_serves()))
        lines.append(f"minio      {self.minio_url:22} " + _state(self._minio, self.minio_serves())
                     + (f", console on :{self.ports.minio_console}" if self._minio.running() else ""))
        return lines

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Makes other `up` and `down` commands on this folder wait."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with open(self.directory / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"another ./run up or down is working on {self.directory}: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # Setting up a node.

    def _folder(self, number: int) -> pathlib.Path:
        return self.directory / f"broker-{number}"

    def _java(self, number: int, main_class: str, *arguments: str) -> list[str]:
        return kafka_command(self.log_file(number), main_class, *arguments)

    def _properties(self, number: int) -> str:
        """Rewrites the node's settings, since ports and shared settings may have changed."""
        folder = self._folder(number)
        folder.mkdir(parents=True, exist_ok=True)
        voters = ",".join(f"{n}@127.0.0.1:{self.ports.controller(n)}" for n in BROKERS)
        path = folder / "server.properties"
        path.write_text((SETTINGS / "server.properties").read_text() + f"""
# This node.
node.id={number}
listeners=PLAINTEXT://127.0.0.1:{self.ports.broker(number)},CONTROLLER://127.0.0.1:{self.ports.controller(number)}
controller.quorum.voters={voters}
log.dirs={folder / "data"}
""")
        return str(path)

    def _cluster_id(self) -> str:
        return cluster_id(self.directory)

    def _format(self, numbers: list[int]) -> None:
        """Applies Kafka's storage format to every folder without data, all at the same time."""
        new = [n for n in numbers if not (self._folder(n) / "data/meta.properties").exists()]
        tools = {}
        for n in new:
            command = self._java(n, "kafka.tools.StorageTool", "format", "--ignore-formatted",
                                 f"--cluster-id={self._cluster_id()}", "--config", self._properties(n))
            command.insert(1, "-XX:TieredStopAtLevel=1")  # Short-lived: only the start-up time matters.
            tools[n] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for n, tool in tools.items():
            output = tool.communicate(timeout=60)[0].decode(errors="replace")
            if tool.returncode != 0:
                raise ClusterError(f"broker {n}: {self._folder(n)}/data could not be formatted:\n{output}")

    def _launch_minio(self) -> None:
        program = DEPS / "minio/minio"
        if not program.exists():
            raise ClusterError(f"{program} is missing: ./run setup --minio builds it")
        self._refuse_taken_port("minio", self.ports.minio, "--minio-port", 19000)
        self._refuse_taken_port("minio's console", self.ports.minio_console, "--minio-port", 19000)
        folder = self.directory / "minio"
        self._say(f"starting minio on {self.minio_url}")
        # A separate folder for certificates: by default it would look into the home directory.
        self._minio.start(
            [str(program), "server", "--address", f"127.0.0.1:{self.ports.minio}",
             "--console-address", f"127.0.0.1:{self.ports.minio_console}",
             "--certs-dir", str(folder / "certs"), str(folder / "data")],
            environment={**{name: value for name, value in os.environ.items()
                            if not name.startswith("MINIO_")},
                         "MINIO_ROOT_USER": MINIO_USER, "MINIO_ROOT_PASSWORD": MINIO_PASSWORD,
                         "MINIO_UPDATE": "off"})

    # Waiting and stopping.

    def _wait_until_serving(self, numbers: tuple[int, ...], timeout: float) -> None:
        expected = {n for n in BROKERS if self._brokers[n].running() or n in numbers}

        def missing() -> str | None:
            waiting = [str(n) for n in numbers if not self.serving(n) >= expected]
            if waiting:
                return f"broker{'s' if len(waiting) > 1 else ''} {', '.join(waiting)}"
            # Nodes that were killed together elect leaders some time after all are back. With a
            # node missing, a partition may legitimately have none.
            leaderless = self.leaderless(numbers[0]) if expected == set(BROKERS) else []
            return f"a leader of {', '.join(leaderless[:3])}" if leaderless else None

        self._wait("the brokers", missing, [self._brokers[n] for n in numbers], timeout)

    def _registry_missing(self) -> str | None:
        return None if self.registry_serves() else self.registry_url

    def _minio_missing(self) -> str | None:
        return None if self.minio_serves() else self.minio_url

    def _wait(self, what: str, missing: Callable[[], str | None], processes: list[BackgroundProcess],
              timeout: float) -> None:
        """Waits until missing() is None; an error if a process exits meanwhile, or after `timeout`."""
        started = time.monotonic()
        next_line = started + PROGRESS_EVERY
        while (rest := missing()) is not None:
            for process in processes:
                if not process.running():
                    raise ClusterError(f"{process.name} exited while starting.\n{self._last_words(process)}")
            now = time.monotonic()
            if now - started > timeout:
                words = "\n".join(self._last_words(process) for process in processes)
                raise ClusterError(f"{what} did not become ready within {timeout:.0f} s; missing: {rest}.\n{words}")
            if now >= next_line:
                next_line = now + PROGRESS_EVERY
                self._say(f"waiting for {rest} ({now - started:.0f} s of {timeout:.0f} s)")
            time.sleep(0.1)

    def _have_majority(self) -> bool:
        return sum(broker.running() for broker in self._brokers.values()) >= 2

    def _terminate(self, processes: list[BackgroundProcess]) -> list[BackgroundProcess]:
        """Sends SIGTERM; returns those that were running."""
        running = [process for process in processes if process.signal(signal.SIGTERM)]
        for process in processes:
            if process not in running:
                process.wait(0)
                self._say(f"{process.name} was not running")
        return running

    def _await_end(self, processes: list[BackgroundProcess], timeout: float,
                   enough: Callable[[], bool] = lambda: False) -> list[BackgroundProcess]:
        """Returns those still running after `timeout`, or once the others' exit was `enough`."""
        left = list(processes)
        started = time.monotonic()
        next_line = started + PROGRESS_EVERY
        while left:
            for process in [p for p in left if p.wait(0)]:
                left.remove(process)
                self._say(f"{process.name} stopped")
            now = time.monotonic()
            if not left or now - started > timeout or enough():
                break
            if now >= next_line:
                next_line = now + PROGRESS_EVERY
                names = ", ".join(process.name for process in left)
                self._say(f"waiting for {names} to stop ({now - started:.0f} s of {timeout:.0f} s)")
            time.sleep(0.05)
        return left

    def _kill(self, processes: list[BackgroundProcess], timeout: float) -> None:
        for process in processes:
            process.kill()
            self._say(f"{process.name} did not stop within {timeout:g} s: killed")

    def _last_words(self, process: BackgroundProcess) -> str:
        log = process.folder / "server.log"
        words = [f"Last lines of {path}:\n{text}" for path in (process.output, log)
                 if (text := tail(path, 12))]
        return "\n".join(words) or f"It wrote no log in {process.folder}."

    def _other_controllers(self) -> tuple[str, int]:
        """The flag that moves the controllers' ports, and a value of it; by default they follow the brokers'."""
        follow = self.ports.controllers == self.ports.brokers + 100
        return ("--port", 19094) if follow else ("--controller-port", 19194)

    def _refuse_taken_port(self, what: str, port: int, flag: str, other: int) -> None:
        if _listens(port):
            raise ClusterError(f"{what} needs port {port}, which is taken{_holder(port)}. Stop it there"
                               " (./run down, if it is the cluster of another checkout), or choose another port,"
                               f" such as {flag} {other}.")


def kafka_command(log: pathlib.Path, main_class: str, *arguments: str) -> list[str]:
    """Runs a class of Kafka's that logs to `log`."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    libraries = DEPS / "kafka/libs"
    if java is None or not libraries.is_dir():
        raise ClusterError(f"Kafka needs java (found: {java}) and its jars in {libraries}: ./run setup")
    return [java, "-Xmx384m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError",
            f"-Dlog4j2.configurationFile={SETTINGS / 'log4j2.properties'}", f"-Dshopstream.log={log}",
            "-cp", f"{libraries}/*", main_class, *arguments]


def cluster_id(directory: pathlib.Path) -> str:
    """The id of the cluster in this folder; a new one at the first call."""
    path = directory / "cluster-id"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return path.read_text().strip()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return reply.status == 200
    except OSError:  # Includes HTTP errors.
        return False


def _holder(port: int) -> str:
    """" by pid 12 (nginx -g ...)", or nothing if the system does not show it."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if listening and connection.pid:
                command = " ".join(psutil.Process(connection.pid).cmdline())
                return f" by pid {connection.pid} in {_working_folder(connection.pid)} ({command[:100]})"
    return ""


def _working_folder(pid: int) -> str:
    try:
        return psutil.Process(pid).cwd()
    except (psutil.Error, OSError):
        return "an unknown folder"


def _state(process: BackgroundProcess, serves: bool) -> str:
    if not process.running():
        return "not running"
    return f"{'ready' if serves else 'running, not ready yet'} (pid {process.pid()})"


def _up(cluster: Cluster, broker: int | None, registry: bool, minio: bool) -> None:
    if broker is not None:
        cluster.start_brokers([broker])
        return
    cluster.start_brokers()
    if registry:
        cluster.start_registry()
    if minio:
        cluster.start_minio()
    print("\n".join(["", *cluster.status(), f"logs and data: {cluster.directory}", "stop it: ./run down"]))


def _down(cluster: Cluster, broker: int | None) -> None:
    if broker is None:
        cluster.stop()
    else:
        cluster.stop_brokers([broker])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--directory", type=pathlib.Path, default=ROOT / ".shopstream/cluster")
    where.add_argument("--port", type=int, default=Ports.brokers, metavar="PORT",
                       help="port of broker 1; the others follow")
    where.add_argument("--controller-port", type=int, metavar="PORT",
                       help="port of broker 1's controller; by default 100 above --port")
    where.add_argument("--registry-port", type=int, default=Ports.registry)
    where.add_argument("--minio-port", type=int, default=Ports.minio, metavar="PORT",
                       help="port of MinIO's S3 API; its console is one above")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", parents=[where], help="start whatever is not running")
    part = up.add_mutually_exclusive_group()
    part.add_argument("--broker", type=int, choices=BROKERS, help="only this broker")
    part.add_argument("--minio", action="store_true", help="also MinIO, an S3 object store")
    up.add_argument("--no-registry", action="store_true", help="brokers only")
    down = commands.add_parser("down", parents=[where], help="stop exactly what was started")
    down.add_argument("--broker", type=int, choices=BROKERS, help="only this broker")
    commands.add_parser("status", parents=[where], help="show what is running and ready")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    controllers = arguments.controller_port or arguments.port + 100
    ports = Ports(arguments.port, controllers, arguments.registry_port, arguments.minio_port)
    cluster = Cluster(arguments.directory, ports, say=lambda line: print(line, flush=True))
    try:
        if arguments.command == "status":
            print("\n".join(cluster.status()))
            return 0
        with cluster.locked():
            if arguments.command == "up":
                _up(cluster, arguments.broker, not arguments.no_registry, arguments.minio)
            else:
                _down(cluster, arguments.broker)
    except (ClusterError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was started is still running: ./run down stops it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
