"""Anything a producer may send: values, keys, headers, timestamps and partition values of every kind go through real
Kafka and real ingest, and every reader finds each record exactly once and unchanged."""

import dataclasses
import io
import json
import random
import string
import struct
import time
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from deltalake import DeltaTable

import soak
from every_reader import answers
from shopstream import Shopstream

BRONZE, QUARANTINE = "bronze-events", "bronze-quarantine"
MOST_OPEN = 40
SETTINGS = {"SHOPSTREAM_INGEST_PARTITION_FIELD": "place", "SHOPSTREAM_INGEST_PARTITION_VALUES": "",
            "SHOPSTREAM_INGEST_MAX_PARTITION_VALUES": "1000", "SHOPSTREAM_INGEST_EVENT_TIME_FIELD": "at",
            "SHOPSTREAM_INGEST_MAX_OPEN_PARTITIONS": str(MOST_OPEN)}
SCHEMA = {"type": "record", "name": "Anything", "fields": [
    {"name": "number", "type": "long"}, {"name": "place", "type": ["null", "string"]},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}}, {"name": "note", "type": "string"}]}
# The same bytes without the writer's rules for times.
PLAIN = fastavro.parse_schema(SCHEMA | {"fields": [
    field | {"type": field["type"]["type"]} if isinstance(field["type"], dict) else field
    for field in SCHEMA["fields"]]})

DAY = 86_400_000
YEAR_1, YEAR_2000, LAST = -62_135_596_800_000, 946_684_800_000, 253_402_300_799_999
FIRST_DAY, LAST_DAY = -719_162, 2_932_896
NO_TIMESTAMP = -1
PLAIN_BYTES = string.ascii_letters + string.digits + "-_."
PLACES = [None, "", " ", "  ", "US", "R&D", "été", "日本", "😀", "..", ".", "/", "a/b", "a=b", "=", "%", "%41", "%2F", "100%",
          "a\nb", "\t", "\x00", "\x01\x7f", "\u200b", "\ufeff", "'", "\"", "\\", "null", "NULL", "None", "~", "#?&;:",
          "__HIVE_DEFAULT_PARTITION__", "__hive_default_partition__", "x" * 194, "x" * 195, "é" * 32, "é" * 33, "%" * 64, "%" * 65,
          "x" * 255, "x" * 1024, "x" * 1025, "é" * 512, "2025-10-24", "CON", "-", "$( )!"]


@dataclasses.dataclass
class Sent:
    """A record as it was sent. `row`: its row in Bronze; None: it must be in quarantine."""
    value: bytes | None
    key: bytes | None
    row: dict[str, Any] | None
    either: bool = False  # Bytes that may happen to be a row.


