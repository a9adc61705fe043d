"""Runs a case: a small input that some user had, with the answers that every reader must give.

A case is a JSON file of tests/cases with
  schemas   name, schema or text, and if they differ from <topic>-value without references, subject and references;
            `whole` is the schema with its references inlined, for the writer
  records   [name of a schema, value]
  settings  of every run
  runs      one ingest each, into its own tables: settings, exit, message (a part of stderr), quarantine (cause and
            a part of the detail, by offset), ask (SQL over the table `t`, and the rows), then (commands and a part of
            their output)
TOPIC in a subject or command stands for the topic, TABLE for the table. {"$float": "inf"} and {"$bytes": "00ff"} are
values that JSON lacks."""

import dataclasses
import io
import json
import pathlib
import struct
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import fastavro
import polars
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from deltalake import DeltaTable

from avro_generator import without_logical_types
from settings import set_flags
from shopstream import Shopstream

CASES = pathlib.Path(__file__).resolve().parent / "cases"
AT_ONCE = 4  # Each run waits for its group most of the time.


@dataclasses.dataclass
class Run:
    """One ingest of a case."""
    name: str
    topic: str
    expected: dict[str, Any]
    settings: dict[str, str]
    table: str


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["$float"]:
        return float(value["$float"])
    if list(value) == ["$bytes"]:
        return bytes.fromhex(value["$bytes"])
    return {key: plain(item) for key, item in value.items()}


class Cases:
    """All cases against one cluster."""

    def __init__(self, world: Shopstream):
        self.world = world
        servers = {"bootstrap.servers": world.cluster.bootstrap_servers}
        self.admin = AdminClient(servers | {"log_level": 0})
        self.producer = Producer(servers | {"log_level": 0, "linger.ms": 2})

    def register(self, topic: str, schema: dict[str, Any]) -> int:
        references = [one | {"subject": one["subject"].replace("TOPIC", topic)} for one in schema.get("references", [])]
        text = schema["text"] if "text" in schema else json.dumps(schema["schema"])
        subject = schema.get("subject", "TOPIC-value").replace("TOPIC", topic)
        request = urllib.request.Request(
            f"{self.world.cluster.registry_url}/subjects/{subject}/versions", method="POST",
            data=json.dumps({"schema": text, "references": references}).encode(),
            headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)["id"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{subject}: {error.read().decode()}") from None

    def prepare(self, name: str) -> list[Run]:
        """Registers and produces everything; nothing is ingested yet."""
        case = json.loads((CASES / f"{name}.json").read_text())
        topic = f"case-{name}-{uuid.uuid4().hex[:8]}"
        ids, writers = {}, {}
        for schema in case["schemas"]:
            ids[schema["name"]] = self.register(topic, schema)
            inlined = schema.get("whole") or (None if "references" in schema else schema.get("schema"))
            if inlined is not None:
                # So that fastavro writes times and decimals as the numbers and bytes of the case.
                writers[schema["name"]] = fastavro.parse_schema(without_logical_types(inlined))
        self.admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
        for writer, value in case["records"]:
            body = io.BytesIO()
            fastavro.schemaless_writer(body, writers[writer], plain(value))
            self.producer.produce(topic, b"\0" + struct.pack(">I", ids[writer]) + body.getvalue())
        return [Run(name, topic, run, {"ingest.partition_values": ""} | case.get("settings", {}) | run.get("settings", {}),
                    f"{topic}-{number}") for number, run in enumerate(case["runs"])]

    def command(self, run: Run, *arguments: str, expect: int | None = 0) -> Any:
        settings = {"kafka.topic": run.topic, "kafka.group": run.table, "lake.bronze_table": run.table,
                    "lake.quarantine_table": f"{run.table}-q", "ingest.maintenance": "false", **run.settings}
        return self.world.run(*set_flags(settings), *arguments, expect=expect, timeout=60)

    def check(self, run: Run) -> None:
        done = self.command(run, "ingest", "--until-caught-up", expect=run.expected.get("exit", 0))
        assert run.expected.get("message", "") in done.stderr, f"{run.name}: {done.stderr}"
        if done.returncode != 0:
            return
        path = str(self.world.lake / run.table)
        self.check_quarantine(run)
        for sql, expected in run.expected.get("ask", []):
            dataset = DeltaTable(path).to_pyarrow_dataset()
            with duckdb.connect() as connection:
                answers = {"duckdb": connection.register("t", dataset).execute(sql).fetchall()}
            answers["polars"] = polars.SQLContext(t=polars.scan_delta(path)).execute(sql).collect().rows()
            for reader, rows in answers.items():
                found = json.loads(json.dumps(rows, default=str))
                assert found == expected, f"{run.name}, {reader}: {sql}: {found}, expected {expected}"
        for *command, output in run.expected.get("then", []):
            shown = self.command(run, *(word.replace("TABLE", run.table) for word in command)).stdout
            assert output in shown, f"{run.name}: {command}: {shown}"

    def check_quarantine(self, run: Run) -> None:
        path = self.world.lake / f"{run.table}-q"
        rows = DeltaTable(str(path)).to_pyarrow_table().sort_by("kafka_offset").to_pylist()
        expected = run.expected.get("quarantine", [])
        assert [row["cause"] for row in rows] == [cause for cause, _ in expected], f"{run.name}: {rows}"
        for row, (_, part) in zip(rows, expected, strict=True):
            assert part in row["detail"], f"{run.name}: {row['detail']}"

    def check_all(self, names: list[str]) -> None:
        runs = [run for name in names for run in self.prepare(name)]
        assert self.producer.flush(20) == 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            failures = [str(error) for error in pool.map(self.failure, runs) if error is not None]
        assert not failures, "\n".join(failures)

    def failure(self, run: Run) -> BaseException | None:
        try:
            self.check(run)
        except Exception as error:  # From any reader, so that all cases run.
            return AssertionError(f"{run.name}, {run.settings}: {error}")
        return None
