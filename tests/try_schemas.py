"""Tries a folder of Avro schemas on a running cluster (./run up): registers each, produces random records, ingests them
and compares every value with what was sent.

    .deps/venv/bin/python tests/try_schemas.py FOLDER [--records N] [--only TEXT] [--seed N]
        [--program PATH] [--registry URL] [--bootstrap HOST:PORT]

Reads *.avsc. A name that a file does not define is looked up in the folder's other files. Prints a line for each schema
that failed or was refused, and the totals. The exit code is 1 if a value differs, or if a schema is refused for a reason
that docs/avro.md and docs/your-own-events.md do not give.

Folders that were tried: the *.avsc of apache/avro, RADAR-base/RADAR-Schemas and confluentinc/kafka-connect-datagen."""

import argparse
import collections
import dataclasses
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from deltalake import DeltaTable

import avro_mapping
from avro_generator import NAMED, PRIMITIVES, Generator, kind
from settings import set_flags
from table_values import as_numbers, plain

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGICAL = {"date": "int", "time-millis": "int", "time-micros": "long",
           **{f"{local}timestamp-{unit}": "long" for local in ("", "local-") for unit in ("millis", "micros", "nanos")}}
# The reasons that are documented, as the program words them.
DOCUMENTED = [r"at the root of a schema has no columns", r"contains itself", r"more than [\d,]+ columns", r"deeper than", r"no fields"]


class Unusable(Exception):
    """The file is not an Avro schema."""


class Names:
    """The named types of all files, by full name and by the part after the last dot."""

    def __init__(self, files: list[pathlib.Path]):
        self.types: dict[str, tuple[dict, str]] = {}
        for path in files:
            try:
                self._collect(json.loads(path.read_text()), "")
            except (ValueError, RecursionError):
                continue

    def _collect(self, schema: Any, space: str) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, space)
        if not isinstance(schema, dict):
            return
        if schema.get("type") in NAMED and isinstance(schema.get("name"), str):
            full = full_name(schema["name"], schema.get("namespace", space))
            space = full.rpartition(".")[0]
            self.types.setdefault(full, (schema, space))
        for field in schema.get("fields", []) if isinstance(schema.get("fields"), list) else []:
            self._collect(field.get("type"), space)
        for key in ("type", "items", "values"):
            if isinstance(schema.get(key), (dict, list)):
                self._collect(schema[key], space)


def full_name(name: str, space: str | None) -> str:
    return name if "." in name or not space else f"{space}.{name}"


class Reader:
    """From a schema's JSON to the form of avro_generator.py, in which uses of a named type share a dict."""

    def __init__(self, names: Names):
        self._names = names
        self._known: dict[str, dict] = {}

    def read(self, schema: Any, space: str) -> dict:
        if isinstance(schema, str):
            return self._by_name(schema, space)
        if isinstance(schema, list):
            return {"type": "union", "branches": [self.read(branch, space) for branch in schema]}
        if not isinstance(schema, dict) or "type" not in schema:
            raise Unusable(f"no type: {str(schema)[:60]}")
        which = schema["type"]
        if which in NAMED:
            return self._named(schema, space)
        if which == "array":
            return {"type": "array", "items": self.read(schema["items"], space)}
        if which == "map":
            return {"type": "map", "values": self.read(schema["values"], space)}
        if which in PRIMITIVES:
            return {"type": which, **logical_type(schema)}
        return self._by_name(which, space) if isinstance(which, str) else self.read(which, space)

    def _by_name(self, name: str, space: str) -> dict:
        if name in PRIMITIVES:
            return {"type": name}
        full = full_name(name, space)
        if full not in self._known:
            found = self._names.types.get(full) or self._names.types.get(name)
            if found is None:
                raise Unusable(f"no definition of {full}")
            self._named(*found)
        return self._known.get(full) or self._known[name]

    def _named(self, schema: dict, space: str) -> dict:
        full = full_name(schema["name"], schema.get("namespace", space))
        space, _, name = full.rpartition(".")
        known = self._known[full] = {"type": schema["type"], "name": name, "namespace": space}
        if schema["type"] == "enum":
            known["symbols"] = schema["symbols"]
        elif schema["type"] == "fixed":
            known |= {"size": schema["size"], **logical_type(schema)}
        else:
            known["fields"] = []
            for field in schema["fields"]:
                known["fields"].append({"name": field["name"], "type": self.read(field["type"], space)})
        return known


