"""The local cluster, for people and for tests: three Kafka nodes, the schema registry and MinIO.

Each process has its own folder below the cluster's, with its data, log and pid file. The cluster's folder also
remembers the ports.
"""

import base64
import contextlib
import fcntl
import os
import pathlib
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

import ports as local_ports
from background_process import BackgroundProcess, tail
from kafka_java import SETTINGS, kafka_command
from local_console import LocalConsole
from places import BINARY, DEPS, ROOT
from ports import BROKERS, Asked, ClusterError, Needed, Ports, SecuredPorts

MINIO_USER = MINIO_PASSWORD = "minioadmin"  # MinIO's own defaults; it listens on 127.0.0.1 only.

START_TIMEOUT = 120.0  # Seconds; 8 on an idle two-core machine, 50 on a very busy one.
STOP_TIMEOUT = 30.0   # Seconds from SIGTERM to SIGKILL.
# A node signs off with the controllers before it exits. Once two of three have stopped, there is no
# majority left to sign off with, and Kafka would wait for one for five minutes. A node that has
# signed off before needs a second or two to close its files.
LAST_NODE_TIMEOUT = 5.0
PROGRESS_EVERY = 5.0  # Seconds between two lines about the same wait.


class Cluster:
    """Starts, monitors and stops the nodes of one folder; another Cluster with the same folder sees the same nodes."""

    scheme = "http"
    readiness_path = "/subjects"  # Of the registry.

    def __init__(self, directory: pathlib.Path, ports: Ports = Ports(), binary: pathlib.Path = BINARY,
                 say: Callable[[str], None] = print, brokers: tuple[int, ...] = BROKERS):
        """SecuredCluster is one that requires users to log in. brokers: fewer start faster, but keep fewer copies; always pass the same ones for a folder."""
        self.directory = directory.resolve()
        self.ports = ports
        self.binary = binary
        self._say = say
        self._brokers = {n: BackgroundProcess(f"broker {n}", self._folder(n)) for n in brokers}
        self._registry = BackgroundProcess("registry", self.directory / "registry")
        self._minio = BackgroundProcess("minio", self.directory / "minio")
        self.console = LocalConsole(self.directory / "console")  # Only the demo starts it.

    @property
    def bootstrap_servers(self) -> str:
        return self.ports.bootstrap_servers(self._brokers)

    @property
    def registry_url(self) -> str:
        return self.ports.registry_url

    @property
    def minio_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.ports.minio}"

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

    def start_brokers(self, numbers: Iterable[int] | None = None, timeout: float = START_TIMEOUT) -> None:
        """Starts those that are not running, and returns once every one of `numbers`, by default all, serves."""
        numbers = tuple(self._brokers if numbers is None else numbers)
        started = time.monotonic()
        new = [n for n in numbers if not self._brokers[n].running()]
        for n in set(numbers) - set(new):
            self._say(f"broker {n} is already running on 127.0.0.1:{self.ports.broker(n)} "
                      f"(pid {self.broker_pid(n)})")
        self._insist_on_free(local_ports.needed_by_brokers(self.ports, new))
        self._format(new)
        for n in new:
            self._say(f"starting broker {n} on 127.0.0.1:{self.ports.broker(n)}")
            self._brokers[n].start(self._java(n, "kafka.Kafka", self._properties(n)))
        self._wait_until_serving(numbers, timeout)
        if new:
            self._say(f"brokers ready after {time.monotonic() - started:.1f} s")

    def stop_brokers(self, numbers: Iterable[int] | None = None, timeout: float = STOP_TIMEOUT) -> None:
        stopping = self._terminate([self._brokers[n] for n in (self._brokers if numbers is None else numbers)])
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
        self._insist_on_free(local_ports.needed_by_registry(self.ports))
        started = time.monotonic()
        self._registry.start(self._registry_command(), cwd=ROOT)
        self._wait("the registry", self._registry_missing, [self._registry], timeout)
        self._say(f"registry ready after {time.monotonic() - started:.1f} s")

    def stop_registry(self, timeout: float = STOP_TIMEOUT) -> None:
        self._kill(self._await_end(self._terminate([self._registry]), timeout), timeout)

    def kill_registry(self) -> None:
        self._registry.kill()

    def registry_serves(self) -> bool:
        return self._answers(f"{self.registry_url}{self.readiness_path}")

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
        return self._answers(f"{self.minio_url}/minio/health/cluster")

    # The whole cluster.

    def stop(self, timeout: float = STOP_TIMEOUT) -> None:
        if self.console.running():
            self._stop_console(timeout)
        self.stop_registry(timeout)
        if self._minio.running():  # Few users start it, so its absence is not reported.
            self.stop_minio(timeout)
        self.stop_brokers(timeout=timeout)

    def _stop_console(self, timeout: float = STOP_TIMEOUT) -> None:
        self._kill(self._await_end(self._terminate([self.console]), timeout), timeout)

    def kill(self) -> None:
        for process in [self.console, self._registry, self._minio, *self._brokers.values()]:
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
        """Broker `number`'s metadata of the cluster; nothing while it does not answer, or if another cluster does."""
        if not local_ports.in_use(self.ports.broker(number)):
            return None
        client = self.admin(number)
        try:
            seen = client.list_topics(timeout=2)
        except KafkaException:
            return None
        return seen if seen.cluster_id == self._cluster_id() else None

    def admin(self, number: int | None = None) -> AdminClient:
        """May do everything; connects to broker `number` first, or to any."""
        servers = self.bootstrap_servers if number is None else f"127.0.0.1:{self.ports.broker(number)}"
        return AdminClient({"bootstrap.servers": servers, "log_level": 0})

    def status(self) -> list[str]:
        lines = []
        for n, broker in self._brokers.items():
            port = self.ports.broker(n)
            lines.append(f"broker {n}   {f'127.0.0.1:{port}':22} " + _state(broker, n in self.serving(n), port))
        lines.append(f"registry   {self.registry_url:22} "
                     + _state(self._registry, self.registry_serves(), self.ports.registry))
        lines.append(f"minio      {self.minio_url:22} " + _state(self._minio, self.minio_serves(), self.ports.minio)
                     + (f", console on :{self.ports.minio_console}" if self._minio.running() else ""))
        if (url := self.console.url) is not None:
            lines.append(f"console    {url:22} ready (pid {self.console.pid()})")
        return lines

    def insist_on_free_ports(self, registry: bool, minio: bool) -> None:
        """Checks the ports of everything that must start, so that either all of it starts or nothing does."""
        stopped = [n for n, broker in self._brokers.items() if not broker.running()]
        needs = local_ports.needed_by_brokers(self.ports, stopped)
        if registry and not self._registry.running():
            needs += local_ports.needed_by_registry(self.ports)
        if minio and not self._minio.running():
            needs += local_ports.needed_by_minio(self.ports)
        local_ports.insist_on_free(needs)

    def running(self) -> list[str]:
        """The names of the running processes."""
        return [process.name for process in [*self._brokers.values(), self._registry, self._minio, self.console]
                if process.running()]

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
        voters = ",".join(f"{n}@127.0.0.1:{self.ports.controller(n)}" for n in self._brokers)
        path = folder / "server.properties"
        path.write_text((SETTINGS / "server.properties").read_text() + f"""
# This node.
node.id={number}
{self._listeners(number)}
controller.quorum.voters={voters}
log.dirs={folder / "data"}
{self._copies()}""")
        return str(path)

    def _listeners(self, number: int) -> str:
        """The settings of where it listens, and of who may come in."""
        return (f"listeners=PLAINTEXT://127.0.0.1:{self.ports.broker(number)},"
                f"CONTROLLER://127.0.0.1:{self.ports.controller(number)}")

    def _registry_command(self) -> list[str]:
        return [str(self.binary), "registry", "--set", f"registry.listen=127.0.0.1:{self.ports.registry}",
                "--set", f"kafka.bootstrap_servers={self.bootstrap_servers}"]

    def _minio_login(self) -> dict[str, str]:
        """The variables with which MinIO knows its first user."""
        return {"MINIO_ROOT_USER": MINIO_USER, "MINIO_ROOT_PASSWORD": MINIO_PASSWORD}

    def _answers(self, url: str) -> bool:
        return answers(url)

    def _copies(self) -> str:
        """With fewer than three nodes no topic can have three copies."""
        count = len(self._brokers)
        if count >= len(BROKERS):
            return ""
        in_sync = max(count - 1, 1)
        return f"""
default.replication.factor={count}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={count}
transaction.state.log.replication.factor={count}
transaction.state.log.min.isr={in_sync}
"""

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
        self._insist_on_free(local_ports.needed_by_minio(self.ports))
        folder = self.directory / "minio"
        self._say(f"starting minio on {self.minio_url}")
        # A separate folder for certificates: by default it would look into the home directory.
        self._minio.start(
            [str(program), "server", "--address", f"127.0.0.1:{self.ports.minio}",
             "--console-address", f"127.0.0.1:{self.ports.minio_console}",
             "--certs-dir", str(folder / "certs"), str(folder / "data")],
            environment={**{name: value for name, value in os.environ.items()
                            if not name.startswith("MINIO_")},
                         **self._minio_login(), "MINIO_UPDATE": "off"})

    # Waiting and stopping.

    def _wait_until_serving(self, numbers: tuple[int, ...], timeout: float) -> None:
        expected = {n for n in self._brokers if self._brokers[n].running() or n in numbers}

        def missing() -> str | None:
            waiting = [str(n) for n in numbers if not self.serving(n) >= expected]
            if waiting:
                return f"broker{'s' if len(waiting) > 1 else ''} {in_words(waiting)}"
            # Nodes that were killed together elect leaders some time after all are back. With a
            # node missing, a partition may legitimately have none.
            leaderless = self.leaderless(numbers[0]) if expected == set(self._brokers) else []
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
        return sum(broker.running() for broker in self._brokers.values()) > len(self._brokers) // 2

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

    def _insist_on_free(self, needs: list[Needed]) -> None:
        """The folder remembers the ports before anything starts on them."""
        local_ports.insist_on_free(needs)
        local_ports.remember(self.directory, self.ports)


