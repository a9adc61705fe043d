"""`./run up --secure` from a user's perspective: what each role can do with its own configuration file, what is refused,
and that no secret is anywhere but in its file."""

import base64
import json
import os
import pathlib
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from certificates import Authority
from conftest import free_range
from places import BINARY, ROOT
from ports import ClusterError, SecuredPorts
from secured_cluster import SecuredCluster
from secured_roles import CONSOLE_USERS, REGISTRY_USERS, ROLES, Secrets
from waiting import wait_until

NOBODY = 65534
COUNT = 300


def in_folder(cluster: SecuredCluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`./run up` and so on."""
    ports = cluster.ports
    return subprocess.run([sys.executable, str(ROOT / "scripts/cluster_commands.py"), *arguments, "--directory",
                           str(cluster.directory), "--port", str(ports.brokers), "--controller-port",
                           str(ports.controllers), "--registry-port", str(ports.registry), "--minio-port",
                           str(ports.minio),
                           *(["--console-port", str(ports.console)] if arguments[0] == "up" else [])],
                          env={**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"},
                          capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredCluster]:
    """Everything that `./run up --secure --minio` starts."""
    folder = tmp_path_factory.mktemp("secure-up")
    for name in ("secure", "secrets"):  # Of somebody who has created them before.
        (folder / name).mkdir(mode=0o755)
    first = free_range(29000, 32000, 110)
    cluster = SecuredCluster(folder / "secure", SecuredPorts(
        brokers=first, nodes=first + 50, controllers=first + 100, registry=first + 10, minio=first + 11,
        console=first + 13))
    try:
        done = in_folder(cluster, "up", "--secure", "--minio")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"--config {cluster.role_file('ingest')} ingest" in done.stdout, done.stdout
        yield cluster
    finally:
        cluster.kill()


def run(cluster: SecuredCluster, role: str, *arguments: object, expect: int = 0,
        **settings: str) -> subprocess.CompletedProcess[str]:
    """As this role, with its configuration file alone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
    done = subprocess.run([str(BINARY), "--config", str(cluster.role_file(role)), *map(str, arguments)],
                          env={**environment, "SHOPSTREAM_METRICS_LISTEN": "", **settings}, cwd=cluster.directory,
                          capture_output=True, text=True, timeout=90)
    assert done.returncode == expect, f"{role} {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def fetch(cluster: SecuredCluster, url: str, user: str = "", password: str = "", body: bytes | None = None) -> int:
    """The status."""
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(url, body, {"Authorization": f"Basic {login}"} if user else {})
    try:
        with urllib.request.urlopen(request, timeout=20, context=tls(cluster)) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


def tls(cluster: SecuredCluster) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(cluster.authority.certificate_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # The default since Python 3.13.
    return context


@pytest.fixture(scope="module")
def filled(up: SecuredCluster) -> SecuredCluster:
    """From the first event to an audit, each step by the role whose job it is."""
    run(up, "admin", "topics", "setup")
    run(up, "producer", "generate", "--count", COUNT)
    run(up, "ingest", "ingest", "--until-caught-up")
    return up


def test_each_role_does_its_job(filled: SecuredCluster) -> None:
    audit = json.loads(run(filled, "observe", "--json", "audit").stdout)
    assert str(COUNT) in json.dumps(audit), audit
    run(filled, "refine", "refine")
    assert str(COUNT) in run(filled, "observe", "query", "SELECT count(*) FROM bronze_events").stdout
    run(filled, "admin", "topics", "describe")


def test_a_wrong_password_names_the_user_and_not_the_password(filled: SecuredCluster, tmp_path: pathlib.Path) -> None:
    wrong = tmp_path / "password"
    wrong.write_text("not-the-password\n")
    done = run(filled, "producer", "generate", "--count", 1, expect=1,
               SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD_FILE=str(wrong))
    assert "refused the login of User:producer (user name or password is wrong)" in done.stderr, done.stderr
    assert "not-the-password" not in done.stderr + done.stdout
    done = run(filled, "ingest", "schema", "list", expect=1, SHOPSTREAM_REGISTRY_PASSWORD_FILE=str(wrong))
    assert "registry.password" in done.stderr and "not-the-password" not in done.stderr, done.stderr


@pytest.mark.parametrize(("role", "arguments", "words"), [
    ("producer", ("consume", "--from-beginning", "--max", 1), ("User:producer", "READ on topic shopstream-purchases")),
    ("admin", ("generate", "--count", 1), ("User:admin", "WRITE on topic shopstream-purchases")),
    ("refine", ("ingest", "--until-caught-up"), ("User:refine", "DESCRIBE on topic shopstream-purchases")),
    ("console", ("topics", "expand", "--partitions", 9), ("User:console", "ALTER on topic shopstream-purchases")),
    ("ingest", ("schema", "register", ROOT / "schemas/purchase_event.avsc"), ("403 User is denied operation Write",)),
    ("observe", ("ingest", "--until-caught-up"), ("cannot put if absent s3://shopstream/lake", "access denied")),
    ("ingest", ("storage", "test"), ("cannot delete s3://shopstream/lake", "access denied")),
])
def test_a_missing_right_is_named(filled: SecuredCluster, role: str, arguments: tuple[object, ...],
                                  words: tuple[str, ...]) -> None:
    done = run(filled, role, *arguments, expect=1)
    for word in words:
        assert word in done.stderr + done.stdout, done.stderr + done.stdout


def test_status_of_an_empty_folder_creates_nothing(tmp_path: pathlib.Path) -> None:
    cluster = SecuredCluster(tmp_path / "secure")
    assert all("not running" in line for line in cluster.status()), cluster.status()
    assert list(tmp_path.iterdir()) == []


def test_a_user_who_left_is_no_longer_in_the_file_of_users(tmp_path: pathlib.Path) -> None:
    secrets = Secrets(tmp_path)
    secrets.users_file("console", {"admin": "writer", "viewer": "writer"})
    file = secrets.users_file("console", {"viewer": "reader"})
    assert [line.split(":")[::2] for line in file.read_text().splitlines()] == [["viewer", "reader"]]
    before = file.stat().st_ino
    assert secrets.users_file("console", {"viewer": "reader"}).stat().st_ino == before  # Nothing is new.


def test_an_authority_cannot_vouch_for_another_machine(tmp_path: pathlib.Path) -> None:
    """As OpenSSL judges it. Java ignores such a limit of an authority that it trusts."""
    authority = Authority(tmp_path, "an authority")
    mine, other = authority.issue("mine"), tmp_path / "other.pem"
    steps = [f"req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {tmp_path}/key.pem "
             f"-subj /CN=other -addext subjectAltName=DNS:example.org -out {tmp_path}/request.pem",
             f"x509 -req -in {tmp_path}/request.pem -CA {authority.certificate_file} -CAkey {tmp_path}/ca-key.pem "
             f"-days 9 -copy_extensions copy -out {other}"]
    for step in steps:
        subprocess.run(["openssl", *step.split()], check=True, capture_output=True, timeout=30)
    answers = [subprocess.run(["openssl", "verify", "-CAfile", str(authority.certificate_file), str(path)],
                              capture_output=True, text=True, timeout=30) for path in (mine, other)]
    assert [answer.returncode for answer in answers] == [0, 2]
    assert "permitted subtree violation" in answers[1].stderr


def test_certificates_pass_strict_verification(tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path, "an authority")
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", str(authority.certificate_file),
                    str(authority.issue("server"))], check=True, timeout=30)


