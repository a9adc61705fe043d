"""./run up, down and status.

    cluster_commands.py up [--minio] [--no-registry]     start whatever is not running, wait until it is ready
    cluster_commands.py up --secure [--minio]            the same of the secured cluster
    cluster_commands.py up --broker N                    start only that broker
    cluster_commands.py down [--broker N]                stop exactly what was started; all data stays
    cluster_commands.py status                           show what is running and ready
"""

import argparse
import sys
from collections.abc import Callable

import arguments
from cluster import Cluster, ClusterError, cluster_of, exit_code
from places import CLUSTER, SECURED
from ports import SecuredPorts, remembered
from secured_cluster import SecuredCluster


def up(cluster: Cluster, asked: argparse.Namespace) -> None:
    with cluster.locked():
        if asked.broker is not None:
            cluster.start_brokers([asked.broker])
            return
        minio = asked.minio or isinstance(cluster, SecuredCluster) and cluster.lake_is_in_minio
        cluster.insist_on_free_ports(not asked.no_registry, minio)
        cluster.start_brokers()
        if minio:
            cluster.start_minio()
        if not asked.no_registry:
            cluster.start_registry()
        if isinstance(cluster, SecuredCluster) and not asked.no_registry:
            cluster.start_console()
        print("\n".join(["", *cluster.status(), f"logs and data: {cluster.directory}", *how_to_use(cluster),
                         "stop it: ./run down"]))


def how_to_use(cluster: Cluster) -> list[str]:
    if not isinstance(cluster, SecuredCluster):
        return []
    run = f"./run shopstream --config {cluster.shown}"
    return [f"passwords: {cluster.secrets.folder}",
            f"sign in to the console as admin or viewer: {cluster.secrets.folder}/console-USER.password",
            "each role has its own configuration:",
            f"  {run}/admin.yaml topics setup",
            f"  {run}/producer.yaml generate --count 1000",
            f"  {run}/ingest.yaml ingest --until-caught-up",
            f"  {run}/observe.yaml audit"]


def down(cluster: Cluster, asked: argparse.Namespace) -> None:
    with cluster.locked():
        if asked.broker is None:
            cluster.stop()
        else:
            cluster.stop_brokers([asked.broker])


def status(cluster: Cluster, asked: argparse.Namespace) -> None:
    print("\n".join(cluster.status()))


COMMANDS = {"up": up, "down": down, "status": status}


def say(line: str) -> None:
    print(line, flush=True)


def clusters(command: str, asked: argparse.Namespace) -> list[Cluster]:
    """Those that the command is about: `down` and `status` without --secure are also about a secured cluster."""
    ports = arguments.asked_ports(asked)

    def plain() -> Cluster:
        return cluster_of(ports, asked.directory, say)

    def secured() -> Cluster:
        directory = SECURED if asked.directory == CLUSTER else asked.directory
        return cluster_of(ports, directory, say, SecuredCluster, SecuredPorts())

    is_secured = isinstance(remembered(asked.directory.resolve()), SecuredPorts)
    if asked.secure or is_secured:
        return [secured()]
    both = command != "up" and asked.directory == CLUSTER and (SECURED / "ports.json").exists()
    if not both:
        return [plain()]
    other = cluster_of(arguments.Asked(), SECURED, say, SecuredCluster, SecuredPorts())
    if not other.running():
        return [plain()]
    return [plain(), other] if plain().running() else [other]


def main() -> int:
    command, asked = sys.argv[1], arguments.parse(sys.argv[1], sys.argv[2:])
    try:
        chosen = clusters(command, asked)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1

    def work(cluster: Cluster) -> Callable[[], None]:
        return lambda: COMMANDS[command](cluster, asked)

    return max(exit_code(cluster, work(cluster)) for cluster in chosen)


if __name__ == "__main__":
    sys.exit(main())