class Source:
    def __init__(self, world: Shopstream, seed: int):
        self.world, self.chance, self.number = world, random.Random(seed), 0
        self.sent: dict[tuple[int, int], Sent] = {}
        self.producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "acks": "all", "linger.ms": 2,
                                  "log_level": 0})
        world.run("topics", "setup")
        # By default Kafka rejects times that are more than an hour ahead.
        # A broker that recompresses rejects times before 1970.
        wanted = {"message.timestamp.after.max.ms": str(2**63 - 1), "compression.type": "producer"}
        resource = ConfigResource(ConfigResource.Type.TOPIC, world.topic, incremental_configs=[
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()])
        admin = AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(timeout=20)
        registry = SchemaRegistryClient({"url": world.cluster.registry_url})
        self.schema_id = registry.register_schema(f"{world.topic}-value", Schema(json.dumps(SCHEMA), "AVRO"))

    def send(self, sent: Sent, partition: int, timestamp: int, headers: list | None = None) -> None:
        def delivered(error: Any, message: Any) -> None:
            assert error is None, error
            self.sent[message.partition(), message.offset()] = sent

        self.producer.produce(self.world.topic, sent.value, sent.key, partition, on_delivery=delivered,
                              timestamp=timestamp, headers=headers)
        self.producer.poll(0)

    def frame(self, row: dict[str, Any]) -> bytes:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, PLAIN, row)
        return struct.pack(">bI", 0, self.schema_id) + body.getvalue()

    def send_any(self) -> None:
        pick = self.chance.choice
        key = pick([None, b"", b"42", self.chance.randbytes(9), b"\xff\x00", "é😀".encode(), b"k" * 20_000])
        headers = pick([None, [], [("", b"")], [("h", None), ("h", b"\xff\xfe")], [("é" * 50, self.chance.randbytes(300))]])
        timestamp = self.timestamp()
        row = {"number": self.number, "place": pick(PLACES), "at": self.event_time(timestamp), "day": self.day(),
               "note": pick(["", "a", "é\x00😀", "n" * 3000])}
        self.number += 1
        value = self.frame(row)
        sent = Sent(value, key, row if expected(row, timestamp) else None)
        kind = self.chance.random()
        if kind < 0.25:
            sent = self.damaged(value, key)
        self.send(sent, self.chance.randrange(3), timestamp, headers)

    def damaged(self, value: bytes, key: bytes | None) -> Sent:
        noise = self.chance.randbytes(self.chance.randrange(1, 60))
        at = self.chance.randrange(5, len(value))
        flipped = value[:at] + bytes([value[at] ^ 1 << self.chance.randrange(8)]) + value[at + 1:]
        unknown = value[:1] + struct.pack(">I", self.chance.randrange(2**31 - 4, 2**31)) + value[5:]
        return self.chance.choice([
            Sent(None, key, None), Sent(b"", key, None), Sent(b"\x01" + noise, key, None), Sent(b"\x00", key, None),
            Sent(value[:at], key, None), Sent(value + b"\x00", key, None), Sent(unknown, key, None),
            Sent(value[:5] + noise, key, None, either=True), Sent(flipped, key, None, either=True)])

    def timestamp(self) -> int:
        if self.chance.random() < 0.5:
            return int(time.time() * 1000)
        return self.chance.choice([NO_TIMESTAMP, 1, -2, YEAR_1, YEAR_1 - 1, YEAR_1 - 365 * 3 * DAY, LAST, LAST + 1,
                                   LAST + 400 * DAY, 2**55, YEAR_2000])

    def event_time(self, timestamp: int) -> int:
        some_day = self.chance.randrange(YEAR_2000, LAST)
        return self.chance.choice([YEAR_2000, YEAR_2000 - 1, 0, -1, LAST, LAST + 1, YEAR_1, YEAR_1 - 1, 2**62, -2**63,
                                   some_day] + [YEAR_2000 + self.chance.randrange(9000) * DAY] * 12)

    def day(self) -> int:
        return self.chance.choice([0, 20_000, FIRST_DAY, LAST_DAY] * 5 + [FIRST_DAY - 1, LAST_DAY + 1, 2**31 - 1, -2**31])


def folder_fits(place: str) -> bool:
    """A folder's name has at most 200 bytes; each escaped byte counts as three."""
    return len("place=") + sum(1 if chr(byte) in PLAIN_BYTES else 3 for byte in place.encode()) <= 200


def expected(row: dict[str, Any], timestamp: int) -> bool:
    """Whether it becomes a row under the rules of docs/lake.md."""
    place = row["place"] or ""
    in_years = timestamp == NO_TIMESTAMP or YEAR_1 <= timestamp <= LAST
    in_time = YEAR_2000 <= row["at"] <= LAST and (timestamp == NO_TIMESTAMP or row["at"] <= timestamp + DAY)
    return (in_years and in_time and FIRST_DAY <= row["day"] <= LAST_DAY and folder_fits(place)
            and place != "__HIVE_DEFAULT_PARTITION__")


def files_of_cuts(world: Shopstream, name: str) -> list[int]:
    """The number of files in each commit of ingest."""
    counts = []
    for entry in (world.lake / name / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in entry.read_text().splitlines()]
        if any("txn" in action for action in actions):
            counts.append(sum(1 for action in actions if "add" in action))
    return counts


