"""Topics of random schemas, with every type that Avro has: each is ingested with nothing set but its name, by Kafka's
timestamp and without partition fields, and again partitioned by one of its own fields. Every value is read back."""

import json
import math
import random
import struct
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from deltalake import DeltaTable

import avro_mapping
import soak
from avro_generator import Generator, kind, text
from settings import set_flags
from shopstream import Shopstream
from table_values import as_numbers, plain

SCHEMAS, RECORDS, AT_ONCE = 200 if soak.LONG else 25, 5, 4
PARTITIONS = {"string", "enum", "boolean", "int", "long"}  # Kinds that may partition, without a logical type.


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isnan(one) and math.isnan(other)
    return type(one) is type(other) and one == other


class Topic:
    """One schema, by default a random one, with its records."""

    def __init__(self, world: Shopstream, seed: int, schema: dict | None = None, records: int = RECORDS):
        self.world, self.seed = world, seed
        self.name = f"any-{seed}-{uuid.uuid4().hex[:8]}"
        self.draw = Generator(seed)
        self.schema = schema or self.draw.writer()
        values = [self.draw.value(self.schema) for _ in range(records)]
        self.bodies = [self.draw.encode(value, self.schema) for value in values]
        self.rows = [avro_mapping.row(avro_mapping.with_hex(avro_mapping.listed(value)), self.schema) for value in values]
        fields = [field["name"] for field in self.schema["fields"]
                  if kind(field["type"]) in PARTITIONS and "logicalType" not in field["type"]]
        self.partition = random.Random(seed).choice(fields) if fields else ""

    def send(self, producer: Producer, schema_id: int) -> None:
        for body in self.bodies:
            producer.produce(self.name, struct.pack(">bI", 0, schema_id) + body)

    def check(self, partition: str) -> str | None:
        """What is wrong."""
        table = f"{self.name}-by-{partition}" if partition else self.name
        settings = {"kafka.topic": self.name, "kafka.group": table, "lake.bronze_table": table,
                    "lake.quarantine_table": f"{table}-q", "ingest.partition_field": partition,
                    "ingest.event_time_field": "", "ingest.maintenance": "false"}
        sets = set_flags(settings)
        done = self.world.run(*sets, "ingest", "--until-caught-up", expect=None, timeout=60)
        if done.returncode != 0:
            return f"{done.stderr}"
        found = as_numbers(DeltaTable(str(self.world.lake / table)).to_pyarrow_table()).sort_by("kafka_offset")
        # A field with the name of one of Bronze's own columns is renamed there.
        described = json.loads(self.world.run(*sets, "--json", "table", "describe", table).stdout)
        columns = {column["field"]: column["column"] for column in described["columns"] if column["field"]}
        rows = [{name: plain(row[columns[name]], found.schema.field(columns[name]).type) for name in self.rows[0]}
                for row in found.to_pylist(maps_as_pydicts=None)]
        expected = self.rows
        if partition:  # Delta has no empty text as a partition value.
            expected = [row | {partition: None if row[partition] == "" else row[partition]} for row in self.rows]
        return None if same(rows, expected) else f"{rows}\nexpected\n{expected}\n{done.stdout}"

    def failures(self) -> list[str]:
        wrong = {partition: self.check(partition) for partition in {"", self.partition}}
        return [f"seed {self.seed}, partitioned by {partition or 'date'}: {json.dumps(text(self.schema))}\n{why}"
                for partition, why in wrong.items() if why is not None]


@pytest.mark.soak
def test_any_schema_becomes_a_table_with_every_value(shopstream: Shopstream) -> None:
    topics = [Topic(shopstream, seed) for seed in range(SCHEMAS)]
    servers = {"bootstrap.servers": shopstream.cluster.bootstrap_servers, "log_level": 0}
    admin = AdminClient(servers)  # Its requests end with it.
    created = admin.create_topics([NewTopic(topic.name, 1, 1) for topic in topics])
    registry = SchemaRegistryClient({"url": shopstream.cluster.registry_url})
    producer = Producer(servers | {"linger.ms": 2})
    for topic in topics:
        created[topic.name].result(20)
        schema_id = registry.register_schema(f"{topic.name}-value", Schema(json.dumps(text(topic.schema)), "AVRO"))
        topic.send(producer, schema_id)
    assert producer.flush(20) == 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [why for topic_failures in pool.map(Topic.failures, topics) for why in topic_failures]
    assert not failures, f"{len(failures)} of {SCHEMAS} schemas\n" + "\n".join(failures[:5])
