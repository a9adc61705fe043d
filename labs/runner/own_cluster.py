"""The cluster that a lab has to itself, because it harms brokers, or because users must log in.

It is in the student's folder, and has its own ports. `./brokers` in the lab's folder controls it:

    brokers             show each broker, and the leader and the in-sync replicas of the lab's topics
    brokers start [N]   start broker N, or everything that does not run
    brokers stop N      stop broker N in the regular way: it hands its partitions over
    brokers kill N      kill -9: it hands nothing over
    brokers freeze N    SIGSTOP: it runs, and does nothing, as with a disk that hangs
    brokers thaw N      SIGCONT
"""

import argparse
import os
import pathlib
import shutil
import signal
import zlib
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import TopicMetadata

from cluster import Cluster, ClusterError
from ports import Ports, SecuredPorts, in_use, needed_by_brokers, needed_by_registry, remembered
from runner import screen
from runner.course import SECURED, Lab
from secured_cluster import SecuredCluster

FIRST_PORT, LAST_PORT, PORTS_EACH = 10000, 12000, 10  # Below those of the tests.


def own_cluster(lab: Lab, home: pathlib.Path, say: Callable[[str], None] = screen.say) -> Cluster:
    """As it was left; on other ports if it has none yet, or if another program has taken them since."""
    folder = place(lab, home)
    secured = lab.cluster == SECURED
    directory = folder / "cluster"
    if (directory / "ports.json").exists():
        found = opened(directory, lab.nodes, say)
        if found.running() or not any(map(in_use, ports_of(found.ports, lab.nodes))):
            return found
    ports = free_ports(f"{home} {lab.name}", secured)
    return SecuredCluster(directory, ports, say=say, brokers=lab.nodes) if isinstance(ports, SecuredPorts) else \
        Cluster(directory, ports, say=say, brokers=lab.nodes)


def opened(directory: pathlib.Path, nodes: tuple[int, ...], say: Callable[[str], None]) -> Cluster:
    """The cluster that has run in this folder before."""
    ports = remembered(directory)
    if isinstance(ports, SecuredPorts):
        return SecuredCluster(directory, ports, say=say, brokers=nodes)
    return Cluster(directory, ports, say=say, brokers=nodes)


def place(lab: Lab, home: pathlib.Path) -> pathlib.Path:
    return home / "clusters" / lab.name


def free_ports(owner: str, secured: bool) -> Ports:
    """Where the search begins depends on the owner, so that two students rarely look at the same ports."""
    count = (LAST_PORT - FIRST_PORT) // PORTS_EACH
    for i in range(count):
        base = FIRST_PORT + (zlib.crc32(owner.encode()) + i) % count * PORTS_EACH
        if not any(map(in_use, range(base, base + PORTS_EACH))):
            if secured:
                return SecuredPorts(brokers=base, nodes=base + 1, controllers=base + 2, registry=base + 3, console=base + 4,
                                    minio=base + 5)
            return Ports(brokers=base, controllers=base + 3, registry=base + 6, minio=base + 7)
    raise ClusterError(f"no {PORTS_EACH} free ports in a row from {FIRST_PORT} to {LAST_PORT}")


def ports_of(ports: Ports, nodes: Sequence[int]) -> list[int]:
    needs = [*needed_by_brokers(ports, nodes), *needed_by_registry(ports)]
    return [need.port for need in needs]


def complete(cluster: Cluster, nodes: Sequence[int]) -> bool:
    return all(cluster.broker_pid(n) for n in nodes) and cluster.registry_serves()


def make_ready(cluster: Cluster, nodes: Sequence[int]) -> None:
    """Whatever has happened to it: an experiment, or a restart of the machine."""
    for n in nodes:
        send(cluster, n, signal.SIGCONT)
    if not complete(cluster, nodes):
        with cluster.locked():
            cluster.start_brokers()
            if not cluster.registry_serves():
                cluster.start_registry()


def remove(lab: Lab, home: pathlib.Path) -> None:
    """Kills its processes, and deletes all that they have stored."""
    folder = place(lab, home)
    if (folder / "cluster/ports.json").exists():
        opened(folder / "cluster", lab.nodes, screen.say).kill()
    shutil.rmtree(folder, ignore_errors=True)


def send(cluster: Cluster, number: int, what: signal.Signals) -> None:
    if (pid := cluster.broker_pid(number)) is not None:
        os.kill(pid, what)


# ./brokers


def shown(cluster: Cluster, nodes: Sequence[int], topic: str) -> list[str]:
    lines = [f"broker {n}   {state(cluster.broker_pid(n))}" for n in nodes]
    try:
        found = cluster.admin().list_topics(timeout=5).topics
    except KafkaException as error:
        return [*lines, f"topics     cannot be seen: {error.args[0].str()}"]
    return [*lines, *(line for name in sorted(found) if name.startswith(topic) for line in partitions(found[name]))]


def partitions(topic: TopicMetadata) -> list[str]:
    return [f"{topic.topic} partition {p.id}: {f'leader {p.leader}' if p.leader > 0 else 'no leader'}, "
            f"in sync {' '.join(map(str, sorted(p.isrs)))}" for _, p in sorted(topic.partitions.items())]


def state(pid: int | None) -> str:
    if pid is None:
        return "stopped"
    letter = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return f"{'frozen' if letter == 'T' else 'runs'} (pid {pid})"


def obey(cluster: Cluster, nodes: tuple[int, ...], command: str, number: int | None) -> None:
    if command == "start":
        if number is None:
            make_ready(cluster, nodes)
        else:
            send(cluster, number, signal.SIGCONT)  # A frozen one never serves.
            with cluster.locked():
                cluster.start_brokers([number])
    elif number is None:
        raise ClusterError(f"./brokers {command} needs the number of a broker: {', '.join(map(str, nodes))}")
    elif command == "stop":
        cluster.stop_brokers([number])
    elif cluster.broker_pid(number) is None:
        raise ClusterError(f"broker {number} does not run")
    elif command == "kill":
        cluster.kill_broker(number)
    else:
        send(cluster, number, signal.SIGSTOP if command == "freeze" else signal.SIGCONT)


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="./brokers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--directory", "--nodes", "--topic"):  # The script in the lab's folder has them.
        parser.add_argument(name, required=True, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="?", default="show", metavar="COMMAND",
                        choices=("show", "start", "stop", "kill", "freeze", "thaw"))
    parser.add_argument("number", nargs="?", type=int, metavar="N")
    asked = parser.parse_args(words)
    nodes = tuple(range(1, int(asked.nodes) + 1))
    if asked.number is not None and asked.number not in nodes:
        parser.error(f"there is no broker {asked.number}, but {', '.join(map(str, nodes))}")
    try:
        cluster = opened(pathlib.Path(asked.directory), nodes, screen.say)
        if asked.command != "show":
            obey(cluster, nodes, asked.command, asked.number)
        else:
            screen.say(*shown(cluster, nodes, asked.topic))
        return 0
    except (ClusterError, TimeoutError, OSError) as error:
        screen.warn(f"error: {error}")
        return 1