def test_nobody_gets_in_without_tls_or_with_the_wrong_certificate(up: SecuredCluster) -> None:
    for url in (up.registry_url, f"https://127.0.0.1:{up.ports.console}", up.minio_url):
        with pytest.raises((OSError, urllib.error.HTTPError)):  # No HTTP; MinIO answers 400.
            urllib.request.urlopen(url.replace("https", "http"), timeout=10)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(up.authority.certificate_file)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError):
            urllib.request.urlopen(url, timeout=10, context=old)
    trusted = {"ssl.ca.location": str(up.nodes_authority.certificate_file)}
    of_clients, of_nodes = str(up.authority.issue("stranger")), str(up.nodes_authority.issue("setup"))
    nodes, clients = f"127.0.0.1:{up.ports.nodes}", up.bootstrap_servers
    for servers, properties in (
            (nodes, {"security.protocol": "SSL", **trusted}),
            (nodes, {"security.protocol": "SSL", **trusted, "ssl.certificate.location": of_clients,
                     "ssl.key.location": of_clients}),
            (clients, {"security.protocol": "PLAINTEXT"}),
            (clients, {"security.protocol": "SSL", "ssl.certificate.location": of_nodes, "ssl.key.location": of_nodes,
                       "ssl.ca.location": str(up.authority.certificate_file)})):
        with pytest.raises(KafkaException):
            AdminClient({"bootstrap.servers": servers, **properties, "log_level": 0}).list_topics(timeout=3)
    assert up.admin().list_topics(timeout=20).brokers  # With its certificate.


