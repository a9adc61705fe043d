"""./run up, down and status.

    cluster_commands.py up [--minio] [--no-registry]     start whatever is not running, wait until it is ready
    cluster_commands.py up --broker N                    start only that broker
    cluster_commands.py down [--broker N]                stop exactly what was started; all data stays
    cluster_commands.py status                           show what is running and ready
"""

import argparse
import sys

import arguments
from cluster import BROKERS, Cluster, ClusterError, cluster_of, left_running


def up(cluster: Cluster, asked: argparse.Namespace) -> None:
    if asked.broker is not None:
        cluster.start_brokers([asked.broker])
        return
    cluster.insist_on_free_ports(BROKERS, not asked.no_registry, asked.minio)
    cluster.start_brokers()
    if not asked.no_registry:
        cluster.start_registry()
    if asked.minio:
        cluster.start_minio()
    print("\n".join(["", *cluster.status(), f"logs and data: {cluster.directory}", "stop it: ./run down"]))


def down(cluster: Cluster, asked: argparse.Namespace) -> None:
    if asked.broker is None:
        cluster.stop()
    else:
        cluster.stop_brokers([asked.broker])


def perform(command: str, cluster: Cluster, asked: argparse.Namespace) -> int:
    try:
        if command == "status":
            print("\n".join(cluster.status()))
            return 0
        with cluster.locked():
            {"up": up, "down": down}[command](cluster, asked)
        return 0
    except (ClusterError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        code = 130
    if left := left_running(cluster):
        print(left, file=sys.stderr)
    return code


def main() -> int:
    command, asked = sys.argv[1], arguments.parse(sys.argv[1], sys.argv[2:])
    try:
        cluster = cluster_of(arguments.asked_ports(asked), asked.directory, lambda line: print(line, flush=True))
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return perform(command, cluster, asked)


if __name__ == "__main__":
    sys.exit(main())
