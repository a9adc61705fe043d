"""deploy/: the output of `docker compose config`, and whatever can be tested without an engine."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any

import pytest

from cluster import BINARY, DEPS, ROOT

COMPOSE = ROOT / "deploy/compose.yaml"
BROKERS = ["kafka-1", "kafka-2", "kafka-3"]
ONE_SHOTS = {"bucket", "setup"}
HEALTHY, COMPLETED = "service_healthy", "service_completed_successfully"

PORTS = {
    "kafka-1": {9094: 9094}, "kafka-2": {9095: 9095}, "kafka-3": {9096: 9096},
    "registry": {8082: 8082}, "minio": {9000: 9000, 9001: 9001}, "ingest": {9464: 9464}, "refine": {9465: 9464},
    "console": {8080: 8080}, "kafka-ui": {8081: 8080},
}
START_ORDER = {
    "registry": dict.fromkeys(BROKERS, HEALTHY),
    "kafka-ui": {**dict.fromkeys(BROKERS, HEALTHY), "registry": HEALTHY},
    "setup": {**dict.fromkeys(BROKERS, HEALTHY), "registry": HEALTHY},
    "bucket": {"minio": HEALTHY},
    "ingest": {"setup": COMPLETED, "bucket": COMPLETED},
    "refine": {"bucket": COMPLETED},
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """As `docker compose config` resolves them: anchors merged, defaults filled in, everything checked."""
    compose = pathlib.Path(sys.executable).with_name("docker-compose")
    done = subprocess.run([compose, "-f", COMPOSE, "config", "--format", "json"], capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["services"]


def ours(services: dict[str, Any]) -> dict[str, Any]:
    return {name: service for name, service in services.items() if "build" in service}


def test_every_image_has_a_fixed_tag(services: dict[str, Any]) -> None:
    tags = {service["image"].rpartition(":")[2] for service in services.values()}
    assert tags == {"4.3.1", "v1.5.0", "RELEASE.2025-09-07T16-13-09Z", "local"}


def test_ports_are_those_of_the_local_cluster_and_open_to_this_machine_only(services: dict[str, Any]) -> None:
    published = {name: {int(port["published"]): port["target"] for port in service["ports"]}
                 for name, service in services.items() if "ports" in service}
    assert published == PORTS
    assert {port["host_ip"] for service in services.values() for port in service.get("ports", [])} == {"127.0.0.1"}


def test_what_runs_for_long_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    for name, service in services.items():
        lasting = name not in ONE_SHOTS
        assert ("healthcheck" in service, service.get("restart")) == (lasting, "unless-stopped" if lasting else None), name


def test_our_services_have_no_rights(services: dict[str, Any]) -> None:
    """tests/test_confined.py runs the program like this."""
    for name, service in ours(services).items():
        assert (service["read_only"], service["cap_drop"], service["tmpfs"]) == (True, ["ALL"], ["/tmp"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "user" not in service, name  # The image's, which is not root.
    assert (ROOT / "deploy/Dockerfile").read_text().count("\nUSER shopstream\n") == 1


def test_start_order(services: dict[str, Any]) -> None:
    order = {name: {other: rule["condition"] for other, rule in service["depends_on"].items()}
             for name, service in services.items() if "depends_on" in service}
    assert order == START_ORDER


def test_data_lies_in_volumes_of_its_own(services: dict[str, Any]) -> None:
    volumes = {name: [(volume["type"], volume["source"]) for volume in service["volumes"]]
               for name, service in services.items() if "volumes" in service}
    assert volumes == {name: [("volume", name)] for name in (*BROKERS, "minio", "refine")}
    for name in BROKERS:
        mount, = services[name]["volumes"]
        assert services[name]["environment"]["KAFKA_LOG_DIRS"].startswith(f"{mount['target']}/")


@pytest.mark.parametrize("name", BROKERS)
def test_the_images_entry_point_makes_a_node_of_each_broker(name: str, services: dict[str, Any],
                                                            tmp_path: pathlib.Path) -> None:
    """Runs the image's first step: it turns the environment into settings and formats the storage."""
    for folder in ("default", "mounted", "final"):
        (tmp_path / folder).mkdir()
    for file in ("server.properties", "log4j2.yaml", "tools-log4j2.yaml"):
        (tmp_path / "default" / file).touch()
    environment = {**services[name]["environment"], "KAFKA_LOG_DIRS": str(tmp_path / "logs")}
    done = subprocess.run(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{DEPS}/kafka/libs/*", "kafka.docker.KafkaDockerWrapper", "setup",
         "--default-configs-dir", tmp_path / "default", "--mounted-configs-dir", tmp_path / "mounted",
         "--final-configs-dir", tmp_path / "final"],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    number = name[-1]
    identity = properties(tmp_path / "logs/meta.properties")
    assert (identity["node.id"], identity["cluster.id"]) == (number, environment["CLUSTER_ID"])
    settings = properties(tmp_path / "final/server.properties")
    assert f"{number}@{name}:9093" in settings["controller.quorum.voters"]
    differing = {key for key, value in properties(ROOT / "deploy/local/server.properties").items()
                 if key in settings and settings[key] != value}
    assert differing == {"inter.broker.listener.name", "listener.security.protocol.map"}


def properties(path: pathlib.Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_settings_of_our_services_exist(services: dict[str, Any]) -> None:
    settings = re.split(r"^(\w+):$", (ROOT / "config/pipeline.yaml").read_text(), flags=re.MULTILINE)[1:]
    known = {f"SHOPSTREAM_{section}_{key}".upper() for section, body in zip(settings[::2], settings[1::2])
             for key in re.findall(r"^  (\w+):", body, re.MULTILINE)}
    for name, service in ours(services).items():
        assert set(service["environment"]) <= known, name


def test_health_checks_ask_the_probes_of_our_services(services: dict[str, Any]) -> None:
    """Others wait for the registry, so it is asked whether it is ready. The rest only has to run: no restart ends an
    outage of Kafka."""
    asked = {name: service["healthcheck"]["test"][-1] for name, service in ours(services).items()
             if "healthcheck" in service}
    assert asked == {"registry": "http://127.0.0.1:8082/readyz", "ingest": "http://127.0.0.1:9464/livez",
                     "refine": "http://127.0.0.1:9464/livez", "console": "http://localhost:8080/livez"}


def test_commands_of_our_services_exist(services: dict[str, Any]) -> None:
    commands = [shlex.split(line) for line in services["setup"]["command"][0].split("&&")]
    commands += [["shopstream", *service["command"]] for name, service in ours(services).items() if name != "setup"]
    assert [command[1] for command in commands] == ["topics", "schema", "console", "ingest", "refine", "registry"]
    for command in commands:
        done = subprocess.run([BINARY, *command[1:], "--help"], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, (command, done.stderr)


def test_the_image_gets_the_libraries_that_the_program_needs() -> None:
    script = ROOT / "deploy/runtime_packages"
    done = subprocess.run([script, BINARY], env={**os.environ, "SHOPSTREAM_DEPS": str(DEPS)}, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    packages = done.stdout.split()
    files = subprocess.run(["dpkg-query", "--listfiles", *packages], capture_output=True, text=True, check=True).stdout
    held = {pathlib.Path(file).name for file in files.split()}
    # DuckDB's library is loaded at run time, so that the program is not linked with it.
    libraries = subprocess.run(["ldd", BINARY, DEPS / "duckdb/lib/libduckdb.so"], capture_output=True, text=True).stdout
    linked = [line.split() for line in libraries.splitlines()]
    needed = {words[0] for words in linked if "=>" in words and not words[2].startswith(str(DEPS))}
    assert needed and needed <= held
    assert not [name for name in packages if name.endswith("-dev")]


def test_the_image_is_built_from_what_git_keeps() -> None:
    """Files that the Dockerfile copies exist, and files that the engine must not get are excluded."""
    for line in copies():
        assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
    ignored = set((ROOT / ".dockerignore").read_text().split("\n"))
    assert {".git", ".deps", ".shopstream", "build"} <= ignored


def copies() -> list[str]:
    lines = (ROOT / "deploy/Dockerfile").read_text().splitlines()
    return [line for line in lines if line.startswith("COPY ") and "--from" not in line]


def test_the_image_has_what_its_set_up_reads(tmp_path: pathlib.Path) -> None:
    """Set-up runs before the rest of the sources is copied."""
    for line in copies():
        *sources, target = line.split()[1:]
        if target == ".":
            break
        (tmp_path / target).mkdir(parents=True, exist_ok=True)
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target, dirs_exist_ok=True)
            else:
                shutil.copy(ROOT / source, tmp_path / target)
    # The steps read their inputs, and are not run: this Python is not the one that set-up would use, so it would install
    # everything again.
    steps = ("import setup\n"
             "wanted = setup.Wanted(kafka=False, minio=False, tests=False, lint=False, fuzz=False)\n"
             "print(*(step.name for step in setup.all_steps(wanted, [])))")
    done = subprocess.run([sys.executable, "-B", "-c", steps], cwd=tmp_path / "scripts", capture_output=True, text=True,
                          timeout=60)
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", ["python", "librdkafka", "duckdb", "page"])


def test_compose_finds_a_mistake(tmp_path: pathlib.Path) -> None:
    """So that the tests above are meaningful."""
    broken = tmp_path / "compose.yaml"
    broken.write_text(COMPOSE.read_text().replace("condition: service_healthy", "condition: service_helathy"))
    shutil.copy(ROOT / "deploy/Dockerfile", tmp_path)
    compose = pathlib.Path(sys.executable).with_name("docker-compose")
    done = subprocess.run([compose, "-f", broken, "config", "--quiet"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "condition" in done.stderr