def test_the_registry_and_the_console_ask_who_it_is(up: SecuredCluster) -> None:
    console = f"https://127.0.0.1:{up.ports.console}/api/about"
    subjects = f"{up.registry_url}/subjects"
    assert fetch(up, console) == fetch(up, subjects) == 401
    assert fetch(up, console, "viewer", "guess") == fetch(up, subjects, "ingest", "guess") == 401
    assert fetch(up, console, "viewer", up.secrets.password("console-viewer")) == 200
    assert fetch(up, subjects, "ingest", up.secrets.password("registry-ingest")) == 200
    assert fetch(up, f"{up.registry_url}/subjects/x/versions", "ingest", up.secrets.password("registry-ingest"),
                 b"{}") == 403
    # A password is for one service.
    assert fetch(up, subjects, "ingest", up.secrets.password("ingest")) == 401


@pytest.mark.parametrize("service", ["registry", "console"])
def test_a_new_certificate_and_a_new_password_need_no_restart(up: SecuredCluster, service: str) -> None:
    port = up.ports.registry if service == "registry" else up.ports.console
    users = REGISTRY_USERS if service == "registry" else CONSOLE_USERS
    url = f"https://127.0.0.1:{port}/" + ("subjects" if service == "registry" else "api/about")
    before = ssl.get_server_certificate(("127.0.0.1", port))
    up.authority.issue(service, renew=True)
    after = wait_until(lambda: (now := ssl.get_server_certificate(("127.0.0.1", port))) != before and now, 10,
                       "the new certificate is served")
    assert after in (up.authority.folder / f"{service}.pem").read_text()
    old = up.secrets.password(f"{service}-admin")
    assert fetch(up, url, "admin", old) == 200
    up.secrets.password_file(f"{service}-admin").unlink()
    up.secrets.users_file(service, users)
    assert fetch(up, url, "admin", up.secrets.password(f"{service}-admin")) == 200
    assert fetch(up, url, "admin", old) == 401


