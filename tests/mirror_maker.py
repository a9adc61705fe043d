"""MirrorMaker 2 in its dedicated mode: copies one topic, under the same name, from one cluster to another."""

import os
import pathlib
import subprocess
from types import TracebackType

import kafka_java
from cluster import Cluster
from places import DEPS

JARS = DEPS / "mirror/libs"


class MirrorMaker:
    """Started by entering it, killed by leaving it."""

    def __init__(self, source: Cluster, target: Cluster, topic: str, copies: int, folder: pathlib.Path):
        folder.mkdir()
        self.log, self.output = folder / "mirror.log", folder / "output.log"
        properties = folder / "mirror.properties"
        properties.write_text(f"""
clusters = first, second
first.bootstrap.servers = {source.bootstrap_servers}
second.bootstrap.servers = {target.bootstrap_servers}
first->second.enabled = true
second->first.enabled = false
first->second.topics = {topic}
replication.policy.class = org.apache.kafka.connect.mirror.IdentityReplicationPolicy
second.exactly.once.source.support = enabled
emit.heartbeats.enabled = false
emit.checkpoints.enabled = false
sync.topic.acls.enabled = false
replication.factor = {copies}
offset-syncs.topic.replication.factor = 1
config.storage.replication.factor = {copies}
offset.storage.replication.factor = {copies}
status.storage.replication.factor = {copies}
refresh.topics.interval.seconds = 5
tasks.max = 1
""")
        command = kafka_java.kafka_command(self.log, "org.apache.kafka.connect.mirror.MirrorMaker", str(properties))
        classes = command.index("-cp") + 1
        command[classes] = os.pathsep.join([command[classes], f"{JARS}/*"])
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "MirrorMaker":
        with open(self.output, "ab") as output:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None
