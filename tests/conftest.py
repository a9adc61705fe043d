"""Fixtures for tests of the whole program: one real cluster, and isolated resources for each test."""

import functools
import os
import pathlib
import re
import shutil
import signal
import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import kafka_java
import soak
from background_process import BackgroundProcess
from cluster import Cluster, Ports
from long_tests import pytest_runtest_makereport as pytest_runtest_makereport
from minio import Minio
from places import ROOT
from ports import SecuredPorts, in_use
from secured_cluster import SecuredCluster
from s3_bucket import Bucket
from shopstream import Shopstream, shopstream_world
from spark_session import spark_session
from versitygw import Versitygw, VersitygwServer

CLUSTERS = ROOT / "build/test-clusters"  # One folder per session, named by its pid.
VERSITYGW = "versitygw"  # Its folder in there.
ONE_NODE = "one-node"
SECURED_NODE = "secured/node"  # Its passwords are beside it.
SLOW_TO_START = ("spark", "secured_node")  # Fixtures.

# Brokers of tests do not run long enough for code that is optimized further to pay off.
kafka_java.OPTIONS.append("-XX:TieredStopAtLevel=1")


def pytest_configure(config: pytest.Config) -> None:
    # SIGTERM must also run the fixtures' teardown, so that no broker is left over.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("SIGTERM"))
    config.addinivalue_line("markers", "soak: has a longer form, which `./run test soak` runs")
    config.addinivalue_line("markers", "soak_only: runs in `./run test soak` alone")
    if not hasattr(config, "workerinput"):  # Before the workers start, and once.
        _end_leftovers()


class SharedFixturesTogether(LoadScopeScheduling):
    """One worker takes all tests of a file that has module fixtures, and all tests that use Spark, or the secured node.
    The others go to whichever has time. (The groups of pytest-xdist 3.8 do not reach pytest 9.)"""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid.partition("::")[0]) or nodeid


@functools.cache
def shared_by(file: str) -> str | None:
    text = (ROOT / file).read_text()
    slow = next((name for name in SLOW_TO_START if re.search(rf"\b{name}\b", text)), None)
    return slow or (file if 'scope="module"' in text else None)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return SharedFixturesTogether(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that are too slow for every change are deselected unless requested."""
    if soak.LONG:
        return
    left_out = [item for item in items if item.get_closest_marker("soak_only")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def session_cluster() -> Iterator[Cluster]:
    """The worker's one cluster, with nothing started. Use `brokers`, `cluster` or `minio`, which repair it."""
    folder = CLUSTERS / str(os.getpid())
    shared = Cluster(folder, free_ports(), say=lambda line: print(f"cluster: {line}"))
    try:
        yield shared
    finally:
        shared.kill()
    shutil.rmtree(folder)


@pytest.fixture
def brokers(session_cluster: Cluster) -> Cluster:
    """All three brokers serve, whatever the previous test did to them."""
    session_cluster.start_brokers()
    return session_cluster


@pytest.fixture
def cluster(brokers: Cluster) -> Cluster:
    """The brokers and the registry serve."""
    brokers.start_registry()
    return brokers


@pytest.fixture(scope="session")
def one_node(session_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster of a single broker, with its registry: it starts sooner, for tests that need no copies."""
    folder = session_cluster.directory / ONE_NODE
    first = free_range(22000, 24000, 4)
    node = Cluster(folder, Ports(brokers=first, controllers=first + 1, registry=first + 2),
                   say=lambda line: print(f"one node: {line}"), brokers=(1,))
    try:
        node.start_brokers()
        node.start_registry()
        yield node
    finally:
        node.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def secured_node(session_cluster: Cluster) -> Iterator[SecuredCluster]:
    """The session's one node that requires a login, with its registry, started once. Its console is not started."""
    folder = session_cluster.directory / SECURED_NODE  # Which outlives this fixture.
    first = free_range(24000, 29000, 6)
    ports = SecuredPorts(brokers=first, nodes=first + 1, controllers=first + 2, registry=first + 3,
                         plaintext=first + 4, console=first + 5)
    node = SecuredCluster(folder, ports, say=lambda line: print(f"secured cluster: {line}"), brokers=(1,))
    try:
        node.start_brokers()
        node.start_registry()
        yield node
    finally:
        node.kill()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def prometheus_port() -> int:
    return free_range(32000, 32700, 1)


@pytest.fixture
def minio(session_cluster: Cluster, request: pytest.FixtureRequest) -> Minio:
    """MinIO serves, with a new empty bucket for this test."""
    return _created(Minio(_bucket_name(request), cluster=session_cluster))


@pytest.fixture(scope="session")
def versitygw_server(session_cluster: Cluster) -> Iterator[VersitygwServer]:
    """The session's one versitygw, not started. Use `versitygw` or `s3`, which repair it."""
    server = VersitygwServer(session_cluster.directory / VERSITYGW, session_cluster.ports.minio + 2)
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def versitygw(versitygw_server: VersitygwServer, request: pytest.FixtureRequest) -> Versitygw:
    """versitygw serves, with a new empty bucket for this test."""
    return _created(Versitygw(_bucket_name(request), server=versitygw_server))


@pytest.fixture(params=["minio", "versitygw"])
def s3(request: pytest.FixtureRequest) -> Bucket:
    """For tests that must pass with every S3 server: each of the two in turn, with an empty bucket."""
    return request.getfixturevalue(request.param)


B = TypeVar("B", bound=Bucket)


def _created(bucket: B) -> B:
    bucket.start_server()
    bucket.create()
    return bucket


def _bucket_name(request: pytest.FixtureRequest) -> str:
    return f"{_name(request)[:50].strip('-')}-{uuid.uuid4().hex[:6]}"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Spark session with Delta and S3, as docs/reading-the-lake.md creates it: one for all tests."""
    with spark_session(tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture
def shopstream(cluster: Cluster, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[Shopstream]:
    """The program, with a topic (not created yet), a group and a lake for this test only."""
    with shopstream_world(cluster, tmp_path, f"{_name(request)[:80]}-{uuid.uuid4().hex[:6]}") as world:
        yield world


def _name(request: pytest.FixtureRequest) -> str:
    """The test's name, restricted to what topics and buckets allow."""
    return re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")


def _end_leftovers() -> None:
    """Kills processes left behind by sessions that were themselves killed, using their pid files."""
    for folder in CLUSTERS.glob("*"):
        if not pathlib.Path(f"/proc/{folder.name}").exists():
            Cluster(folder).kill()
            Cluster(folder / ONE_NODE).kill()
            SecuredCluster(folder / SECURED_NODE).kill()
            BackgroundProcess("versitygw", folder / VERSITYGW).kill()
            shutil.rmtree(folder)


def free_ports() -> Ports:
    base = free_range(12000, 22000, 10)
    return Ports(brokers=base, controllers=base + 3, registry=base + 6, minio=base + 7)


def free_range(low: int, high: int, count: int) -> int:
    """The first of `count` consecutive ports that nobody listens on, in this worker's share of low..high-1. All are
    below the range of ephemeral ports. Where the search begins depends on the process, so that sessions at the same
    time rarely meet."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ranges = (high - low) // workers // count
    for i in range(ranges):
        base = low + (worker * ranges + (os.getpid() + i) % ranges) * count
        if not any(in_use(port) for port in range(base, base + count)):
            return base
    raise RuntimeError(f"no {count} free ports in a row from {low} to {high}")
