"""A topic of two record types, each in its own table: ingest is killed while it runs, and afterwards an audit and an
independent reader find every record exactly once, in the table of its type."""

import json
import random
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from deltalake import DeltaTable

from shopstream import Running, Shopstream
from waiting import wait_until

BRONZE, PAID, QUARANTINE = "bronze-events", "bronze-events-shop-paid", "bronze-quarantine"
PLACED_SCHEMA = {"type": "record", "name": "Placed", "namespace": "shop", "fields": [
    {"name": "n", "type": "long"}, {"name": "store", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}
# It has neither the partition field nor the event time.
PAID_SCHEMA = {"type": "record", "name": "Paid", "namespace": "shop", "fields": [
    {"name": "n", "type": "long"}, {"name": "sum", "type": "double"}]}
SETTINGS = {"SHOPSTREAM_INGEST_RECORD_TYPES": "each", "SHOPSTREAM_REGISTRY_SUBJECT_STRATEGY": "topic_record",
            "SHOPSTREAM_INGEST_PARTITION_FIELD": "store", "SHOPSTREAM_INGEST_PARTITION_VALUES": "",
            "SHOPSTREAM_INGEST_EVENT_TIME_FIELD": "at", "SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID": "member",
            "SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


class Orders:
    """Produces records of both types alternately."""

    def __init__(self, world: Shopstream):
        servers = {"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0}
        admin = AdminClient(servers)  # Its requests end with it.
        admin.create_topics([NewTopic(world.topic, 3, 1)])[world.topic].result(20)
        registry = SchemaRegistryClient({"url": world.cluster.registry_url})
        strategy = {"subject.name.strategy": topic_record_subject_name_strategy}
        self.placed = AvroSerializer(registry, json.dumps(PLACED_SCHEMA), conf=strategy)
        self.paid = AvroSerializer(registry, json.dumps(PAID_SCHEMA), conf=strategy)
        self.topic, self.producer, self.sent = world.topic, Producer(servers | {"linger.ms": 2}), 0

    def send(self, count: int) -> None:
        context = SerializationContext(self.topic, MessageField.VALUE)
        for n in range(self.sent, self.sent + count):
            if n % 2 == 0:
                value = self.placed({"n": n, "store": f"store {n % 5}", "at": 1_760_000_000_000 + n}, context)
            else:
                value = self.paid({"n": n, "sum": n / 4}, context)
            # The first record, which decides what Bronze is, is the first of the first partition.
            self.producer.produce(self.topic, value, partition=n // 2 % 3)
        self.sent += count
        assert self.producer.flush(20) == 0


def numbers(world: Shopstream, name: str) -> list[int]:
    """What delta-rs reads, in order."""
    if not any((world.lake / name / "_delta_log").glob("*.json")):
        return []
    return sorted(DeltaTable(str(world.lake / name)).to_pyarrow_table(columns=["n"])["n"].to_pylist())


def test_each_record_is_in_its_types_table_once_after_kills(shopstream: Shopstream) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    orders = Orders(shopstream)
    orders.send(20)

    def start() -> Running:
        return shopstream.start("ingest", **SETTINGS)

    ingest = start()
    wait_until(lambda: len(numbers(shopstream, PAID)) > 0, 60, "both tables are there")
    for _ in range(12):
        orders.send(100)
        time.sleep(chance.uniform(0.02, 0.6))  # Kill at a random time.
        ingest.kill()
        ingest = start()
    orders.send(100)
    ingest.kill()
    shopstream.run("ingest", "--until-caught-up", timeout=150, **SETTINGS)

    assert numbers(shopstream, BRONZE) == list(range(0, orders.sent, 2))
    assert numbers(shopstream, PAID) == list(range(1, orders.sent, 2))
    quarantine = DeltaTable(str(shopstream.lake / QUARANTINE)).to_pyarrow_table()
    assert quarantine.num_rows == 0, quarantine.to_pylist()[:3]
    report = shopstream.json("audit")
    assert report["clean"] and sum(p["bronze_rows"] for p in report["partitions"]) == orders.sent, report
    for command in ("verify", "optimize", "describe"):
        shopstream.run("table", command, PAID)
    assert len(numbers(shopstream, PAID)) == orders.sent // 2
    sums = DeltaTable(str(shopstream.lake / PAID)).to_pyarrow_table(columns=["n", "sum"]).to_pylist()
    assert all(row["sum"] == row["n"] / 4 for row in sums)

    # The records of a type must not be divided between its table and quarantine.
    one = SETTINGS | {"SHOPSTREAM_INGEST_RECORD_TYPES": "one"}
    refused = shopstream.run("ingest", "--until-caught-up", expect=1, **one)
    assert "shop.Paid (bronze-events-shop-paid)" in refused.stderr, refused.stderr
