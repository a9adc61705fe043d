"""The ports of the local cluster: which ones a checkout uses, whether they are free, and who holds those that are not.

    ports.py     print, as NAME=value, the settings with which a program finds this checkout's cluster; nothing if it
                 has the default ports

A cluster's folder remembers its ports in ports.json. Only the standard library, since help imports it.
"""

import contextlib
import dataclasses
import json
import pathlib
import re
import socket
import sys
from collections.abc import Iterable, Iterator

from places import CLUSTER, SECURED

BROKERS = (1, 2, 3)
LISTENING = "0A"  # The state in /proc/net/tcp.
HIGHEST_PORT = 65535


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

    def bootstrap_servers(self, numbers: Iterable[int] = BROKERS) -> str:
        return ",".join(f"127.0.0.1:{self.broker(n)}" for n in numbers)

    @property
    def registry_url(self) -> str:
        return f"http://127.0.0.1:{self.registry}"


@dataclasses.dataclass(frozen=True)
class SecuredPorts(Ports):
    """Those of a secured cluster. `brokers` are for clients."""
    brokers: int = 9594
    controllers: int = 9694
    registry: int = 8482
    minio: int = 9500
    nodes: int = 9644     # Where the brokers talk to each other, and where only they and `setup` get in.
    console: int = 8443
    plaintext: int | None = None  # For tests: a listener of broker 1 without TLS, where everyone is ANONYMOUS.

    def node(self, number: int) -> int:
        return self.nodes + number - 1

    @property
    def registry_url(self) -> str:
        return f"https://127.0.0.1:{self.registry}"


@dataclasses.dataclass(frozen=True)
class Asked:
    """The ports that the caller chose; None: those of last time, else the defaults."""
    brokers: int | None = None
    controllers: int | None = None
    registry: int | None = None
    minio: int | None = None
    console: int | None = None  # Of a secured cluster.

    def over(self, last: Ports) -> Ports:
        """If the brokers move, the controllers follow, 100 above, and their ports for each other, 50 above."""
        brokers = self.brokers or last.brokers
        moved = brokers != last.brokers
        controllers = self.controllers or (brokers + 100 if moved else last.controllers)
        ports = dataclasses.replace(last, brokers=brokers, controllers=controllers,
                                    registry=self.registry or last.registry, minio=self.minio or last.minio)
        if isinstance(ports, SecuredPorts):
            ports = dataclasses.replace(ports, nodes=brokers + 50 if moved else ports.nodes,
                                        console=self.console or ports.console)
        return ports


# What a folder remembers.


def remember(directory: pathlib.Path, ports: Ports) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    new = directory / "ports.json.new"
    kept = {"kafka": [ports.broker(n) for n in BROKERS], "controller": [ports.controller(n) for n in BROKERS],
            "registry": ports.registry, "minio": ports.minio}
    if isinstance(ports, SecuredPorts):
        kept |= {"nodes": [ports.node(n) for n in BROKERS], "console": ports.console}
    new.write_text(json.dumps(kept) + "\n")
    new.rename(directory / "ports.json")


def remembered(directory: pathlib.Path, usual: Ports = Ports()) -> Ports:
    path = directory / "ports.json"
    try:
        found = json.loads(path.read_text())
        common = found["kafka"][0], found["controller"][0], found["registry"], found["minio"]
        return SecuredPorts(*common, found["nodes"][0], found["console"]) if "nodes" in found else Ports(*common)
    except FileNotFoundError:
        return _ports_of_processes(directory, usual)
    except (ValueError, LookupError, TypeError) as error:
        raise ClusterError(f"{path} is damaged ({error}): delete it, then name the ports again (./run up --port)") from None


def _ports_of_processes(directory: pathlib.Path, usual: Ports) -> Ports:
    """For a cluster that was started before ports were remembered: from its settings and command lines."""
    ports = usual
    for n in BROKERS:
        with contextlib.suppress(FileNotFoundError):
            text = (directory / f"broker-{n}/server.properties").read_text()
            listeners = re.search(r"^listeners=PLAINTEXT://127\.0\.0\.1:(\d+),CONTROLLER://127\.0\.0\.1:(\d+)$", text,
                                  re.MULTILINE)
            if listeners:
                broker, controller = map(int, listeners.groups())
                ports = dataclasses.replace(ports, brokers=broker - n + 1, controllers=controller - n + 1)
    for name, pattern in (("registry", r"registry\.listen=127\.0\.0\.1:(\d+)"), ("minio", r"--address 127\.0\.0\.1:(\d+)")):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int((directory / name / "pid").read_text().split()[0])
            if found := re.search(pattern, " ".join(_command(pid))):
                ports = dataclasses.replace(ports, **{name: int(found[1])})
    return ports


# Who holds a port.


@dataclasses.dataclass(frozen=True)
class Holder:
    """The process that listens on a port; pid 0: the system does not show it, because it belongs to another user."""
    pid: int
    name: str = ""
    cluster: pathlib.Path | None = None  # The folder of the cluster that it belongs to.

    def __str__(self) -> str:
        if self.cluster:
            owner = self.cluster.parent.parent if self.is_a_checkout else self.cluster
            return f"the cluster of {owner}"
        return f"{self.name} (pid {self.pid})" if self.pid else "another user's program"

    @property
    def is_a_checkout(self) -> bool:
        """Whether `./run down` in the checkout stops it."""
        return self.cluster is not None and self.cluster.parts[-2:] in (CLUSTER.parts[-2:], SECURED.parts[-2:])