def test_no_secret_is_anywhere_but_in_its_file(filled: SecuredCluster) -> None:
    """Not on a command line, in an environment, a log, a configuration, a metric or a page."""
    passwords = [path.read_text() for path in filled.secrets.folder.glob("*.password")]
    assert len(passwords) >= len(ROLES) + len(REGISTRY_USERS) + len(CONSOLE_USERS)
    for path in (*filled.secrets.folder.iterdir(), *filled.directory.glob("certificates/*/*key.pem"),
                 filled.authority.folder / "registry.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for folder in (filled.directory, filled.secrets.folder):  # The servers' own files are in the first.
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    texts = {}
    pids = [filled.registry_pid(), filled.minio_pid(), filled.console.pid(), *(filled.broker_pid(n) for n in (1, 2, 3))]
    for pid in pids:
        for name in ("cmdline", "environ"):
            texts[f"{name} of {pid}"] = pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    for path in (*filled.directory.glob("*.yaml"), *filled.directory.rglob("*.log"),
                 *filled.directory.rglob("*.properties"), *filled.directory.rglob("changes.jsonl")):
        texts[str(path)] = path.read_text(errors="replace")
    console = f"https://127.0.0.1:{filled.ports.console}"
    login = base64.b64encode(f"admin:{filled.secrets.password('console-admin')}".encode()).decode()
    for url in (f"{console}/metrics", f"{console}/api/about"):
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Basic {login}"}),
                                    timeout=20, context=tls(filled)) as reply:
            texts[url] = reply.read().decode()
    assert len(texts) > 20
    for where, text in texts.items():
        assert not any(password in text for password in passwords), where


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize(("secret", "owner"), [({}, NOBODY), ({"SHOPSTREAM_REGISTRY_PASSWORD": "a-secret"}, 0)],
                         ids=["no-secret", "secret"])
def test_memory_is_hidden_once_there_is_a_secret(secret: dict[str, str], owner: int) -> None:
    """In /proc, a process that writes no core dump belongs to root."""
    waiting = subprocess.Popen(
        [BINARY, "--config", os.devnull, "--set", "kafka.bootstrap_servers=127.0.0.1:1", "--set", "metrics.listen=",
         "--log-level", "debug", "ingest"], env=secret, cwd="/", user=NOBODY, group=NOBODY, extra_groups=[],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert waiting.stderr is not None
        waiting.stderr.readline()  # It has read its configuration, and waits for Kafka.
        assert pathlib.Path(f"/proc/{waiting.pid}/environ").stat().st_uid == owner
    finally:
        waiting.kill()
        waiting.communicate()


def test_up_restarts_who_uses_an_old_password_or_configuration_and_minio_once_the_lake_is_there(
        filled: SecuredCluster) -> None:
    registry, console = filled.registry_pid(), filled.console.pid()
    filled.kill_minio()
    filled.secrets.password_file("registry").unlink()
    filled.role_file("console").write_text("# Of an earlier version.\n")
    done = in_folder(filled, "up", "--secure")
    assert done.returncode == 0, done.stdout + done.stderr
    assert filled.minio_serves() and filled.registry_serves() and filled.console.url
    assert registry != filled.registry_pid() and console != filled.console.pid(), done.stdout
    run(filled, "producer", "generate", "--count", 1)
    assert str(COUNT) in run(filled, "observe", "query", "SELECT count(*) FROM bronze_events").stdout
    filled.secrets.password_file("minio-root").unlink()
    with pytest.raises(ClusterError, match="minio-root.password is new: ./run down, then up"):
        filled.start_minio()


def test_up_again_changes_nothing_and_down_stops_all(filled: SecuredCluster) -> None:
    """The last test of this cluster."""
    filled.stop_minio()  # The test before replaced the password with which MinIO was started.
    filled.start_minio()
    passwords = {path: path.read_text() for path in filled.secrets.folder.iterdir()}
    status = in_folder(filled, "status")
    for part in ("broker 1", "broker 3", "registry", "minio", "console"):
        assert any(line.startswith(part) and "ready" in line for line in status.stdout.splitlines()), status.stdout
    again = in_folder(filled, "up", "--secure")
    assert again.returncode == 0, again.stdout + again.stderr
    for part in ("registry", "console"):
        assert f"{part} is already running" in again.stdout, again.stdout + again.stderr
    assert passwords == {path: path.read_text() for path in filled.secrets.folder.iterdir()}
    run(filled, "producer", "generate", "--count", 10)
    down = in_folder(filled, "down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert filled.running() == []
