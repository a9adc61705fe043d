"""Schemas that change while records flow, arbitrary events, and replayed quarantined records: real brokers, several
consumers, kills at random moments; delta-rs reads the result."""

import datetime
import io
import json
import random
import struct
import time
from collections.abc import Iterable

import fastavro
import pyarrow as pa
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from deltalake import DeltaTable, write_deltalake

from shopstream import Running, Shopstream
from waiting import wait_until

NOW = int(time.time() * 1000)
TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


class Topic:
    """A topic of three partitions whose writers use any schema, and what they sent."""

    def __init__(self, world: Shopstream, record: str = "Event"):
        self.world, self.record = world, record
        self.sent: dict[tuple[int, int], dict] = {}  # (partition, offset) -> value
        self._registry = SchemaRegistryClient({"url": world.cluster.registry_url})
        self._producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "acks": "all",
                                   "linger.ms": 2, "log_level": 0})
        world.run("topics", "setup")
        self._registry.set_compatibility(f"{world.topic}-value", "NONE")

    def register(self, **fields: object) -> tuple[int, dict]:
        """A writer: the id and the schema of a record of these fields."""
        schema = {"type": "record", "name": self.record,
                  "fields": [{"name": name, "type": kind} for name, kind in fields.items()]}
        return self._registry.register_schema(f"{self.world.topic}-value", Schema(json.dumps(schema), "AVRO")), schema

    def send(self, writer: tuple[int, dict], values: Iterable[dict], partition: int, readable: bool = True) -> None:
        schema_id, schema = writer
        parsed = fastavro.parse_schema(schema)
        for value in values:
            body = io.BytesIO(struct.pack(">bI", 0, schema_id))
            body.seek(0, io.SEEK_END)
            fastavro.schemaless_writer(body, parsed, value)

            def delivered(error, message, value=value) -> None:
                assert error is None, error
                if readable:
                    self.sent[message.partition(), message.offset()] = value

            self._producer.produce(self.world.topic, body.getvalue(), partition=partition, on_delivery=delivered)
            self._producer.poll(0)

    def flush(self) -> None:
        assert self._producer.flush(30) == 0


def bronze(world: Shopstream, name: str = "bronze-events") -> DeltaTable:
    return DeltaTable(str(world.lake / name))


def rows(world: Shopstream, name: str = "bronze-events") -> int:
    if not any((world.lake / name / "_delta_log").glob("*.json")):
        return 0
    return bronze(world, name).to_pyarrow_table(columns=["kafka_offset"]).num_rows


