"""Runs Kafka's classes in Java. Only the standard library, since set-up imports it.

`archive_classes` writes them as the JVM keeps them in memory, which halves the time that a broker takes to start.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from places import DEPS, ROOT
from ports import ClusterError

SETTINGS = ROOT / "deploy/local"
LIBRARIES = DEPS / "kafka/libs"
CLASSES = DEPS / "kafka/classes.jsa"  # The JVM ignores it if it is of another Java, or of other jars.
# For every class. Tests add to it, because their brokers do not live long.
OPTIONS = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"]
STARTED = "Kafka Server started"
TIMEOUT = 120.0  # Seconds; 10 on an idle two-core machine.


def kafka_command(log: pathlib.Path, main_class: str, *arguments: str) -> list[str]:
    """Runs a class of Kafka's that logs to `log`."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    if java is None or not LIBRARIES.is_dir():
        raise ClusterError(f"Kafka needs java (found: {java}) and its jars in {LIBRARIES}: ./run setup")
    archive = [f"-XX:SharedArchiveFile={CLASSES}"] if CLASSES.exists() else []
    return [java, *archive, *OPTIONS,
            f"-Dlog4j2.configurationFile={SETTINGS / 'log4j2.properties'}", f"-Dshopstream.log={log}",
            "-cp", f"{LIBRARIES}/*", main_class, *arguments]


def archive_classes(folder: pathlib.Path) -> None:
    """Starts a node in this empty folder, and keeps the classes that it has loaded by then."""
    CLASSES.unlink(missing_ok=True)
    archive, log, properties = folder / "classes.jsa", folder / "server.log", folder / "server.properties"
    client, controller = free_ports(2)
    copies = "".join(f"{name}=1\n" for name in (
        "default.replication.factor", "min.insync.replicas", "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor", "transaction.state.log.min.isr"))
    properties.write_text(f"""{(SETTINGS / "server.properties").read_text()}
node.id=1
listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={folder / "data"}
{copies}""")
    with open(folder / "output.log", "w") as output:
        subprocess.run(kafka_command(log, "kafka.tools.StorageTool", "format", "--cluster-id=c2hvcHN0cmVhbS1jbGFzcw",
                                     "--config", str(properties)), stdout=output, stderr=output, check=True, timeout=TIMEOUT)
        command = kafka_command(log, "kafka.Kafka", str(properties))
        command.insert(1, f"-XX:ArchiveClassesAtExit={archive}")
        node = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + TIMEOUT
        while not log.exists() or STARTED not in log.read_text(errors="replace"):
            if node.poll() is not None or time.monotonic() > deadline:
                raise ClusterError(f"a node of Kafka did not start; see {folder / 'output.log'} and {log}")
            time.sleep(0.1)
        node.send_signal(signal.SIGTERM)
        node.wait(TIMEOUT)
    finally:
        node.kill()
        node.wait()
    archive.rename(CLASSES)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