def cluster_id(directory: pathlib.Path) -> str:
    """The id of the cluster in this folder; a new one at the first call."""
    path = directory / "cluster-id"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return path.read_text().strip()


def answers(url: str, tls: ssl.SSLContext | None = None) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2, context=tls) as reply:
            return reply.status == 200
    except OSError:  # Includes HTTP errors.
        return False


def in_words(names: list[str]) -> str:
    """"1, 2 and 3"."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])


def left_running(cluster: Cluster) -> str:
    """What still runs, to report after a failure; empty if nothing does."""
    names = cluster.running()
    return f"still running: {in_words(names)} (./run down stops them)" if names else ""


def exit_code(cluster: Cluster, work: Callable[[], None], error: Callable[[], str] = lambda: "error: ",
              interrupted: str = "interrupted") -> int:
    """Does a command's work; after a failure, prints the reason and what still runs. `error`: what precedes the reason,
    asked for only then, since it may name the step that failed."""
    try:
        work()
        return 0
    except (ClusterError, TimeoutError) as failure:
        print(f"{error()}{failure}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        code = 130
    if left := left_running(cluster):
        print(left, file=sys.stderr)
    return code


def _state(process: BackgroundProcess, serves: bool, port: int) -> str:
    if process.running():
        return f"{'ready' if serves else 'running, not ready yet'} (pid {process.pid()})"
    return "not running" + (f"; {local_ports.holder(port)} uses port {port}" if local_ports.in_use(port) else "")


def cluster_of(asked: Asked, directory: pathlib.Path, say: Callable[[str], None],
               kind: type[Cluster] = Cluster, usual: Ports = Ports()) -> Cluster:
    """The cluster of this folder, on the ports that are asked for, else on those of last time, else the usual ones."""
    directory = directory.resolve()
    last = local_ports.remembered(directory, usual)
    if type(last) is not type(usual):
        found = "a secured cluster" if isinstance(last, SecuredPorts) else "a cluster without security"
        raise ClusterError(f"{directory} has {found}: name another folder with --directory")
    ports = asked.over(last)
    cluster = kind(directory, ports, say=say)
    parts = {"broker": ("brokers", "controllers"), "registry": ("registry",), "minio": ("minio",), "console": ()}
    for name in cluster.running():
        for part in parts[name.split()[0]]:
            runs, wanted = getattr(last, part), getattr(ports, part)
            if runs != wanted:
                raise ClusterError(f"the cluster of {directory} already runs, with {part} on port {runs}, not "
                                   f"{wanted}. Stop it first with ./run down, or leave out the port")
    return cluster
