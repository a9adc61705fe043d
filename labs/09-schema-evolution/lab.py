"""Lab 9: asks the registry about the five changes, and lets fastavro read each record with both versions."""

import io
import json
import tomllib
from typing import Any

import fastavro
from confluent_kafka import Message

from places import ROOT
from runner.bench import Bench
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
OLD = 300
NEW_FIELD = "coupon"
Schema = dict[str, Any]


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", SCHEMA)
    bench.shopstream("generate", "--count", OLD, "--seed", bench.seed)
    bench.shopstream("ingest", "--until-caught-up")


def changes() -> dict[str, Schema]:
    old = json.loads(SCHEMA.read_text())

    def with_fields(fields: list[Schema]) -> Schema:
        return {**old, "fields": fields}

    fields = old["fields"]
    gift = {"name": "gift", "type": "boolean"}
    return {"add_with_default": with_fields([*fields, {**gift, "default": False}]),
            "add_without_default": with_fields([*fields, gift]),
            "remove": with_fields([field for field in fields if field["name"] != "product_name"]),
            "rename": with_fields([{**field, "name": "total"} if field["name"] == "amount" else field for field in fields]),
            "int_to_long": with_fields([{**field, "type": "long"} if field["name"] == "quantity" else field for field in fields])}


def check(bench: Bench) -> Finding:
    if problem := wrong_change(bench):
        return failed("changes.toml is not right yet", "what the registry answers", problem)
    versions = bench.registry(f"subjects/{bench.topic}-value/versions")
    newest = bench.registry(f"subjects/{bench.topic}-value/versions/latest")
    first, last = json.loads(SCHEMA.read_text()), json.loads(newest["schema"])
    saw = f"changes.toml is right; the newest version of the schema is {versions[-1]}"
    if NEW_FIELD not in {field["name"] for field in last["fields"]}:
        return failed(saw, f"a newest version with a field {NEW_FIELD}: ./shopstream schema register purchase.avsc")
    records = bench.records()
    new = [record for record in records if schema_id(record) == newest["id"]]
    saw += f"; {len(new)} of {len(records)} records have the newest"
    if not new:
        return failed(saw, "purchases of the newest version: ./python produce.py")
    told = {}
    for what, reader, some in (("an old record with the new schema", last, records[:1]), ("a new record with the old schema", first, new[:1])):
        for record in some:
            if problem := unreadable(record, last if record in new else first, reader):
                return failed(saw, "old and new readers read old and new records",
                              f"fastavro cannot read {what}: offset {record.offset()} of partition {record.partition()}: {problem}",
                              **told)
    read = decoded(new[0], last, first)
    told = {"answer": "b", "evidence": f"fastavro reads offset {new[0].offset()} of partition {new[0].partition()}, which has "
            f"{len(last['fields'])} fields, with version 1: {', '.join(read)}."}
    return bronze(bench, records, new, last, saw, told)


def bronze(bench: Bench, records: list[Message], new: list[Message], last: Schema, saw: str, told: dict[str, str]) -> Finding:
    rows = {(row["kafka_partition"], row["kafka_offset"]): row for row in bench.rows("bronze-events")}
    quarantined = bench.rows("bronze-quarantine", "kafka_partition", "kafka_offset", "cause")
    saw += f"; bronze-events has {len(rows)} rows"
    for record in records:
        if (record.partition(), record.offset()) not in rows:
            causes = [row["cause"] for row in quarantined if (row["kafka_partition"], row["kafka_offset"]) == (
                record.partition(), record.offset())]
            return failed(saw, "every record in bronze-events: ./shopstream ingest --until-caught-up", f"offset {record.offset()} of "
                          f"partition {record.partition()} is {f'in quarantine: {causes[0]}' if causes else 'not there'}", **told)
    for record in new:
        have, want = rows[record.partition(), record.offset()].get(NEW_FIELD), decoded(record, last, last)[NEW_FIELD]
        if have != want:
            return failed(saw, f"the coupon of each new record in the column {NEW_FIELD}", f"offset {record.offset()} of "
                          f"partition {record.partition()} has {want!r}, its row {have!r}", **told)
    return passed(f"{saw}, old and new ones, with the column {NEW_FIELD}, and none is in quarantine", **told)


def schema_id(record: Message) -> int:
    return int.from_bytes(record.value()[1:5], "big")


def decoded(record: Message, writer: Schema, reader: Schema) -> dict[str, Any]:
    return fastavro.schemaless_reader(io.BytesIO(record.value()[5:]), writer, reader)


def unreadable(record: Message, writer: Schema, reader: Schema) -> str:
    try:
        decoded(record, writer, reader)
        return ""
    except (fastavro.read.SchemaResolutionError, ValueError, KeyError, EOFError) as error:
        return str(error)[:200]


def wrong_change(bench: Bench) -> str:
    """The first answer that differs from the registry's; empty if all are right."""
    try:
        found = tomllib.loads((bench.folder / "changes.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        return f"changes.toml cannot be read: {error}"
    for direction in ("backward", "forward"):
        subject = f"{bench.topic}-{direction}"
        bench.registry(f"subjects/{subject}/versions", {"schema": SCHEMA.read_text()})
        bench.registry(f"config/{subject}", {"compatibility": direction.upper()}, method="PUT")
        for name, schema in changes().items():
            answer = found.get(name, {}).get(direction)
            reply = bench.registry(f"compatibility/subjects/{subject}/versions/latest", {"schema": json.dumps(schema)})
            if answer is not reply["is_compatible"]:
                has = {True: "true", False: "false"}.get(answer, "nothing yet") if isinstance(answer, bool) else "nothing yet"
                return f"{name}, {direction}: you say {has}" + ("" if has == "nothing yet" else ", the registry says otherwise")
    return ""
