"""The arguments of ./run up, down, status and demo. Only the standard library, so that --help needs no set-up.

    arguments.py COMMAND --help     print the command's help
"""

import argparse
import pathlib
import re
import sys

from places import CLUSTER
from ports import BROKERS, Asked, Ports, SecuredPorts

DEMO = """Loads real purchases into a lake and prints a summary. Takes less than three minutes once everything is built.

Starts the local cluster, sends synthetic and real purchases through Kafka, ingests them into Bronze,
audits the result and reads it with programs that share no code with this one. It uses the same
cluster, topic and lake as `./run up` and the default settings, so that every other command sees the
result. It only adds data: a second run appends to the tables. Processes that were already running
keep running. With --lake s3:// it also starts MinIO and puts the lake there, one bucket per table;
with --lake s3://BUCKET/PREFIX, below that prefix."""

COMMANDS = {
    "up": "Start whatever is not running of the local cluster: three Kafka brokers and the schema registry.",
    "down": "Stop exactly what `up` started. All data stays.",
    "status": "Show what `up` started, and whether it is ready.",
    "demo": DEMO,
}


def parse(command: str, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"./run {command}", description=COMMANDS[command],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    {"up": _up, "down": _down, "status": _status, "demo": _demo}[command](parser)
    return parser.parse_args(arguments)


def asked_ports(arguments: argparse.Namespace) -> Asked:
    return Asked(arguments.port, arguments.controller_port, arguments.registry_port, arguments.minio_port,
                 getattr(arguments, "console_port", None))


def _up(parser: argparse.ArgumentParser) -> None:
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--broker", type=int, choices=BROKERS, help="only this broker")
    part.add_argument("--minio", action="store_true",
                      help="also MinIO, an S3 object store; the first time it is built, which takes 4 minutes")
    parser.add_argument("--no-registry", action="store_true", help="brokers only")
    _secure(parser, "the secured cluster instead: TLS, users and permissions for everything, and the console; see "
                    "docs/secured-cluster.md")
    parser.add_argument("--console-port", type=_port, metavar="PORT",
                        help=f"with --secure [last time's, or {SecuredPorts.console}]")
    _where(parser)


def _down(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--broker", type=int, choices=BROKERS, help="only this broker")
    _secure(parser, "only the secured cluster")
    _where(parser)


def _status(parser: argparse.ArgumentParser) -> None:
    _secure(parser, "only the secured cluster")
    _where(parser)


def _secure(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument("--secure", action="store_true", help=meaning)


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave the cluster running at the end")
    parser.add_argument("--lake", type=_s3_uri, metavar="s3://[BUCKET/PREFIX]",
                        help="put the lake into MinIO; default: .shopstream/lake")
    _where(parser)


def _where(parser: argparse.ArgumentParser) -> None:
    """Ports that are not named are those of last time, or the defaults."""
    parser.add_argument("--port", type=_port, metavar="PORT",
                        help=f"port of broker 1; the others follow [last time's, or {Ports.brokers}]")
    parser.add_argument("--controller-port", type=_port, metavar="PORT",
                        help="port of broker 1's controller [100 above --port]")
    parser.add_argument("--registry-port", type=_port, metavar="PORT", help=f"[last time's, or {Ports.registry}]")
    parser.add_argument("--minio-port", type=_port, metavar="PORT",
                        help=f"port of MinIO's S3 API; its console is one above [last time's, or {Ports.minio}]")
    parser.add_argument("--directory", type=pathlib.Path, default=CLUSTER, metavar="FOLDER",
                        help="the cluster's data and logs [.shopstream/cluster; with --secure: .shopstream/secure]")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65000:  # Other ports follow it.
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 1 to 65000")
    return int(text)


def _s3_uri(text: str) -> str:
    if not re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]+(/[^?#]*)?)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither s3:// nor s3://bucket/prefix")
    return text


if __name__ == "__main__":
    parse(sys.argv[1], sys.argv[2:])