def in_use(port: int) -> bool:
    """Whether a server cannot listen on it. SO_REUSEADDR: connections that have just ended do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def holder(port: int) -> Holder:
    sockets = set(_listening_sockets(port))
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # It has exited, or belongs to another user.
            if any(link.is_symlink() and str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                pid = int(process.name)
                return Holder(pid, (process / "comm").read_text().strip(), _cluster_of(pid))
    return Holder(0)


def _listening_sockets(port: int) -> Iterator[str]:
    """As /proc/PID/fd names them, "socket:[123]"."""
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError):  # A system without IPv6.
            for line in pathlib.Path(path).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"


def _command(pid: int) -> list[str]:
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")


def _cluster_of(pid: int) -> pathlib.Path | None:
    """Every process of a cluster writes to output.log in its folder there."""
    output = pathlib.Path(f"/proc/{pid}/fd/1").readlink()
    of_cluster = output.name == "output.log" and re.fullmatch(r"broker-\d|registry|minio|console", output.parent.name)
    return output.parent.parent if of_cluster else None


# Whether all ports are free.


@dataclasses.dataclass(frozen=True)
class Needed:
    """A port that something is about to listen on, and the flag that moves it."""
    port: int
    what: str
    flag: str


def needed_by_brokers(ports: Ports, numbers: Iterable[int]) -> list[Needed]:
    follow = ports.controllers == ports.brokers + 100
    needs = [need for n in numbers for need in (
        Needed(ports.broker(n), f"broker {n}", "--port"),
        Needed(ports.controller(n), f"broker {n}'s controller", "--port" if follow else "--controller-port"))]
    if isinstance(ports, SecuredPorts):
        needs += [Needed(ports.node(n), f"broker {n} for other brokers", "--port") for n in numbers]
    return needs


def needed_by_registry(ports: Ports) -> list[Needed]:
    return [Needed(ports.registry, "the registry", "--registry-port")]


def needed_by_minio(ports: Ports) -> list[Needed]:
    return [Needed(ports.minio, "minio", "--minio-port"), Needed(ports.minio_console, "minio's console", "--minio-port")]


def needed_by_console(ports: SecuredPorts) -> list[Needed]:
    return [Needed(ports.console, "the console", "--console-port")]


def insist_on_free(needs: Iterable[Needed]) -> None:
    """ClusterError, which lists every port that is taken, by holder."""
    taken: dict[Holder, list[Needed]] = {}
    for need in needs:
        if in_use(need.port):
            taken.setdefault(holder(need.port), []).append(need)
    if not taken:
        return
    by_owner: dict[str, list[Holder]] = {}
    for found in taken:
        by_owner.setdefault(str(found), []).append(found)
    lines = []
    for owner, holders in by_owner.items():
        ports = [need for found in holders for need in taken[found]]
        several = len(ports) > 1
        used = ", ".join(f"{need.port} ({need.what})" for need in ports)
        pids = f" (pid {', '.join(str(found.pid) for found in holders)})" if holders[0].cluster else ""
        lines.append(f"port{'s' if several else ''} {used} {'are' if several else 'is'} used by {owner}{pids}")
    flags = dict.fromkeys(need.flag for found in taken.values() for need in found)
    others = " ".join(f"{flag} {_free_from(flag)}" for flag in flags)
    stop = "stop it there with ./run down, or " if all(found.is_a_checkout for found in taken) else ""
    raise ClusterError("\n".join([";\n".join(lines) + ".", f"To continue, {stop}choose other ports here: {others}"]))


# Each flag's default, and the ports that it moves, counted from its value.
FLAGS = {"--port": (Ports.brokers, (0, 1, 2, 50, 51, 52, 100, 101, 102)), "--controller-port": (Ports.controllers, (0, 1, 2)),
         "--registry-port": (Ports.registry, (0,)), "--minio-port": (Ports.minio, (0, 1)),
         "--console-port": (SecuredPorts.console, (0,))}


def _free_from(flag: str) -> int:
    """A value of the flag whose ports are free."""
    default, used = FLAGS[flag]
    bases = range(default + 10000, HIGHEST_PORT - max(used), 1000)
    return next((base for base in bases if not any(in_use(base + offset) for offset in used)), bases[0])


def environment(ports: Ports) -> dict[str, str]:
    """The settings that differ from those of a cluster with the default ports."""
    settings = {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": (ports.bootstrap_servers(), Ports().bootstrap_servers()),
                "SHOPSTREAM_REGISTRY_URL": (ports.registry_url, Ports().registry_url)}
    return {name: value for name, (value, default) in settings.items() if value != default}


if __name__ == "__main__":
    try:
        print("\n".join(f"{name}={value}" for name, value in environment(remembered(CLUSTER)).items()))
    except ClusterError as error:
        sys.exit(f"error: {error}")