def logical_type(schema: dict) -> dict:
    """The attributes of a logical type that is valid; readers ignore others."""
    logical, which = schema.get("logicalType"), schema["type"]
    if LOGICAL.get(logical) == which:
        return {"logicalType": logical}
    if logical == "uuid" and (which == "string" or which == "fixed" and schema["size"] == 16):
        return {"logicalType": logical}
    if logical == "duration" and which == "fixed" and schema["size"] == 12:
        return {"logicalType": logical}
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if logical == "decimal" and which in ("bytes", "fixed") and isinstance(precision, int) and 0 <= scale <= precision:
        fits = which == "bytes" or precision <= int((8 * schema["size"] - 1) * 0.30103)
        return {"logicalType": logical, "precision": precision, "scale": scale} if precision and fits else {}
    return {}


def is_recursive(schema: dict, within: tuple[int, ...] = ()) -> bool:
    if id(schema) in within:
        return True
    parts = [*schema.get("branches", []), *[field["type"] for field in schema.get("fields", [])],
             *[schema[key] for key in ("items", "values") if key in schema]]
    return any(is_recursive(part, (*within, id(schema))) for part in parts)


def rewritten(schema: Any, names: Names, space: str, defined: set[str]) -> Any:
    """The schema with the definitions that it takes from other files."""
    if isinstance(schema, str):
        full = full_name(schema, space)
        if schema in PRIMITIVES or full in defined or schema in defined:
            return schema
        found, where = (full, names.types.get(full)) if full in names.types else (schema, names.types.get(schema))
        if where is None:
            return schema
        return rewritten({**where[0], "namespace": found.rpartition(".")[0]}, names, "", defined)
    if isinstance(schema, list):
        return [rewritten(branch, names, space, defined) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    out = dict(schema)
    if schema.get("type") in NAMED:
        full = full_name(schema["name"], schema.get("namespace", space))
        space = full.rpartition(".")[0]
        defined.add(full)
        if "fields" in schema:
            out["fields"] = [{**field, "type": rewritten(field["type"], names, space, defined)}
                             for field in schema["fields"]]
        return out
    for key in ("type", "items", "values"):
        if key in schema:
            out[key] = rewritten(schema[key], names, space, defined)
    return out


def same(sent: Any, read: Any) -> bool:
    if isinstance(sent, dict) and isinstance(read, dict):
        return sent.keys() == read.keys() and all(same(value, read[key]) for key, value in sent.items())
    if isinstance(sent, list) and isinstance(read, list):
        return len(sent) == len(read) and all(map(same, sent, read))
    if isinstance(sent, float) or isinstance(read, float):
        return isinstance(read, (int, float)) and struct.pack("<d", sent) == struct.pack("<d", read)
    return type(sent) is type(read) and sent == read


# ---- one schema


@dataclasses.dataclass
class Outcome:
    verdict: str  # passed, refused, failed
    why: str = ""


class Trial:
    def __init__(self, asked: argparse.Namespace, names: Names):
        self._asked, self._names = asked, names
        self._admin = AdminClient({"bootstrap.servers": asked.bootstrap, "log_level": 0})
        self._producer = Producer({"bootstrap.servers": asked.bootstrap, "enable.idempotence": True, "log_level": 0})

    def run(self, path: pathlib.Path, lake: pathlib.Path) -> Outcome:
        text = json.loads(path.read_text())
        schema = Reader(self._names).read(text, "")
        topic = f"try-{uuid.uuid4().hex[:12]}"
        whole = rewritten(text, self._names, "", set())
        code, answer = self._register(f"{topic}-value", whole)
        if code != 200:
            return Outcome("refused", f"register: {answer.get('message', answer)}")
        if kind(schema) != "record" or is_recursive(schema):
            return self._ingest_fails(topic, lake, schema)
        return self._compare(topic, lake, schema, answer["id"])

    def _register(self, subject: str, schema: Any) -> tuple[int, dict]:
        request = urllib.request.Request(
            f"{self._asked.registry}/subjects/{urllib.parse.quote(subject)}/versions",
            json.dumps({"schema": json.dumps(schema)}).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return 200, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def _ingest_fails(self, topic: str, lake: pathlib.Path, schema: dict) -> Outcome:
        self._admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        done = self._program(topic, lake, "", "ingest", "--until-caught-up")
        if done.returncode == 0:
            return Outcome("failed", "a schema that is recursive, or not a record, was ingested")
        return Outcome("refused", done.stderr.strip().rsplit("\n", 1)[-1])

    def _compare(self, topic: str, lake: pathlib.Path, schema: dict, number: int) -> Outcome:
        generator = Generator(self._asked.seed)
        self._admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        values = [generator.value(schema) for _ in range(self._asked.records)]
        for value in values:
            self._producer.produce(topic, b"\0" + struct.pack(">I", number) + generator.encode(value, schema))
        if self._producer.flush(60) > 0:
            return Outcome("failed", "Kafka did not take the records")
        field = partition_field(schema)
        done = self._program(topic, lake, field, "ingest", "--until-caught-up")
        if done.returncode != 0:
            return Outcome("refused", done.stderr.strip().rsplit("\n", 1)[-1])
        described = self._program(topic, lake, field, "--json", "table", "describe", topic)
        columns = {c["field"]: c["column"] for c in json.loads(described.stdout)["columns"] if c.get("field")}
        table = as_numbers(DeltaTable(str(lake / topic)).to_pyarrow_table())
        rows = sorted(table.to_pylist(maps_as_pydicts=None), key=lambda row: row["kafka_offset"])
        if len(rows) != len(values):
            return Outcome("failed", f"{len(rows)} rows of {len(values)} records")
        expected = [avro_mapping.row(avro_mapping.with_hex(avro_mapping.listed(value)), schema) for value in values]
        for sent, row in zip(expected, rows, strict=True):
            for name, value in sent.items():
                column = columns.get(name, name)
                read = plain(row[column], table.schema.field(column).type)
                empty = value == "" and read is None and name == field
                if not same(value, read) and not empty:
                    return Outcome("failed", f"{name}: sent {str(value)[:80]!r}, read {str(read)[:80]!r}")
        return Outcome("passed")

    def _program(self, topic: str, lake: pathlib.Path, field: str,
                 *words: str) -> subprocess.CompletedProcess[str]:
        settings = {"kafka.topic": topic, "kafka.group": topic, "kafka.bootstrap_servers": self._asked.bootstrap,
                    "registry.url": self._asked.registry, "lake.uri": str(lake), "lake.bronze_table": topic,
                    "lake.quarantine_table": f"{topic}-quarantine", "ingest.partition_field": field,
                    "ingest.partition_values": "", "ingest.event_time_field": "", "metrics.listen": "",
                    "ingest.maintenance": "false"}
        return subprocess.run([self._asked.program, *set_flags(settings), *words], capture_output=True, text=True, timeout=120)


def partition_field(schema: dict) -> str:
    """The first text or enum at the top; nothing if there is none."""
    for field in schema["fields"]:
        branches = field["type"].get("branches", [field["type"]])
        values = [branch for branch in branches if kind(branch) != "null"]
        if len(values) == 1 and kind(values[0]) in ("string", "enum"):
            return field["name"]
    return ""


def outcomes(asked: argparse.Namespace) -> Iterator[tuple[pathlib.Path, Outcome]]:
    files = sorted(pathlib.Path(asked.folder).rglob("*.avsc"))
    trial = Trial(asked, Names(files))
    for path in files:
        if asked.only not in str(path):
            continue
        with tempfile.TemporaryDirectory(prefix="shopstream-try-") as lake:
            try:
                yield path, trial.run(path, pathlib.Path(lake))
            except (Unusable, ValueError, KeyError, TypeError) as error:
                yield path, Outcome("no schema", f"{type(error).__name__}: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--records", type=int, default=50)
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=str(ROOT / "build/release/shopstream"))
    parser.add_argument("--registry", default="http://127.0.0.1:8082")
    parser.add_argument("--bootstrap", default="127.0.0.1:9094")
    asked = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    for path, outcome in outcomes(asked):
        verdict = outcome.verdict
        if verdict == "refused" and any(re.search(reason, outcome.why) for reason in DOCUMENTED):
            verdict = "refused as documented"
        counts[verdict] += 1
        if verdict != "passed":
            print(f"{verdict}: {path.relative_to(asked.folder)}: {outcome.why[:300]}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if counts["failed"] + counts["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
