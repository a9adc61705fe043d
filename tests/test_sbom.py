"""The bill of materials: valid, whole, and the same for the same parts."""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from places import BINARY, DEPS, ROOT


@pytest.fixture(scope="module")
def text() -> str:
    done = subprocess.run([sys.executable, ROOT / "scripts/sbom.py"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def components(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["components"]


def test_it_is_valid_and_repeatable(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    again = subprocess.run([sys.executable, ROOT / "scripts/sbom.py"], capture_output=True, text=True, timeout=60).stdout
    assert again == text


def named(components: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in components if one["purl"].startswith(f"pkg:{kind}/")}


def test_every_library_of_the_program_is_required(components: list[dict[str, Any]]) -> None:
    linked = subprocess.run(["ldd", BINARY], check=True, capture_output=True, text=True).stdout
    files = [pathlib.Path(path) for path in re.findall(r" => (/\S+)", linked)]
    systems = [f"*{file}" for file in files if not file.resolve().is_relative_to(DEPS.resolve())]
    owners = subprocess.run(["dpkg-query", "--search", *systems], check=True, capture_output=True, text=True).stdout
    packages = named(components, "deb")
    for owner in {line.partition(":")[0] for line in owners.splitlines()}:
        assert packages[owner]["scope"] == "required", owner
    ours = {file.name.partition(".")[0] for file in files if file.resolve().is_relative_to(DEPS.resolve())}
    assert ours == {"libarrow", "libarrow_s3", "libparquet", "librdkafka"}
    assert named(components, "pypi")["pyarrow"]["scope"] == "required"
    assert {"kafka-javascript", "node-bindings-linux-x64", "preact", "uplot"} <= {
        name for name, one in named(components, "npm").items() if one["scope"] == "required"}


def test_jars_have_their_checksums_and_groups(components: list[dict[str, Any]]) -> None:
    listed = {hashed["content"]: one for one in components
              for reference in one.get("externalReferences", []) for hashed in reference["hashes"]}
    jars = sorted((DEPS / "kafka/libs").glob("*.jar"))
    assert jars
    for jar in jars:
        one = listed[hashlib.sha256(jar.read_bytes()).hexdigest()]
        assert jar.name == f"{one['name']}-{one['version']}.jar" and one["purl"].startswith("pkg:maven/"), one


def test_a_program_in_go_lists_its_modules(components: list[dict[str, Any]]) -> None:
    modules = named(components, "golang")
    assert modules["minio"]["scope"] == "optional" and len(modules) > 100
