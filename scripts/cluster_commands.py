"""./run up, down and status.

    cluster_commands.py up [--minio] [--no-registry]     start whatever is not running, wait until it is ready
    cluster_commands.py up --broker N                    start only that broker
    cluster_commands.py down [--broker N]                stop exactly what was started; all data stays
    cluster_commands.py status                           show what is running and ready
"""

import argparse
import sys

import arguments
from cluster import Cluster, ClusterError, cluster_of, exit_code


def up(cluster: Cluster, asked: argparse.Namespace) -> None:
    with cluster.locked():
        if asked.broker is not None:
            cluster.start_brokers([asked.broker])
            return
        cluster.insist_on_free_ports(not asked.no_registry, asked.minio)
        cluster.start_brokers()
        if not asked.no_registry:
            cluster.start_registry()
        if asked.minio:
            cluster.start_minio()
        print("\n".join(["", *cluster.status(), f"logs and data: {cluster.directory}", "stop it: ./run down"]))


def down(cluster: Cluster, asked: argparse.Namespace) -> None:
    with cluster.locked():
        if asked.broker is None:
            cluster.stop()
        else:
            cluster.stop_brokers([asked.broker])


def status(cluster: Cluster, asked: argparse.Namespace) -> None:
    print("\n".join(cluster.status()))


COMMANDS = {"up": up, "down": down, "status": status}


def main() -> int:
    command, asked = sys.argv[1], arguments.parse(sys.argv[1], sys.argv[2:])
    try:
        cluster = cluster_of(arguments.asked_ports(asked), asked.directory, lambda line: print(line, flush=True))
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return exit_code(cluster, lambda: COMMANDS[command](cluster, asked))


if __name__ == "__main__":
    sys.exit(main())
