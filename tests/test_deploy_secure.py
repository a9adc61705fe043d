"""deploy/compose.secure.yaml without an engine: its settings, as `docker compose config` resolves them, and the keys of
deploy/make_keys make a broker, a registry and a console that let nobody in without a login."""

import base64
import json
import os
import pathlib
import re
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from background_process import BackgroundProcess
from cluster import BINARY, DEPS, ROOT
from conftest import free_range
from test_deploy import BROKERS, ours, properties
from waiting import wait_until

KEYS = "/run/keys"
FILES = ("deploy/compose.yaml", "deploy/compose.secure.yaml")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = pathlib.Path(sys.executable).with_name("docker-compose")
    done = subprocess.run([compose, *(word for file in FILES for word in ("-f", ROOT / file)), "config", "--format",
                           "json"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["services"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """As the service `keys` makes them, but that they stay with this user."""
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


def make_keys(folder: pathlib.Path) -> None:
    script = (ROOT / "deploy/make_keys").read_text().replace('"$(id -u)" = 0', '"$(id -u)" = nobody')
    subprocess.run(["sh", "-s", str(folder)], input=script, text=True, check=True, timeout=60)


def content(folder: pathlib.Path) -> dict[pathlib.Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_keys_are_made_once_and_only_their_owner_reads_them(keys: pathlib.Path) -> None:
    before = content(keys)
    make_keys(keys)
    assert content(keys) == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in before} == {0o600}
    for authority, certificates in (("nodes", ["kafka/node.pem", "setup/setup.pem"]),
                                    ("clients", ["kafka/client.pem", "registry/tls.pem", "console/tls.pem",
                                                 "minio/public.crt"])):
        for name in certificates:
            subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", keys / f"authority/{authority}-ca.pem",
                            keys / name], check=True, capture_output=True, timeout=30)
    passwords = [text for path, text in before.items() if path.parent.name == "authority" and path.suffix == ".password"]
    assert len(set(passwords)) == len(passwords) and all(len(text) == 48 for text in passwords)


def test_every_service_gets_the_files_it_names_and_no_others_key(services: dict[str, Any], keys: pathlib.Path) -> None:
    for name, service in services.items():
        if name == "keys":
            continue
        mounts = {volume["source"] for volume in service["volumes"] if volume["target"] == KEYS}
        assert len(mounts) == 1 and "keys-authority" not in mounts, name
        folder = keys / mounts.pop().removeprefix("keys-")
        named = set(re.findall(rf"{KEYS}/([\w.-]+)", json.dumps(service).replace("$$1", "ingest").replace("$$name", "reader")))
        assert all((folder / file).is_file() for file in named), (name, named)
        assert not list(folder.glob("*ca-key*")), name


def test_no_secret_is_in_the_settings(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            secret = re.search("PASSWORD|SECRET_KEY", variable)
            assert not secret or value.startswith(f"{KEYS}/") or "JAAS" in variable, (name, variable)
    assert "minioadmin" not in json.dumps(services)


def test_our_services_have_no_rights_but_the_one_that_makes_keys(services: dict[str, Any]) -> None:
    for name, service in (ours(services) | {"users": services["users"]}).items():
        assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert ("user" in service, "cap_add" in service) == (name == "keys", name == "keys"), name
    assert services["keys"]["network_mode"] == "none"


class Node:
    """The first broker alone, on other ports, and our services with it."""

    def __init__(self, services: dict[str, Any], keys: pathlib.Path, folder: pathlib.Path):
        self.services, self.keys, self.folder = services, keys, folder
        first = free_range(22000, 24000, 6)
        self.client, self.nodes, self.controller, self.host, self.registry, self.console = range(first, first + 6)
        self.processes: list[BackgroundProcess] = []

    def settings(self, name: str) -> dict[str, str]:
        """The environment of a service, with what an engine would give it replaced."""
        volume, = [volume["source"] for volume in self.services[name]["volumes"] if volume["target"] == KEYS]
        places = {KEYS: str(self.keys / volume.removeprefix("keys-")), "/var/lib/kafka/data": str(self.folder / "data"),
                  "1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093": f"1@localhost:{self.controller}",
                  "kafka-1:19092,kafka-2:19092,kafka-3:19092": f"localhost:{self.client}",
                  "kafka-1:19091,kafka-2:19091,kafka-3:19091": f"localhost:{self.nodes}",
                  "kafka-1": "localhost", ":19092": f":{self.client}", ":19091": f":{self.nodes}",
                  ":9093": f":{self.controller}", ":9094": f":{self.host}", "0.0.0.0:8082": f"127.0.0.1:{self.registry}",
                  "registry:8082": f"localhost:{self.registry}", "0.0.0.0:8080": f"127.0.0.1:{self.console}"}
        found = {}
        for variable, value in self.services[name]["environment"].items():
            value = value.replace("$$", "$")  # As it is escaped in the resolved file.
            for before, after in places.items():
                value = value.replace(before, after)
            found[variable] = value
        return found

    def start(self, name: str, command: list[Any], settings: dict[str, str]) -> BackgroundProcess:
        process = BackgroundProcess(name, self.folder / name)
        process.start([str(word) for word in command], {"PATH": os.environ["PATH"], **settings}, ROOT)
        self.processes.append(process)
        return process

    def run(self, name: str, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([BINARY, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **self.settings(name), **settings})

    def start_broker(self) -> None:
        one = {f"KAFKA_{name}": "1" for name in (
            "DEFAULT_REPLICATION_FACTOR", "MIN_INSYNC_REPLICAS", "OFFSETS_TOPIC_REPLICATION_FACTOR",
            "TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "TRANSACTION_STATE_LOG_MIN_ISR")}
        for folder in ("default", "mounted", "final"):
            (self.folder / folder).mkdir()
        for file in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
            (self.folder / "default" / file).touch()
        java = ["java", "-XX:TieredStopAtLevel=1", "-Xmx384m", "-cp", f"{DEPS}/kafka/libs/*"]
        done = subprocess.run([*java, "kafka.docker.KafkaDockerWrapper", "setup", "--default-configs-dir",
                               self.folder / "default", "--mounted-configs-dir", self.folder / "mounted",
                               "--final-configs-dir", self.folder / "final"], capture_output=True, text=True, timeout=60,
                              env={"PATH": os.environ["PATH"], **self.settings("kafka-1"), **one})
        assert done.returncode == 0, done.stdout + done.stderr
        self.start("kafka-1", [*java, "kafka.Kafka", self.folder / "final/server.properties"], {})

    def open(self, port: int, path: str, login: str | None = None) -> int:
        request = urllib.request.Request(f"https://localhost:{port}{path}")
        if login is not None:
            request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
        trusted = ssl.create_default_context(cafile=str(self.keys / "setup/ca.pem"))
        try:
            with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            return 0


@pytest.fixture(scope="module")
def node(services: dict[str, Any], keys: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(services, keys, tmp_path_factory.mktemp("node"))
    try:
        node.start_broker()
        done = wait_until(lambda: (tried := node.run("users", *services["users"]["command"][:-1],
                                                     keys / "setup")).returncode == 0 and tried, 60, "users are there")
        assert "ingest" in done.stdout
        yield node
    finally:
        for process in node.processes:
            process.kill()


def test_the_brokers_have_the_security_of_the_secured_cluster(node: Node) -> None:
    settings = properties(node.folder / "final/server.properties")
    template = (ROOT / "scripts/secured_cluster.py").read_text()
    for line in ("sasl.enabled.mechanisms=SCRAM-SHA-512", "allow.everyone.if.no.acl.found=false",
                 "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                 "ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT"):
        name, _, value = line.partition("=")
        assert line in template and settings[name] == value
    assert settings["listener.security.protocol.map"].count("PLAINTEXT") == 0
    for name in BROKERS[1:]:
        same = {key: value for key, value in node.services[name]["environment"].items()
                if "LISTENERS" not in key and key != "KAFKA_NODE_ID"}
        assert same.items() <= node.services["kafka-1"]["environment"].items(), name


def test_each_service_logs_in_and_nobody_else(node: Node) -> None:
    registry = node.start("registry", [BINARY, "registry"], node.settings("registry"))
    console = node.start("console", [BINARY, "console"], node.settings("console") | {"SHOPSTREAM_LAKE_URI": str(node.folder / "lake")})
    check = node.run("setup", "--json", "security", "check", "--role", "ingest", "--role", "registry", "--role", "admin",
                     "--secrets", node.keys / "setup")
    assert check.returncode in (0, 3), check.stderr  # 3: topics that do not exist cannot be tried.
    assert not [row for row in json.loads(check.stdout) if row["result"] not in (row["table"], "not tried")]
    wait_until(lambda: node.open(node.registry, "/readyz") == 200, 30, f"the registry serves ({registry.output})")
    assert node.open(node.registry, "/subjects") == 401
    password = (node.keys / "setup/registry-admin.password").read_text()
    assert node.open(node.registry, "/subjects", f"admin:{password}") == 200
    registered = node.run("setup", "schema", "register", "schemas/purchase_event.avsc")
    assert registered.returncode == 0, registered.stderr
    wait_until(lambda: node.open(node.console, "/livez") == 200, 30, f"the console serves ({console.output})")
    refused = node.run("setup", "topics", "list", SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD_FILE="",
                       SHOPSTREAM_KAFKA_SECURITY_SASL_PASSWORD="wrong")
    assert refused.returncode == 1 and "admin" in refused.stderr
