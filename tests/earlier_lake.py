"""Small lakes written by earlier versions, in tests/earlier_lake/<commit of the program>: `lake` is the lake,
records.json the content of its Kafka topic. To add one written by the current program:

    .deps/venv/bin/python tests/earlier_lake.py build/release/shopstream NAME
"""

import argparse
import base64
import io
import json
import pathlib
import shutil
import struct
import sys
import tempfile
import urllib.parse
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import fastavro  # noqa: E402
import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from confluent_kafka import Producer  # noqa: E402
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource  # noqa: E402
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient  # noqa: E402
from deltalake import DeltaTable  # noqa: E402

from cluster import Cluster, Ports  # noqa: E402
from shopstream import Shopstream, shopstream_world  # noqa: E402

FOLDER = ROOT / "tests/earlier_lake"
BRONZE, QUARANTINE = "bronze-events", "bronze-quarantine"
SETTINGS = {"SHOPSTREAM_INGEST_PARTITION_VALUES": ""}
SCHEMA = {"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "long"}, {"name": "region", "type": "string"},
    {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
PLAIN = fastavro.parse_schema(SCHEMA | {"fields": [*SCHEMA["fields"][:2], {"name": "timestamp", "type": "long"}]})
NOON = 1_761_307_200_000  # 2025-10-24T12:00:00Z
DAY = 86_400_000
YEAR_10000 = 253_402_300_800_000
YEAR_MINUS_2 = -62_198_755_200_000
REGIONS = ["US", "R&D", "été"]

Record = dict[str, Any]  # partition, value, timestamp, and row: its row in Bronze; null: it is in quarantine.


def records_of(schema_id: int, numbers: range) -> list[Record]:
    """Rows, and every fifth record undecodable."""
    made = []
    for number in numbers:
        row = {"id": number, "region": REGIONS[number % len(REGIONS)], "timestamp": NOON - number % 2 * DAY}
        good = number % 5 != 4
        made.append(record(number % 3, framed(schema_id, row) if good else b"garbage %d" % number, NOON,
                           row if good else None))
    return made


def beyond_the_calendar(schema_id: int) -> list[Record]:
    row = {"id": 1000, "region": "US", "timestamp": YEAR_10000}
    return [record(0, b"of year -2", YEAR_MINUS_2, None), record(1, framed(schema_id, row), YEAR_10000, row)]


def record(partition: int, value: bytes, timestamp: int, row: Record | None) -> Record:
    return {"partition": partition, "value": base64.b64encode(value).decode(), "timestamp": timestamp, "row": row}


def framed(schema_id: int, row: Record) -> bytes:
    body = io.BytesIO()
    fastavro.schemaless_writer(body, PLAIN, row)
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


class Topic:
    """A topic that accepts records of any time, and the record at each offset."""

    def __init__(self, world: Shopstream):
        self.world = world
        self.rows: dict[tuple[int, int], Record | None] = {}
        servers = {"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0}
        self._producer = Producer(servers | {"acks": "all", "linger.ms": 2})
        world.run("topics", "setup")
        # A broker that recompresses rejects times before 1970.
        wanted = {"message.timestamp.after.max.ms": str(2**63 - 1), "compression.type": "producer"}
        resource = ConfigResource(ConfigResource.Type.TOPIC, world.topic, incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()])
        admin = AdminClient(servers)
        for changed in admin.incremental_alter_configs([resource]).values():
            changed.result(timeout=20)
        registry = SchemaRegistryClient({"url": world.cluster.registry_url})
        self.schema_id = registry.register_schema(f"{world.topic}-value", Schema(json.dumps(SCHEMA), "AVRO"))

    def send(self, records: list[Record]) -> None:
        for one in records:
            def delivered(error: Any, message: Any, one: Record = one) -> None:
                assert error is None, error
                self.rows[message.partition(), message.offset()] = one["row"]

            self._producer.produce(self.world.topic, base64.b64decode(one["value"]), b"k", one["partition"],
                                   on_delivery=delivered, timestamp=one["timestamp"])
        assert self._producer.flush(30) == 0


def restored(world: Shopstream, name: str) -> Topic:
    """The lake, and a topic with the content of its topic. Kafka gives the topic a new id, which replaces the old
    one in the log, in checkpoints, and in one column of the data files."""
    topic = Topic(world)
    kept = json.loads((FOLDER / name / "records.json").read_text())
    topic.send(kept["records"])
    shutil.copytree(FOLDER / name / "lake", world.lake)
    topic_id = world.json("topics", "describe")["id"]
    for table in (BRONZE, QUARANTINE):
        _rename(world.lake / table, kept["topic_id"], topic_id)
    return topic


def _rename(table: pathlib.Path, old: str, new: str) -> None:
    sizes = {str(path.relative_to(table)): _rename_rows(path, old, new)
             for path in table.rglob("*.parquet") if "_delta_log" not in path.parts}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            value = {renamed(key): renamed(item) for key, item in value.items()}
            path = urllib.parse.unquote(value["path"]) if value.get("path") else None
            return value | {"size": sizes[path]} if path in sizes and "size" in value else value
        if isinstance(value, list | tuple):
            return type(value)(renamed(item) for item in value)
        return value.replace(old, new) if isinstance(value, str) else value

    for entry in (table / "_delta_log").glob("*.json"):
        actions = [renamed(json.loads(line)) for line in entry.read_text().splitlines()]
        entry.write_text("".join(json.dumps(action) + "\n" for action in actions))
    for path in (table / "_delta_log").glob("*.checkpoint.parquet"):
        checkpoint = pq.ParquetFile(path).read()
        pq.write_table(pa.Table.from_pylist(renamed(checkpoint.to_pylist()), checkpoint.schema), path)


def _rename_rows(path: pathlib.Path, old: str, new: str) -> int:
    rows = pq.ParquetFile(path).read()
    column = rows.schema.get_field_index("kafka_topic_id")
    assert set(rows.column(column).to_pylist()) == {old}, path
    pq.write_table(rows.set_column(column, rows.schema.field(column), pa.array([new] * len(rows), pa.string())), path,
                   compression="zstd")
    return path.stat().st_size


def write(world: Shopstream, folder: pathlib.Path) -> None:
    """Several commits, a checkpoint, a compaction, and values that a program may not have handled."""
    topic = Topic(world)
    sent = []
    batches = [records_of(topic.schema_id, range(start, start + 15)) for start in range(0, 60, 15)]
    for number, batch in enumerate([*batches, beyond_the_calendar(topic.schema_id)]):
        topic.send(batch)
        sent += batch
        world.run("ingest", "--until-caught-up", **SETTINGS, SHOPSTREAM_INGEST_MAINTENANCE="false")
        if number == 0:
            for table in (BRONZE, QUARANTINE):
                DeltaTable(str(world.lake / table)).alter.set_table_properties({"delta.checkpointInterval": "3"})
        if number == 2:
            world.run("table", "optimize", BRONZE)
    shutil.copytree(world.lake, folder / "lake")
    topic_id = world.json("topics", "describe")["id"]
    _keep_verdicts(topic, sent, world.lake / BRONZE)
    lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in sent)
    (folder / "records.json").write_text(f'{{"topic_id": "{topic_id}", "records": [\n{lines}\n]}}\n')


def _keep_verdicts(topic: Topic, sent: list[Record], bronze: pathlib.Path) -> None:
    """Removes the row from each record that this program quarantined, although other versions may not."""
    columns = ["kafka_partition", "kafka_offset"]
    there = {tuple(row[name] for name in columns) for path in bronze.rglob("*.parquet")
             if "_delta_log" not in path.parts for row in pq.ParquetFile(path).read(columns).to_pylist()}
    in_bronze = {row["id"] for place, row in topic.rows.items() if row and place in there}
    for one in sent:
        if one["row"] and one["row"]["id"] not in in_bronze:
            one["row"] = None


def main() -> None:
    parser = argparse.ArgumentParser(description="Keeps a lake as this program writes it.")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("name", help="of its folder in tests/earlier_lake: the program's commit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(pathlib.Path(folder) / "cluster", Ports(brokers=17094, controllers=17097, registry=17100,
                                                                  minio=17101))
        try:
            cluster.start_brokers()
            cluster.start_registry()
            cluster.binary = arguments.program.resolve()
            with shopstream_world(cluster, pathlib.Path(folder), "earlier") as world:
                (FOLDER / arguments.name).mkdir(parents=True)
                write(world, FOLDER / arguments.name)
        finally:
            cluster.kill()


if __name__ == "__main__":
    main()
