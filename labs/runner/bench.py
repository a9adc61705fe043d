"""Where a lab runs: its topic, group, lake and folder on the local cluster, and independent readers of their state."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable
from pyarrow import Table
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from cluster import Cluster
from places import ROOT
from runner.course import SHARED, Lab, LabError
from runner.own_cluster import complete, make_ready
from runner.progress import Attempt
from secured_cluster import SecuredCluster

READ_TIMEOUT = 30.0  # Seconds without a record, before the end of a topic is reached.
STEPS_TIMEOUT = 120.0
MOST_OUTPUT = 4000    # Characters of a failed command that an error shows, from the end.
T = TypeVar("T")

CONFIGURATION = """# Settings of ./shopstream in this folder. ./lab reset writes this file again.
kafka:
  bootstrap_servers: {brokers}
  topic: {topic}
  group: {group}
registry:
  url: {registry}
lake:
  uri: {folder}/lake
ingest:
  batch_timeout_seconds: 1
refine:
  rules: {rules}
  rates: {root}/config/refine/rates.csv
  categories: {root}/config/refine/categories.yaml
  state_folder: {folder}/.refine
metrics:
  listen: ""
"""

SETTINGS = """# What the Python files of this folder need to know. ./lab reset writes this file again.
BROKERS = "{brokers}"
REGISTRY = "{registry}"
TOPIC = "{topic}"
GROUP = "{group}"
SEED = {seed}
"""


class Bench:
    """One attempt at one lab."""

    def __init__(self, lab: Lab, attempt: Attempt, cluster: Cluster, home: pathlib.Path):
        self.lab = lab
        self.attempt = attempt
        self.cluster = cluster
        self.home = home
        self.folder = home / lab.name  # The student works here.
        self.seed = attempt.seed
        self.topic = f"lab-{lab.number:02}-{attempt.token}"
        self.group = f"{self.topic}-group"
        self.lake = self.folder / "lake"

    # Preparing.

    def insist_on_cluster(self) -> None:
        """A cluster that the lab has to itself is started, if it does not run."""
        if self.lab.cluster != SHARED:
            make_ready(self.cluster, self.lab.nodes)
            self._follow_ports()
        elif not self.cluster_is_complete():
            raise LabError("labs need the local cluster, all of it, and it is not running: ./run up")

    def cluster_is_complete(self) -> bool:
        return complete(self.cluster, self.lab.nodes)

    def _follow_ports(self) -> None:
        """In the student's files, once another program has taken the ports, and the cluster has others."""
        settings = self.folder / "settings.py"
        if not settings.exists():
            return
        old = dict(re.findall(r'^(BROKERS|REGISTRY) = "(.*)"$', settings.read_text(), re.MULTILINE))
        new = {"BROKERS": self.cluster.bootstrap_servers, "REGISTRY": self.cluster.registry_url}
        for path in (settings, *self.folder.glob("config/*")) if old != new else ():
            text = path.read_text()
            for name, value in old.items():
                text = text.replace(value, new[name])
            path.write_text(text)

    def lay_out(self) -> None:
        """The student's folder as at the start. What was there before is deleted."""
        empty(self.folder)
        shutil.copytree(self.lab.folder / "start", self.folder, dirs_exist_ok=True)
        own_rules = self.folder / "rules.yaml"
        names = {"brokers": self.cluster.bootstrap_servers, "registry": self.cluster.registry_url, "topic": self.topic,
                 "group": self.group, "folder": self.folder, "root": ROOT, "seed": self.seed,
                 "rules": own_rules if own_rules.exists() else ROOT / "config/refine/rules.yaml"}
        (self.folder / "config").mkdir()
        (self.folder / "config/pipeline.yaml").write_text(CONFIGURATION.format(**names))
        (self.folder / "settings.py").write_text(SETTINGS.format(**names))
        self._script("shopstream", f'exec "{self.cluster.binary}" --config "$here/config/pipeline.yaml" "$@"')
        self._script("python", f'exec "{sys.executable}" "$@"')
        if self.lab.cluster != SHARED:
            with open(self.folder / "settings.py", "a") as file:
                file.write(f'CLUSTER = "{self.cluster.directory}"  # The folder of the brokers, which only this lab uses.\n')
            self._script("brokers", f'exec "{sys.executable}" "{ROOT}/labs/brokers.py" --directory "{self.cluster.directory}" '
                                    f'--nodes {self.lab.brokers} --topic {self.topic} "$@"')
        self._script("lab", f'SHOPSTREAM_LABS="{self.home}" SHOPSTREAM_LAB={self.lab.number} exec "{ROOT}/run" lab "$@"')

    def _script(self, name: str, line: str) -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/bash\nhere="$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)"\n{line}\n')
        path.chmod(0o755)

    def put(self, folder: pathlib.Path) -> None:
        """Copies an answer's files over the student's."""
        shutil.copytree(folder, self.folder, dirs_exist_ok=True)

    def clear(self, keep_folder: bool = False) -> None:
        """Deletes the attempt's topics, groups, subjects and folder, or only what the folder has."""
        client = self.admin()
        ours = [name for name in client.list_topics(timeout=10).topics if name.startswith(self.topic)]
        for deleted in client.delete_topics(ours).values() if ours else ():
            error = deleted.exception(30)
            if error and error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # A broker may list one that is just deleted.
                raise error
        groups = [group.group_id for group in client.list_consumer_groups().result(10).valid
                  if group.group_id.startswith(self.topic)]
        for gone in client.delete_consumer_groups(groups).values() if groups else ():
            with contextlib.suppress(KafkaException):  # It still has members, or has expired.
                gone.result(10)
        for subject in self.registry("subjects"):
            if subject.startswith(self.topic):
                self.registry(f"subjects/{subject}", method="DELETE")
                self.registry(f"subjects/{subject}?permanent=true", method="DELETE")
        self.clear_folder(keep_folder)

    def clear_folder(self, keep_it: bool) -> None:
        empty(self.folder)
        if not keep_it:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Doing.

    def create_topic(self, name: str = "", *flags: object) -> None:
        """With the settings of ShopStream's topics. Brokers that have just started, or are busy, may need a while."""
        for last in (False, False, True):
            done = self.shopstream("topics", "create", name or self.topic, *flags, expect=0 if last else None)
            if done.returncode == 0:
                return

    def delete_topic(self, name: str) -> None:
        client = self.admin()  # Requests of a client that is gone fail.
        client.delete_topics([name])[name].result(30)

    def shopstream(self, *arguments: object, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        return self.run(str(self.folder / "shopstream"), *arguments, expect=expect)

    def json(self, *arguments: object) -> Any:
        return json.loads(self.shopstream("--json", *arguments, expect=None).stdout)

    def run(self, *command: object, expect: int | None = 0, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a command in the student's folder. Whatever it has started stops with it if it fails to return within
        `seconds`, by default STEPS_TIMEOUT."""
        limit = seconds or STEPS_TIMEOUT
        words = [str(word) for word in command]
        with subprocess.Popen(words, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
            try:
                out, err = process.communicate(timeout=limit)
            except BaseException as error:  # Ctrl-C, too.
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise LabError(f"$ {' '.join(words)}\nnot done after {limit:.0f} s: is there an endless loop?") from None
                raise
        if expect is not None and process.returncode != expect:
            raise LabError(f"$ {' '.join(words)}\nexit code {process.returncode}\n{(out + err)[-MOST_OUTPUT:]}".strip())
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def start_python(self, script: str, log: str) -> subprocess.Popen[bytes]:
        """Starts a script of the student's folder; its output is in .logs/."""
        (self.folder / ".logs").mkdir(exist_ok=True)
        with open(self.folder / ".logs" / log, "wb") as output:
            return subprocess.Popen([sys.executable, script], cwd=self.folder, env=self.environment(), stdout=output,
                                    stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)

    def log(self, name: str) -> str:
        return (self.folder / ".logs" / name).read_text(errors="replace")

    @staticmethod
    def environment() -> dict[str, str]:
        """Of what runs in the student's folder: its configuration is all that counts."""
        return {name: value for name, value in os.environ.items()
                if not name.startswith(("SHOPSTREAM_", "PYTEST_", "PYTHON"))}

    # Reading.

    def registry(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """The registry's answer to a request; `body`: what to send."""
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        tls = None
        if isinstance(self.cluster, SecuredCluster):
            login = f"admin:{self.cluster.secrets.password('registry-admin')}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
            tls = ssl.create_default_context(cafile=str(self.cluster.authority.certificate_file))
        request = urllib.request.Request(f"{self.cluster.registry_url}/{path}", method=method, headers=headers,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10, context=tls) as reply:
            return json.load(reply)

    def login(self) -> dict[str, Any]:
        """The properties of a client that may do everything."""
        if isinstance(self.cluster, SecuredCluster):
            return {**self.cluster.setup_properties(), "bootstrap.servers": self.cluster.node_servers, "log_level": 0}
        return {"bootstrap.servers": self.cluster.bootstrap_servers, "log_level": 0}

    def admin(self) -> AdminClient:
        self._admin = AdminClient(self.login())  # Its futures do not keep it alive.
        return self._admin

    def consumer(self, **settings: object) -> Consumer:
        return Consumer({**self.login(), "group.id": f"{self.topic}-checker", "enable.auto.commit": False,
                         "enable.partition.eof": True, "auto.offset.reset": "earliest", **settings})

    def records(self, topic: str = "", **settings: object) -> list[Message]:
        """Every record of the topic, by partition and offset, as Confluent's client reads it: only committed ones, unless
        `settings` of the consumer say otherwise."""
        name = topic or self.topic
        with self.closing(self.consumer(**settings)) as consumer:
            partitions = self._partitions(consumer, name)
            consumer.assign([TopicPartition(name, p, 0) for p in partitions])
            found, ended, last = [], set(), time.monotonic()
            while len(ended) < len(partitions):
                for message in consumer.consume(10000, timeout=0.1):
                    last = time.monotonic()
                    if message.error() is None:
                        found.append(message)
                    elif message.error().code() == KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                    else:
                        raise LabError(f"topic {name} partition {message.partition()}: {message.error()}")
                if time.monotonic() - last > READ_TIMEOUT:
                    raise LabError(f"topic {name}: no record for {READ_TIMEOUT:.0f} s; ./run status shows the cluster")
        return sorted(found, key=lambda message: (message.partition(), message.offset()))

    def ends(self, topic: str = "") -> dict[int, int]:
        """The end offset of each partition of the topic."""
        return {p: end for p, (_, end) in self.spans(topic).items()}

    def spans(self, topic: str = "") -> dict[int, tuple[int, int]]:
        """Of each partition of the topic, the first offset that Kafka still has, and the end offset."""
        name = topic or self.topic
        with self.closing(self.consumer(**{"isolation.level": "read_uncommitted"})) as consumer:
            partitions = self._partitions(consumer, name)
            return {p: consumer.get_watermark_offsets(TopicPartition(name, p), timeout=20) for p in partitions}

    @staticmethod
    def _partitions(consumer: Consumer, topic: str) -> list[int]:
        found = sorted(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
        if not found:
            raise LabError(f"topic {topic} is gone: ./lab reset starts over")
        return found

    @staticmethod
    @contextlib.contextmanager
    def closing(consumer: Consumer) -> Iterator[Consumer]:
        try:
            yield consumer
        finally:
            consumer.close()

    def rows(self, table: str, *columns: str) -> list[dict[str, Any]]:
        """The table's rows, as delta-rs reads them; none while the table is not there."""
        if not any((self.lake / table / "_delta_log").glob("*.json")):
            return []
        return self.table(table, *columns).to_pylist()

    def table(self, name: str, *columns: str, version: int | None = None) -> Table:
        """The table's rows, as delta-rs reads them: all columns unless some are named. A file system written in Python,
        which is delta-rs's default, aborts a program that exits while a thread still closes a file."""
        folder = self.lake / name
        files = SubTreeFileSystem(str(folder), LocalFileSystem())
        return DeltaTable(str(folder), version=version).to_pyarrow_table(columns=list(columns) or None, filesystem=files)


def empty(folder: pathlib.Path) -> None:
    """Deletes what a folder has, but not the folder: the student's shell may be in it."""
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def wait_until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The result of `condition`, once it is true."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)
    return result