def expect_each_once(source: Source, spark: Any) -> None:
    world = source.world
    bronze = answers(str(world.lake / BRONZE), ["kafka_partition", "kafka_offset", "number", "place"], spark)
    quarantine = answers(str(world.lake / QUARANTINE), ["kafka_partition", "kafka_offset"], spark)
    for reader, rows in bronze.items():
        found = {(row[0], row[1]): row[2:] for row in rows}
        refused = quarantine[reader]
        places = [*((row[0], row[1]) for row in rows), *refused]
        assert sorted(places) == sorted(source.sent), reader
        for place, sent in source.sent.items():
            if sent.row:
                assert found.get(place) == (sent.row["number"], sent.row["place"] or None), (reader, place, sent.row)
            elif not sent.either:
                assert place in set(refused), (reader, place, sent.value)
    kept = DeltaTable(str(world.lake / QUARANTINE)).to_pyarrow_table(
        columns=["kafka_partition", "kafka_offset", "key", "value"]).to_pylist()
    for row in kept:
        sent = source.sent[row["kafka_partition"], row["kafka_offset"]]
        assert (row["key"], row["value"]) == (sent.key, sent.value)


@pytest.mark.soak
def test_whatever_is_sent_is_found_once_by_every_reader(shopstream: Shopstream, spark: Any) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    source = Source(shopstream, seed)
    # The age of waiting records is unknown if the first one has no timestamp.
    for partition in range(3):
        row = {"number": -partition, "place": None, "at": YEAR_2000, "day": 0, "note": ""}
        source.send(Sent(source.frame(row), None, row), partition, NO_TIMESTAMP)
        assert source.producer.flush(30) == 0
    lags = shopstream.json("group", "describe")
    assert [(lag["lag"], lag["lag_seconds"]) for lag in lags] == [(1, None)] * 3

    for _ in range(soak.steps(300, 20_000)):
        source.send_any()
    assert source.producer.flush(60) == 0
    shopstream.run("ingest", "--until-caught-up", timeout=soak.steps(60, 1800), **SETTINGS)
    expect_each_once(source, spark)
    assert max(files_of_cuts(shopstream, BRONZE)) <= MOST_OPEN
    assert any(sent.row and not sent.row["place"] for sent in source.sent.values())

    listed = shopstream.json("quarantine", "list", "--limit", 20, **SETTINGS)
    for row in listed["rows"]:
        shopstream.run("quarantine", "show", row["partition"], row["offset"], **SETTINGS)
    summary = shopstream.json("quarantine", "replay", **SETTINGS)
    assert summary[0] == {"outcome": "replayed", "cause": None, "records": 0}, "ingest and replay disagree"
    for name in (BRONZE, QUARANTINE):
        shopstream.run("table", "verify", name, "--deep", timeout=120, **SETTINGS)
    assert shopstream.json("audit", **SETTINGS)["clean"]


def test_a_record_without_a_timestamp_comes_back_from_quarantine(shopstream: Shopstream) -> None:
    source = Source(shopstream, 0)
    for number, timestamp in enumerate([NO_TIMESTAMP, LAST + 1, YEAR_1 - 1, LAST, 2**55]):
        row = {"number": number, "place": "Mars", "at": YEAR_2000 + number * DAY, "day": 0, "note": ""}
        source.send(Sent(source.frame(row), None, row), 0, timestamp)
    assert source.producer.flush(30) == 0
    closed = SETTINGS | {"SHOPSTREAM_INGEST_PARTITION_VALUES": "Earth"}
    shopstream.run("ingest", "--until-caught-up", **closed)
    summary = shopstream.json("quarantine", "replay", **SETTINGS)
    found = {row["cause"] or row["outcome"]: row["records"] for row in summary}
    assert (found["replayed"], found["bad_timestamp"]) == (2, 3), summary
    rows = DeltaTable(str(shopstream.lake / BRONZE)).to_pyarrow_table(columns=["number", "kafka_timestamp"]).to_pylist()
    assert {row["number"]: row["kafka_timestamp"] is None for row in rows} == {0: True, 3: False}
    assert shopstream.json("audit", **SETTINGS)["clean"]
