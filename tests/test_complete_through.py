"""Through when Bronze has everything that Kafka held, on real brokers."""

import datetime
import json
import time

from confluent_kafka import Consumer, Producer, TopicPartition

from shopstream import Shopstream
from waiting import wait_until

BRONZE = "bronze-events"
PROMPT = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


def complete_through(world: Shopstream) -> float:
    """In seconds since 1970."""
    text = world.json("table", "describe", BRONZE)["complete_through"]
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def versions(world: Shopstream) -> int:
    return world.json("table", "describe", BRONZE)["version"]


def value_of_a_record(world: Shopstream) -> bytes:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "none", "log_level": 0})
    consumer.assign([TopicPartition(world.topic, partition, 0) for partition in range(3)])
    message = wait_until(lambda: consumer.poll(1), 30, "a record")
    consumer.close()
    return message.value()


def produce(world: Shopstream, partition: int, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})
    producer.produce(world.topic, value, partition=partition)
    assert producer.flush(30) == 0


def test_an_idle_partition_does_not_hold_back_the_time(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    shopstream.run("generate", "--count", 300)
    started = time.time()
    shopstream.json("ingest", "--until-caught-up", timeout=120)
    first = complete_through(shopstream)
    assert started - 1 <= first <= time.time()
    assert "complete through 20" in shopstream.run("table", "describe", BRONZE).stdout

    # What Kafka gets while nobody ingests is not in the lake, and the lake does not say so.
    value = value_of_a_record(shopstream)
    produce(shopstream, 0, value)
    produced = time.time()
    assert complete_through(shopstream) == first
    shopstream.start("ingest", **PROMPT)

    # Only one partition of three gets anything.
    wait_until(lambda: produce(shopstream, 0, value) or complete_through(shopstream) > produced, 40,
               "the time passes the record", interval=0.5)


def test_catching_up_with_nothing_new_costs_no_commit_within_a_minute(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    shopstream.run("generate", "--count", 30)
    shopstream.json("ingest", "--until-caught-up", timeout=120)
    before = versions(shopstream)
    summary = shopstream.json("ingest", "--until-caught-up", timeout=120)
    assert versions(shopstream) == before, json.dumps(summary)
