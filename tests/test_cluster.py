"""The local cluster from a user's perspective: ./run up, down and status, on ports for this test only."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from pyarrow import fs

import cluster as local_cluster
from background_process import BackgroundProcess
from cluster import BROKERS, Cluster, ClusterError, Ports, cluster_of
from conftest import free_ports
from minio import Minio
from places import BINARY, ROOT
from ports import Asked, SecuredPorts, remember
from secured_cluster import SecuredCluster
from waiting import wait_until


def cluster_command(over: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`./run up`, `down` or `status`, with the test's folder and ports."""
    return in_folder(over.directory, *arguments, "--port", str(over.ports.brokers),
                     "--controller-port", str(over.ports.controllers), "--registry-port", str(over.ports.registry),
                     "--minio-port", str(over.ports.minio))


def in_folder(directory: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same, with the ports that this folder remembers."""
    script = ROOT / "scripts/cluster_commands.py"
    return subprocess.run([sys.executable, str(script), *arguments, "--directory", str(directory)],
                          capture_output=True, text=True, timeout=180)


def broker_pids(of: Cluster) -> dict[int, int | None]:
    return {n: of.broker_pid(n) for n in BROKERS}


def test_up_again_says_that_all_run_and_changes_nothing(brokers: Cluster) -> None:
    before = broker_pids(brokers)
    done = cluster_command(brokers, "up", "--no-registry")
    assert done.returncode == 0, done.stderr
    for number, pid in before.items():
        assert f"broker {number} is already running on 127.0.0.1:{brokers.ports.broker(number)} (pid {pid})" in done.stdout
    assert broker_pids(brokers) == before


def test_up_starts_the_registry_and_says_where_everything_is(brokers: Cluster) -> None:
    done = cluster_command(brokers, "up")
    assert done.returncode == 0, done.stderr
    assert brokers.registry_serves()
    assert brokers.registry_url in done.stdout
    assert str(brokers.directory) in done.stdout
    assert "./run down" in done.stdout


def test_a_broker_stops_and_starts_by_number(brokers: Cluster) -> None:
    before = broker_pids(brokers)
    done = cluster_command(brokers, "down", "--broker", "2")
    assert (done.returncode, done.stdout) == (0, "broker 2 stopped\n"), done.stderr
    assert broker_pids(brokers) == {**before, 2: None}
    wait_until(lambda: brokers.serving(1) == {1, 3}, 30, "broker 1 knows that 2 is gone")
    done = cluster_command(brokers, "up", "--broker", "2")
    assert done.returncode == 0, done.stderr
    assert brokers.serving(2) == {1, 2, 3}
    assert {n: brokers.broker_pid(n) for n in (1, 3)} == {n: before[n] for n in (1, 3)}


def test_a_killed_broker_is_noticed_and_comes_back(brokers: Cluster) -> None:
    brokers.kill_broker(3)
    assert "not running" in cluster_command(brokers, "status").stdout.splitlines()[2]
    done = cluster_command(brokers, "up", "--no-registry")
    assert done.returncode == 0, done.stderr
    assert "starting broker 3" in done.stdout
    assert brokers.serving(3) == {1, 2, 3}


def test_a_taken_port_is_named_with_its_holder_and_what_still_runs(brokers: Cluster) -> None:
    cluster_command(brokers, "down", "--broker", "1")
    me = pathlib.Path("/proc/self/comm").read_text().strip()
    with socket.create_server(("127.0.0.1", brokers.ports.broker(1))):
        done = cluster_command(brokers, "up", "--broker", "1")
        assert f"not running; {me} (pid {os.getpid()}) uses port" in cluster_command(brokers, "status").stdout
    assert done.returncode == 1
    assert f"port {brokers.ports.broker(1)} (broker 1) is used by {me} (pid {os.getpid()}).\n" in done.stderr
    assert "choose other ports here: --port " in done.stderr and "./run down, or" not in done.stderr
    assert re.search(r"^still running: broker 2(,| and) broker 3.* \(\./run down stops them\)$", done.stderr, re.MULTILINE)
    assert brokers.broker_pid(1) is None


# Ports.


def test_the_folder_remembers_its_ports(brokers: Cluster) -> None:
    kept = json.loads((brokers.directory / "ports.json").read_text())
    assert kept["kafka"] == [brokers.ports.broker(n) for n in BROKERS]
    status = in_folder(brokers.directory, "status").stdout
    assert [f"127.0.0.1:{port}" in line for port, line in zip(kept["kafka"], status.splitlines())] == [True] * 3
    assert status.count("ready (pid") >= 3
    again = in_folder(brokers.directory, "up", "--no-registry")
    assert again.stdout.count("already running") == 3, again.stderr


def test_a_cluster_from_before_ports_were_remembered_is_found(cluster: Cluster) -> None:
    (cluster.directory / "ports.json").unlink()
    before = in_folder(cluster.directory, "status").stdout
    assert before.count("ready (pid") >= 4, before
    assert cluster.registry_url in before and cluster.bootstrap_servers.partition(",")[0] in before


def test_other_ports_than_the_cluster_runs_on_are_refused(brokers: Cluster) -> None:
    other = in_folder(brokers.directory, "up", "--port", "31094")
    assert other.returncode == 1 and not other.stdout
    assert f"already runs, with brokers on port {brokers.ports.brokers}, not 31094" in other.stderr
    assert "./run down" in other.stderr


def test_all_ports_are_checked_before_anything_starts(brokers: Cluster, tmp_path: pathlib.Path) -> None:
    """Another checkout on the same ports: nothing starts, nothing is written, and the first one is not harmed."""
    before = broker_pids(brokers)
    other = tmp_path / ".shopstream/cluster"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        registry = taken.getsockname()[1]
        done = in_folder(other, "up", "--port", str(brokers.ports.brokers), "--controller-port",
                         str(brokers.ports.controllers), "--registry-port", str(registry))
    assert done.returncode == 1 and not done.stdout
    for n in BROKERS:
        assert f"{brokers.ports.broker(n)} (broker {n})" in done.stderr
        assert str(before[n]) in done.stderr
    assert f"are used by the cluster of {brokers.directory} (pid " in done.stderr
    assert f"port {registry} (the registry) is used by" in done.stderr
    assert not list(other.glob("broker-*")) and broker_pids(brokers) == before
    status = in_folder(other, "status", "--port", str(brokers.ports.brokers)).stdout
    assert status.splitlines()[0].endswith(f"not running; the cluster of {brokers.directory} uses port {brokers.ports.brokers}")


def test_the_demo_starts_nothing_if_a_port_is_taken(brokers: Cluster, tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([sys.executable, ROOT / "scripts/demo.py", "--keep", "--directory", tmp_path / "cluster",
                               "--port", "28094", "--registry-port", port], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"port {port} (the registry) is used by" in done.stderr and "still running" not in done.stderr
    assert "starting" not in done.stdout and not list((tmp_path / "cluster").glob("broker-*"))


def test_a_neighbours_cluster_is_to_be_stopped_in_its_checkout(tmp_path: pathlib.Path) -> None:
    ports = free_ports()
    neighbour = Cluster(tmp_path / "neighbour/.shopstream/cluster", ports, say=print)
    try:
        neighbour.start_minio()
        with pytest.raises(ClusterError) as caught:
            Cluster(tmp_path / "ours/.shopstream/cluster", ports, say=print).start_minio()
        assert f"used by the cluster of {tmp_path / 'neighbour'} (pid {neighbour.minio_pid()})" in str(caught.value)
        assert "stop it there with ./run down, or choose other ports here: --minio-port " in str(caught.value)
    finally:
        neighbour.kill()


def test_a_damaged_list_of_ports_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "ports.json").write_text("{}")
    done = in_folder(tmp_path, "status")
    assert done.returncode == 1 and f"{tmp_path}/ports.json is damaged" in done.stderr


def test_a_node_that_dies_while_starting_leaves_its_last_words(brokers: Cluster) -> None:
    cluster_command(brokers, "down", "--broker", "1")
    identity = brokers.directory / "broker-1/data/meta.properties"
    good = identity.read_text()
    identity.write_text(good.replace("node.id=1", "node.id=9"))
    try:
        with pytest.raises(ClusterError, match=r"(?s)broker 1 exited while starting.*server.log.*Stored node id 9") as caught:
            brokers.start_brokers([1])
        assert str(brokers.log_file(1)) in str(caught.value)
    finally:
        identity.write_text(good)


def test_no_wait_is_without_bound(brokers: Cluster) -> None:
    pid = brokers.broker_pid(2)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ClusterError, match=r"did not become ready within 3 s; missing: brokers? .*2"):
            brokers.start_brokers(timeout=3)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_data_outlives_down_and_up(brokers: Cluster) -> None:
    brokers.start_minio()
    topic = f"kept-{os.getpid()}"
    admin = AdminClient({"bootstrap.servers": brokers.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, 3)])[topic].result(timeout=30)
    down = cluster_command(brokers, "down")
    assert down.returncode == 0, down.stderr
    # The last one may have to be killed: its data must survive that as well.
    gone = [f"broker {n} stopped" in down.stdout or f"broker {n} had no majority left" in down.stdout for n in BROKERS]
    assert gone == [True] * 3, down.stdout
    assert broker_pids(brokers) == dict.fromkeys(BROKERS)
    assert "minio stopped" in down.stdout and brokers.minio_pid() is None
    again = cluster_command(brokers, "down")
    assert (again.returncode, again.stdout.count("was not running")) == (0, 4), again.stderr
    up = cluster_command(brokers, "up", "--no-registry")
    assert up.returncode == 0, up.stderr
    assert topic in AdminClient({"bootstrap.servers": brokers.bootstrap_servers}).list_topics(timeout=10).topics


def test_status_shows_the_console_and_down_stops_it(tmp_path: pathlib.Path) -> None:
    """As `./run demo --keep` leaves it."""
    console = Cluster(tmp_path, free_ports()).console
    try:
        url = console.serve(BINARY, {name: value for name, value in os.environ.items()
                                     if not name.startswith("SHOPSTREAM_")}, ROOT)
        shown = in_folder(tmp_path, "status")
        assert f"console    {url}" in shown.stdout, shown.stderr
        stopped = in_folder(tmp_path, "down")
        assert (stopped.returncode, stopped.stderr) == (0, "") and "console" in stopped.stdout
        assert not console.running()
    finally:
        console.kill()


def test_a_cluster_of_one_node(one_node: Cluster) -> None:
    admin = AdminClient({"bootstrap.servers": one_node.bootstrap_servers})
    topic = f"alone-{os.getpid()}"
    admin.create_topics([NewTopic(topic, 1)])[topic].result(timeout=30)
    assert one_node.serving(1) == {1} and one_node.leaderless(1) == []
    assert [line.split()[0] for line in one_node.status()] == ["broker", "registry", "minio"]


def test_a_secured_folder_is_not_started_without_security_nor_the_reverse(tmp_path: pathlib.Path) -> None:
    secured, plain = tmp_path / "secured", tmp_path / "plain"
    remember(secured, SecuredPorts())
    remember(plain, Ports())
    with pytest.raises(ClusterError, match=f"{secured} has a secured cluster: name another folder"):
        cluster_of(Asked(), secured, print)
    with pytest.raises(ClusterError, match=f"{plain} has a cluster without security: name another folder"):
        cluster_of(Asked(), plain, print, SecuredCluster, SecuredPorts())
    assert isinstance(cluster_of(Asked(), secured, print, SecuredCluster, SecuredPorts()), SecuredCluster)


# MinIO.


def test_up_starts_minio_only_when_it_is_asked_for(brokers: Cluster) -> None:
    brokers.kill_minio()
    assert cluster_command(brokers, "up", "--no-registry").returncode == 0
    assert brokers.minio_pid() is None
    done = cluster_command(brokers, "up", "--no-registry", "--minio")
    assert done.returncode == 0, done.stderr
    assert brokers.minio_serves()
    pid, console = brokers.minio_pid(), brokers.ports.minio_console
    line = f"minio      {brokers.minio_url:22} ready (pid {pid}), console on :{console}"
    assert line in done.stdout and line in cluster_command(brokers, "status").stdout
    with socket.create_connection(("127.0.0.1", console), timeout=10):
        pass
    again = cluster_command(brokers, "up", "--no-registry", "--minio")
    assert f"minio is already running on {brokers.minio_url} (pid {pid})" in again.stdout, again.stderr
    assert brokers.minio_pid() == pid


def test_minio_keeps_what_it_acknowledged_through_kill_and_down(minio: Minio) -> None:
    cluster, path = minio.cluster, f"{minio.bucket}/kept"
    with minio.files().open_output_stream(path) as stream:
        stream.write(b"to stay")
    cluster.kill_minio()
    assert "minio" in cluster_command(cluster, "status").stdout.splitlines()[-1]
    assert "not running" in cluster_command(cluster, "status").stdout.splitlines()[-1]
    cluster.start_minio()
    cluster.stop_minio()
    assert not cluster.minio_serves()
    cluster.start_minio()
    with minio.files().open_input_stream(path) as stream:
        assert stream.read() == b"to stay"


def test_each_test_has_a_bucket_of_its_own(minio: Minio) -> None:
    assert minio.files().get_file_info(fs.FileSelector(minio.bucket, recursive=True)) == []


@pytest.mark.parametrize(("above", "what"), [(0, "minio"), (1, "minio's console")])
def test_a_port_that_minio_needs_is_named_with_its_holder(above: int, what: str, tmp_path: pathlib.Path) -> None:
    ports = free_ports()
    port = ports.minio + above
    with socket.create_server(("127.0.0.1", port)):
        cluster = Cluster(tmp_path, ports)
        with pytest.raises(ClusterError, match=rf"(?s)port {port} \({what}\) is used by .*\(pid {os.getpid()}\)"
                                               ".*choose other ports here: --minio-port "):
            cluster.start_minio()
    assert cluster.minio_pid() is None


def test_minio_that_dies_while_starting_leaves_its_last_words(session_cluster: Cluster) -> None:
    session_cluster.start_minio()
    session_cluster.stop_minio()
    identity = session_cluster.directory / "minio/data/.minio.sys/format.json"
    good = identity.read_text()
    identity.write_text(good.replace('"version":"1"', '"version":"9"', 1))
    try:
        with pytest.raises(ClusterError, match=r"(?s)minio exited while starting.*output.log.*Unable to use the drive") as caught:
            session_cluster.start_minio()
        assert str(session_cluster.directory / "minio") in str(caught.value)
    finally:
        identity.write_text(good)
    session_cluster.start_minio()


def test_minio_that_does_not_answer_is_not_waited_for_without_bound(minio: Minio) -> None:
    pid = minio.cluster.minio_pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        tasks = pathlib.Path(f"/proc/{pid}/task")
        wait_until(lambda: all((task / "stat").read_text().rpartition(") ")[2].startswith("T")
                               for task in tasks.iterdir()), 10, "every thread has stopped")
        with pytest.raises(ClusterError, match=r"minio did not become ready within 1 s"):
            minio.cluster.start_minio(timeout=1)
        assert "running, not ready yet" in cluster_command(minio.cluster, "status").stdout.splitlines()[-1]
    finally:
        os.kill(pid, signal.SIGCONT)


def test_minio_that_is_not_built_is_said_to_be_so(session_cluster: Cluster, tmp_path: pathlib.Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    session_cluster.kill_minio()
    monkeypatch.setattr(local_cluster, "DEPS", tmp_path)
    with pytest.raises(ClusterError, match=r"minio/minio is missing: ./run setup --minio builds it"):
        session_cluster.start_minio()


# `down` may only stop exactly the process that was started.


@pytest.fixture
def sleeper(tmp_path: pathlib.Path) -> Iterator[BackgroundProcess]:
    process = BackgroundProcess("sleeper", tmp_path / "sleeper")
    process.start(["sleep", "600"])
    yield process
    process.kill()


def test_another_object_over_the_folder_ends_the_process(sleeper: BackgroundProcess) -> None:
    same = BackgroundProcess("sleeper", sleeper.folder)
    assert same.pid() == sleeper.pid()
    assert same.kill()
    assert not sleeper.running()


def test_a_pid_that_was_used_again_is_left_alone(sleeper: BackgroundProcess, tmp_path: pathlib.Path) -> None:
    pid, start, boot = (sleeper.folder / "pid").read_text().split()
    stale = BackgroundProcess("stale", tmp_path / "stale")
    stale.folder.mkdir()
    (stale.folder / "pid").write_text(f"{pid} {int(start) - 1} {boot}")
    assert stale.pid() is None
    assert not stale.kill()
    assert sleeper.running()


def test_a_process_that_ignores_sigterm_is_killed_with_a_word(tmp_path: pathlib.Path) -> None:
    said: list[str] = []
    stubborn = Cluster(tmp_path, Ports(1, 2, 3), say=said.append)
    process = BackgroundProcess("registry", tmp_path / "registry")
    process.start([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                   "print('ready', flush=True); time.sleep(600)"])
    wait_until(lambda: "ready" in process.last_output(), 10, "the process ignores SIGTERM")
    stubborn.stop_registry(timeout=0.5)
    assert said == ["registry did not stop within 0.5 s: killed"]
    assert not process.running()