def plain(value: object) -> object:
    return int(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else value


def expect_every_value(topic: Topic, name: str = "bronze-events") -> pa.Table:
    """Each record is there once, with the sent value in every column and null in those it lacks."""
    table = bronze(topic.world, name).to_pyarrow_table()
    own = {column for value in topic.sent.values() for column in value}
    assert own <= set(table.column_names)
    seen = set()
    for row in table.to_pylist():
        place = row["kafka_partition"], row["kafka_offset"]
        assert place not in seen, f"{place} stands twice"
        seen.add(place)
        sent = topic.sent[place]
        assert {column: plain(row[column]) for column in own} == {column: sent.get(column) for column in own}, place
    assert seen == set(topic.sent)
    return table


def event(number: int, **more: object) -> dict:
    return {"id": number, "region": ("US", "EU", "ASIA")[number % 3], "timestamp": NOW + number, **more}


BASE = {"id": "int", "region": "string", "timestamp": TIMESTAMP}


def commits_with_metadata(world: Shopstream) -> list[int]:
    versions = []
    for entry in sorted((world.lake / "bronze-events/_delta_log").glob("*.json")):
        if any("metaData" in json.loads(line) for line in entry.read_text().splitlines()):
            versions.append(int(entry.stem))
    return versions


def test_versions_interleave_and_two_consumers_each_meet_another_new_field(shopstream: Shopstream) -> None:
    topic = Topic(shopstream)
    first = topic.register(**BASE, note="string")
    world = topic.world
    world.run("ingest", "--until-caught-up")  # Creates the table with the first version.
    left = topic.register(**BASE, note="string", left=["null", "string"])
    right = topic.register(**BASE, note="string", right="double")
    shorter = topic.register(id="long", region="string", timestamp=TIMESTAMP)  # int became long, note was removed.
    wrong = topic.register(**{**BASE, "id": "string"})
    members = [world.start("ingest", SHOPSTREAM_INGEST_BATCH_TIMEOUT_SECONDS="1") for _ in range(2)]
    wait_until(lambda: len(assigned(world)) == 2, 40, "two members of the group")
    for number in range(0, 600, 6):
        topic.send(first, [event(number, note="a")], number % 3)
        topic.send(left, [event(number + 1, note="b", left=None if number % 4 else "l")], 0)
        topic.send(right, [event(number + 2, note="c", right=number / 2)], 1)
        topic.send(shorter, [{**event(number + 3), "id": number + (1 << 40)}], 2)
        topic.send(right, [event(number + 4, note="d", right=-1.5)], 2)
    topic.send(wrong, [{**event(7), "id": "seven"}], 0, readable=False)
    topic.flush()
    wait_until(lambda: rows(world) == len(topic.sent), 60, "all rows")
    wait_until(lambda: rows(world, "bronze-quarantine") == 1, 30, "the record that no column holds")
    for member in members:
        assert member.stop() == 0, member.words()
    table = expect_every_value(topic)
    assert table.schema.field("right").type == pa.float64() and table.schema.field("id").type == pa.int64()
    assert world.json("audit")["clean"]
    refused = world.json("quarantine", "list")["rows"][0]
    assert refused["cause"] == "incompatible_schema"
    assert "TYPE_MISMATCH at /fields/0/type" in refused["detail"], refused
    # One entry created the table; each growth came with rows.
    for version in commits_with_metadata(world)[1:]:
        entry = (world.lake / f"bronze-events/_delta_log/{version:020}.json").read_text()
        assert '"add"' in entry, "a column came without rows"


def assigned(world: Shopstream) -> set[str]:
    described = world.json("group", "describe")
    return {row["member"] for row in described if row.get("member")}


def test_growth_survives_kills_at_random_moments(shopstream: Shopstream) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    topic = Topic(shopstream)
    fields = dict(BASE)
    writers = [(topic.register(**fields), [])]
    members = {number: start_member(shopstream, number) for number in range(2)}
    number = 0
    for kill in range(8):
        name = f"field_{kill}"
        fields = {**BASE, name: "string"} if kill % 2 else {**fields, name: "string"}
        writers.append((topic.register(**fields), [f for f in fields if f not in BASE]))
        for _ in range(60):
            writer, extra = chance.choice(writers)
            topic.send(writer, [event(number, **{f: f"{f} {number}" for f in extra})], chance.randrange(3))
            number += 1
        topic.flush()
        time.sleep(chance.uniform(0.05, 0.7))  # Kill at a random time.
        member = chance.choice(list(members))
        members[member].kill()
        members[member] = start_member(shopstream, member)
    wait_until(lambda: rows(shopstream) == len(topic.sent), 90, "all rows")
    for member in members.values():
        assert member.stop() == 0, member.words()
    expect_every_value(topic)
    assert shopstream.json("audit")["clean"]


def start_member(world: Shopstream, number: int) -> Running:
    return world.start("ingest", SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID=f"member-{number}", **EAGER)


def outcomes(summary: list[dict]) -> dict[str, int]:
    return {row["outcome"] if row["cause"] is None else row["cause"]: row["records"] for row in summary}


def test_replays_killed_and_two_at_once_bring_each_record_once(shopstream: Shopstream) -> None:
    """The schema of half the records is registered after they were quarantined."""
    topic = Topic(shopstream, "Late")  # Unique, so that the next schema has the next id.
    known, schema = topic.register(**BASE)
    to_come = {**schema, "fields": [*schema["fields"], {"name": "extra", "type": "string"}]}
    for partition in range(3):
        topic.send((known, schema), [event(n) for n in range(400)], partition)
        topic.send((known + 1, to_come), [event(n, extra=f"e{n}") for n in range(1000)], partition)
        topic.send((known, schema), [event(n) for n in range(400, 800)], partition)
    topic.send((known, schema), [{**event(1), "region": "MARS"}], 0, readable=False)
    topic.flush()
    shopstream.run("ingest", "--until-caught-up")
    assert rows(shopstream, "bronze-quarantine") == 3001
    assert outcomes(shopstream.json("quarantine", "replay")) == {
        "replayed": 0, "already_there": 0, "unknown_schema": 3000, "unknown_region": 1}

    assert topic.register(**BASE, extra="string")[0] == known + 1, "the registry numbered otherwise"
    ingest = shopstream.start("ingest", **EAGER)
    chance = random.Random(7)
    replay = "quarantine", "replay", "--batch", 40
    for _ in range(6):
        running = [shopstream.start(*replay) for _ in range(2)]
        topic.send((known, schema), [event(n) for n in range(100)], chance.randrange(3))
        topic.flush()
        time.sleep(chance.uniform(0.05, 0.6))  # Kill at a random time.
        for process in running:
            process.kill()
    last = [shopstream.start(*replay) for _ in range(2)]
    for process in last:
        assert process.wait(90) == 0, process.words()
    wait_until(lambda: rows(shopstream) == len(topic.sent), 60, "all rows")
    assert ingest.stop() == 0, ingest.words()
    assert outcomes(shopstream.json("quarantine", "replay")) == {
        "replayed": 0, "already_there": 3000, "unknown_region": 1}
    expect_every_value(topic)
    assert rows(shopstream, "bronze-quarantine") == 3001, "quarantine keeps its rows"
    report = shopstream.json("audit")
    assert report["clean"], report
    assert sum(partition["replayed_rows"] for partition in report["partitions"]) == 3000
    # A real duplicate next to the replayed ones is still found.
    with_double = bronze(shopstream).to_pyarrow_table(filters=[("schema_id", "=", known + 1)]).slice(0, 1)
    write_deltalake(str(shopstream.lake / "bronze-events"), with_double, mode="append")
    found = shopstream.json("audit", expect=3)["differences"]
    assert [difference["difference"] for difference in found] == ["twice_in_bronze"], found


def test_any_event_beside_purchases_and_values_beyond_the_bound_come_back(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 500, "--seed", 1)
    shopstream.run("ingest", "--until-caught-up")
    shopstream.topic += "-readings"
    topic = Topic(shopstream, "Reading")
    writer = topic.register(sensor="string", site="string", measured_at=TIMESTAMP, celsius=["null", "float"])
    settings = {"SHOPSTREAM_LAKE_BRONZE_TABLE": "readings", "SHOPSTREAM_LAKE_QUARANTINE_TABLE": "readings-quarantine",
                "SHOPSTREAM_INGEST_PARTITION_FIELD": "site", "SHOPSTREAM_INGEST_PARTITION_VALUES": "",
                "SHOPSTREAM_INGEST_MAX_PARTITION_VALUES": "3", "SHOPSTREAM_INGEST_EVENT_TIME_FIELD": "measured_at"}
    sites = ["north/1", "süd", "east coast", "west", "attic"]
    for number in range(100):
        topic.send(writer, [{"sensor": f"s{number % 7}", "site": sites[number % 5], "measured_at": NOW + number,
                             "celsius": None if number % 9 == 0 else number / 2}], 0)
    topic.flush()
    shopstream.run("ingest", "--until-caught-up", **settings)
    assert rows(shopstream, "readings") == 60 and rows(shopstream, "readings-quarantine") == 40
    listed = shopstream.json("quarantine", "list", **settings)
    assert listed["by_cause"] == [{"cause": "unknown_region", "rows": 40}]
    assert "ingest.max_partition_values" in listed["rows"][0]["detail"]
    assert outcomes(shopstream.json("quarantine", "replay", **settings)) == {
        "replayed": 0, "already_there": 0, "unknown_region": 40}
    settings["SHOPSTREAM_INGEST_MAX_PARTITION_VALUES"] = "5"
    assert outcomes(shopstream.json("quarantine", "replay", **settings)) == {"replayed": 40, "already_there": 0}
    table = expect_every_value(topic, "readings")
    assert set(table["site"].to_pylist()) == set(sites)
    assert shopstream.json("audit", **settings)["clean"]
    assert rows(shopstream) == 500, "the purchases are as they were"


def test_a_table_that_another_writer_harmed_stops_ingest(shopstream: Shopstream) -> None:
    topic = Topic(shopstream)
    writer = topic.register(**BASE, note="string")
    topic.send(writer, [event(n, note="x") for n in range(10)], 0)
    topic.flush()
    shopstream.run("ingest", "--until-caught-up")
    path = shopstream.lake / "bronze-events"
    table = bronze(shopstream)
    write_deltalake(str(path), table.to_pyarrow_table().drop_columns(["note"]), mode="overwrite",
                    schema_mode="overwrite", partition_by=["region", "date"])
    topic.send(writer, [event(11, note="y")], 0)
    topic.flush()
    stopped = shopstream.run("ingest", "--until-caught-up", expect=1)
    assert "note" in stopped.stderr and "column" in stopped.stderr, stopped.stderr
