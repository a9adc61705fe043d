"""What the program says when Kafka refuses it: on a secured node, the last line of every command carries the true
reason and a remedy for a production host."""

import concurrent.futures
import http.server
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import psutil
import pytest

from secured_cluster import SecuredCluster
from secured_roles import Grant
from secured_world import GIVES_UP_WITHIN, World, secured_world
from waiting import wait_until


def rows_of(health: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    return {row["component"]: row for row in json.loads(health.stdout)}


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip().rsplit("\n", 1)[-1]


@pytest.fixture(scope="module")
def world(secured_node: SecuredCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with secured_world(secured_node, tmp_path_factory.mktemp("refusals")) as world:
        world.run(world.producer, "generate", "--count", 20)
        world.run(world.ingester, "ingest", "--until-caught-up")
        yield world


@pytest.fixture(scope="module")
def web_server() -> Iterator[int]:
    """The port of a server that speaks HTTP alone."""
    class Refuses(http.server.BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def test_a_healthy_run_alarms_nobody(world: World) -> None:
    """The least permissions suffice, also for what reads outside the group; no line is a warning."""
    for user, arguments in ((world.producer, ("generate", "--count", 20)),
                            (world.ingester, ("ingest", "--until-caught-up")),
                            (world.ingester, ("audit",)),
                            (world.ingester, ("consume", "--from-beginning", "--max", 1)),
                            (world.ingester, ("group", "describe")),
                            (world.ingester, ("topics", "describe")),
                            (world.ingester, ("health",))):
        done = world.run(user, *arguments)
        assert not re.search(r" (warn\w*|error) ", done.stderr), done.stderr
        assert "degraded" not in done.stdout, done.stdout


COMMANDS = [("topics", "list"), ("topics", "describe"), ("generate", "--count", 1), ("audit",), ("group", "describe"),
            ("progress", "show"), ("consume", "--max", 1), ("ingest",), ("ingest", "--until-caught-up"), ("registry",)]


def test_a_wrong_password_is_named_by_every_command(world: World) -> None:
    """Also by those that would wait for brokers."""
    def refused(arguments: tuple[object, ...]) -> None:
        done = world.run(world.producer, *arguments, expect=1, SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD="wrong",
                         SHOPSTREAM_REGISTRY_LISTEN="127.0.0.1:0")
        line = last_line(done)
        assert f"refused the login of User:{world.producer} (user name or password is wrong)" in line, done.stderr
        assert "correct kafka.security.sasl.username" in line and "./run" not in line, line

    with concurrent.futures.ThreadPoolExecutor(len(COMMANDS)) as pool:
        list(pool.map(refused, COMMANDS))
    health = rows_of(world.run(world.producer, "--json", "health", expect=1,
                               SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD="wrong"))
    for row in (health["cluster"], health[f"topic {world.topic}"]):
        assert row["state"] == "down" and "refused the login" in row["detail"], row
        assert row["remedy"].startswith("correct kafka.security.sasl.username"), row


def test_a_wrong_password_is_named_before_a_timeout(world: World) -> None:
    begun = time.monotonic()
    world.run(world.producer, "topics", "list", expect=1, SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD="wrong")
    assert time.monotonic() - begun < 8  # The call itself times out after 10.


@pytest.mark.parametrize(("settings", "reason", "remedy"), [
    ({"SHOPSTREAM_KAFKA_SECURITY_SSL_CA_LOCATION": "probe"}, "its certificate is not trusted",
     "set kafka.security.ssl.ca.location"),
    ({"SHOPSTREAM_KAFKA_SECURITY_SASL_MECHANISM": "PLAIN"}, "it accepts a login by SCRAM-SHA-512 only",
     "set kafka.security.sasl.mechanism"),
    ({"SHOPSTREAM_KAFKA_SECURITY_SECURITY_PROTOCOL": "PLAINTEXT"}, "it closes the connection",
     "set kafka.security.security.protocol if it expects TLS"),
    ({"SHOPSTREAM_KAFKA_SECURITY_SECURITY_PROTOCOL": "SSL"}, "it closes the connection",
     "set kafka.security.security.protocol if it expects TLS or a login"),
], ids=["ca", "mechanism", "no-tls", "no-login"])
def test_wrong_security_settings_are_named(world: World, settings: dict[str, str], reason: str, remedy: str) -> None:
    line = last_line(world.run(world.producer, "topics", "describe", expect=1, **settings))
    assert reason in line and remedy in line and "./run" not in line, line
    cluster = rows_of(world.run(world.producer, "--json", "health", expect=1, **settings))["cluster"]
    assert cluster["state"] == "down" and reason in cluster["detail"] and remedy in cluster["remedy"], cluster


def test_tls_without_a_named_authority_trusts_the_systems(world: World) -> None:
    """OpenSSL's own look-up of them crashed the program."""
    login = world.node.environment(world.producer)
    del login["SHOPSTREAM_KAFKA_SECURITY_SSL_CA_LOCATION"]
    done = world.program.run("topics", "describe", expect=1, timeout=GIVES_UP_WITHIN, **login)
    assert "its certificate is not trusted" in last_line(done), done.stderr


@pytest.fixture
def reserved() -> Iterator[int]:
    """A port that no server can take while the test runs; it refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.parametrize(("server", "reason", "remedy"), [
    ("nohost.invalid", "nohost.invalid:9092: the host name is not known", "correct kafka.bootstrap_servers"),
    ("127.0.0.1:1", "127.0.0.1:1: connection refused", "start the broker"),
    ("reserved", "connection refused", "correct kafka.bootstrap_servers"),
    ("plaintext", "it does not speak TLS", "kafka.security.security.protocol"),
    ("nodes", "it requires a client certificate", "set kafka.security.ssl.certificate.location"),
    ("another name", "or is for another host name", "name the host in kafka.bootstrap_servers as the certificate does"),
])
def test_a_wrong_address_is_named(world: World, reserved: int, server: str, reason: str, remedy: str) -> None:
    ports = {"plaintext": world.node.ports.plaintext, "nodes": world.node.ports.nodes, "reserved": reserved}
    servers = f"127.0.0.1:{ports[server]}" if server in ports else server
    if server == "another name":
        servers = f"127.1:{world.node.ports.brokers}"  # The same address, which its certificate does not name so.
    protocol = {"SHOPSTREAM_KAFKA_SECURITY_SECURITY_PROTOCOL": "SSL", "SHOPSTREAM_KAFKA_SECURITY_SSL_CA_LOCATION":
                str(world.node.nodes_authority.certificate_file)} if server == "nodes" else {}
    line = last_line(world.run(world.producer, "topics", "describe", expect=1, servers=servers, **protocol))
    assert reason in line and remedy in line, line


def test_a_web_server_is_no_broker(world: World, web_server: int) -> None:
    line = last_line(world.run(None, "topics", "describe", expect=1, servers=f"127.0.0.1:{web_server}"))
    assert "answers in HTTP, so it is not a Kafka broker" in line and "correct kafka.bootstrap_servers" in line, line


def test_what_waits_for_brokers_says_why(world: World) -> None:
    """The brokers may come, so ingest and the registry keep waiting, but not in silence."""
    login = {**world.node.environment(world.ingester), "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
             "SHOPSTREAM_REGISTRY_LISTEN": "127.0.0.1:0"}
    for command, words in (("ingest", "Waiting for Kafka: "), ("registry", "waits for Kafka: ")):
        running = world.program.start(command, **login)
        line = wait_until(lambda: next((line for line in running.errors.read_text().splitlines() if words in line), ""),
                          GIVES_UP_WITHIN, f"{command} says why it waits")
        assert "127.0.0.1:1: connection refused" in line, line
        running.signal(signal.SIGTERM)
        running.wait(10)


@pytest.mark.parametrize(("arguments", "grants", "needs"), [
    (("topics", "describe"), "", "DESCRIBE on topic {topic}"),
    (("generate", "--count", 5), "", "DESCRIBE on topic {topic} (READ and WRITE include it)"),
    (("generate", "--count", 5), "READ", "WRITE on topic {topic}"),
    (("ingest", "--until-caught-up"), "", "DESCRIBE on topic {topic}"),
    (("ingest", "--until-caught-up"), "READ", "DESCRIBE on group {group} (READ includes it)"),
    (("ingest",), "READ group:DESCRIBE", "READ on group {group}"),
    (("audit",), "", "DESCRIBE on topic {topic}"),
    (("audit",), "READ", "DESCRIBE_CONFIGS on topic {topic}"),
    (("audit",), "DESCRIBE DESCRIBE_CONFIGS", "READ on topic {topic}"),
    (("consume", "--from-beginning", "--max", 1), "DESCRIBE", "READ on topic {topic}"),
    (("group", "describe"), "READ", "DESCRIBE on group {group}"),
    (("topics", "create", "{topic}-new", "--replication-factor", 1), "new:DESCRIBE", "CREATE on topic {topic}-new"),
])
def test_a_missing_permission_is_named_with_its_principal(world: World, arguments: tuple[object, ...], grants: str,
                                                          needs: str) -> None:
    names = {"topic": world.topic, "group": world.group}
    held = []
    for grant in grants.split():
        kind, _, operation = grant.rpartition(":")
        held.append({"": Grant("TOPIC", world.topic, operation), "group": Grant("GROUP", world.group, operation),
                     "new": Grant("TOPIC", f"{world.topic}-new", operation)}[kind])
    user = world.user(*held)
    done = world.run(user, *[str(argument).format(**names) for argument in arguments], expect=1)
    line = last_line(done)
    assert f"User:{user}" in line and needs.format(**names) in line, done.stderr
    assert "Purged" not in done.stderr, done.stderr


def test_health_knows_what_it_may_not_see(world: World) -> None:
    rows = rows_of(world.run(world.user(), "--json", "health", expect=0))
    topic = rows[f"topic {world.topic}"]
    assert topic["state"] == "not allowed to see" and f"describing topic {world.topic}" in topic["detail"], topic
    assert topic["remedy"].startswith("grant it DESCRIBE on topic"), topic
    assert rows["ingest"]["state"] == "not allowed to see", rows
    assert rows["cluster"]["state"] == rows["registry"]["state"] == "ok", rows
    # It may see the topic, and not its settings.
    rows = rows_of(world.run(world.user(Grant("TOPIC", world.topic, "READ")), "--json", "health", expect=0))
    topic = rows[f"topic {world.topic}"]
    assert topic["state"] == "not allowed to see" and "DESCRIBE_CONFIGS" in topic["remedy"], topic
    assert rows["ingest"]["state"] in ("ok", "degraded"), rows
    # What is down is so for everyone.
    rows = rows_of(world.run(world.user(), "--json", "health", expect=1, SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:9"))
    assert rows["registry"]["state"] == "down" and rows["ingest"]["state"] == "not allowed to see", rows


def test_an_empty_list_of_topics_may_be_a_missing_permission(world: World) -> None:
    user = world.user()
    done = world.run(user, "topics", "list")
    assert f"User:{user} sees no topic" in done.stderr and "DESCRIBE" in done.stderr, done.stderr


def test_a_registry_that_may_not_write_answers_at_once_and_shows_it(world: World) -> None:
    reader = world.user(*[Grant("TOPIC", "_schemas", operation) for operation in ("READ", "DESCRIBE_CONFIGS")])
    running = world.program.start("registry", **{**world.node.environment(reader),
                                                 "SHOPSTREAM_REGISTRY_LISTEN": "127.0.0.1:0"})
    url = wait_until(lambda: (found := re.search(r"listening on http://(127.0.0.1:\d+)", running.errors.read_text()))
                     and f"http://{found.group(1)}", 20, "the registry listens")
    wait_until(lambda: running.says("has been read to its end"), 30, "the registry has read its topic")
    health = json.loads(urllib.request.urlopen(f"{url}/health", timeout=10).read())
    assert health["status"] == "degraded" and "WRITE on topic _schemas" in health["reason"], health
    post = urllib.request.Request(f"{url}/subjects/x-value/versions", method="POST",
                                  data=json.dumps({"schema": '"string"'}).encode(),
                                  headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    begun = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(post, timeout=30)
    answer = json.loads(refused.value.read())
    assert answer["error_code"] == 50001 and "not allowed" in answer["message"], answer
    assert time.monotonic() - begun < 8
    shown = json.loads(world.run(world.ingester, "--json", "health", expect=None, SHOPSTREAM_REGISTRY_URL=url).stdout)
    assert [row["state"] for row in shown if row["component"] == "registry"] == ["degraded"], shown
    assert running.stop() == 0


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        held: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
    for connection in held:
        connection.close()


@pytest.mark.parametrize(("command", "server"), [
    ("ingest", "registry"), ("ingest", "kafka"), ("ingest", "storage"), ("generate", "registry"),
    ("generate", "kafka"), ("audit", "kafka"), ("audit", "storage"), ("registry", "kafka")])
def test_a_stop_while_a_server_hangs_is_bounded(world: World, silent: int, server: str, command: str,
                                                tmp_path: pathlib.Path) -> None:
    settings = {**world.node.environment(world.ingester), "SHOPSTREAM_REGISTRY_LISTEN": "127.0.0.1:0"}
    if command == "ingest":  # Without a table it needs the registry.
        settings["SHOPSTREAM_LAKE_URI"] = str(tmp_path / "lake")
    settings |= {"registry": {"SHOPSTREAM_REGISTRY_URL": f"http://127.0.0.1:{silent}"},
                 "kafka": {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{silent}"},
                 "storage": {"SHOPSTREAM_LAKE_URI": "s3://bucket/lake", "SHOPSTREAM_S3_ACCESS_KEY": "x",
                             "SHOPSTREAM_S3_SECRET_KEY": "y",
                             "SHOPSTREAM_S3_ENDPOINT": f"http://127.0.0.1:{silent}"}}[server]
    running = world.program.start(command, **settings)
    connected = f"connected to :{silent}"
    wait_until(lambda: _has_connection(running.pid, silent), 20, connected)
    begun = time.monotonic()
    running.signal(signal.SIGTERM)
    running.wait(15)
    assert time.monotonic() - begun < 8, running.words()


def _has_connection(pid: int, port: int) -> bool:
    """Whether the process has an established connection to the port of this machine."""
    return any(connection.raddr and connection.raddr.port == port
               for connection in psutil.Process(pid).net_connections("tcp"))
