"""`consume --filter`: a condition in SQL over decoded records; Python decides independently what matches."""

import io
import json
import re
import signal
from collections.abc import Callable
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from shopstream import Shopstream
from waiting import wait_until

Record = dict[str, Any]
ALL = ("-o", "start", "-e")


def consumed(world: Shopstream, *arguments: object) -> list[Record]:
    return [json.loads(line) for line in world.run("consume", *ALL, *arguments).stdout.splitlines()]


def places(records: list[Record]) -> list[tuple[int, int]]:
    return sorted((record["partition"], record["offset"]) for record in records)


@pytest.fixture
def purchases(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 400, "--seed", 7, "--malformed-share", 0.05)
    return shopstream


def test_exactly_the_records_for_which_the_condition_is_true_are_printed(purchases: Shopstream) -> None:
    everything = consumed(purchases)
    good = [record for record in everything if record.get("value")]
    assert 300 < len(good) < len(everything) == 400
    key = good[0]["key"]
    sent = sorted(record["timestamp"] for record in good)[200]
    expected: dict[str, Callable[[Record], Any]] = {
        "amount > 100": lambda r: r.get("value") and r["value"]["amount"] > 100,
        "region = 'EU' AND quantity >= 2 -- big ones":
            lambda r: r.get("value") and r["value"]["region"] == "EU" and r["value"]["quantity"] >= 2,
        "partition = 1 and OFFSET between 10 and 20": lambda r: r["partition"] == 1 and 10 <= r["offset"] <= 20,
        "kafka_partition = 1 AND kafka_offset < 5": lambda r: r["partition"] == 1 and r["offset"] < 5,
        f"key = '{key}'": lambda r: r["key"] == key,
        f"kafka_timestamp >= '{sent}'": lambda r: r["timestamp"] >= sent,
        "timestamp < kafka_timestamp": lambda r: r.get("value") and r["value"]["timestamp"] < r["timestamp"],
        "lower(product_name) LIKE '%a%' OR amount > 1e6": lambda r: r.get("value") and "a" in r["value"]["product_name"].lower(),
        # What cannot be decoded has no field, and is found by what every record has.
        "event_id IS NULL": lambda r: not r.get("value"),
        "amount > 100 IS NOT TRUE AND partition = 2": lambda r: r["partition"] == 2 and not (
            r.get("value") and r["value"]["amount"] > 100),
        "false": lambda r: False,
    }
    for condition, is_wanted in expected.items():
        wanted = [record for record in everything if is_wanted(record)]
        assert condition == "false" or wanted, condition
        found = consumed(purchases, "--filter", condition)
        assert places(found) == places(wanted), condition
        assert all(record in everything for record in found)
    both = consumed(purchases, "--filter", "amount > 100", "--key", key)
    assert places(both) == places([r for r in good if r["key"] == key and r["value"]["amount"] > 100])


def test_the_answer_states_what_was_searched(purchases: Shopstream) -> None:
    done = purchases.run("consume", *ALL, "--filter", "amount > 1e9")
    assert done.stdout == ""
    ends = {p["partition"]: p["end"] for p in purchases.json("group", "describe")}
    assert "0 of 400 records match, read to the end" in done.stderr, done.stderr
    assert all(f"{partition}: offsets 0 to {end - 1}" in done.stderr for partition, end in ends.items()), done.stderr
    done = purchases.run("consume", *ALL, "--filter", "amount > 0", "-n", 3)
    assert len(done.stdout.splitlines()) == 3
    assert "3 of " in done.stderr and "and more may follow (--max)" in done.stderr, done.stderr
    found = [json.loads(line) for line in purchases.run("consume", "-o", -10, "-p", 1, "--filter", "amount > 0").stdout.splitlines()]
    assert all(r["partition"] == 1 and r["offset"] >= ends[1] - 10 for r in found) and found


def test_a_wrong_condition_is_refused_before_anything_is_read(purchases: Shopstream) -> None:
    for condition, reason in {
        "amout > 100": 'Referenced column "amout" not found',
        "amount >": "syntax error",
        "amount > 100; SELECT 1": "is not valid SQL",
        "amount": "is not a condition: its type is double",
        "count(*) > 1": "aggregate",
        "amount > 'much'": "much",
        "region + 1 = 2": "+",
        "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0": "has a SELECT in it",
        "timestamp > now()": "write the value itself",
        "amount > 1 AS x": "syntax error",
    }.items():
        done = purchases.run("consume", *ALL, "--filter", condition, expect=1)
        assert reason in done.stderr and done.stdout == "" and "reading" not in done.stderr, (condition, done.stderr)
        assert done.stderr.count("\n") == 1, done.stderr
    done = purchases.run("consume", *ALL, "--filter", "amout > 100", expect=1)
    assert f"subject {purchases.topic}-value" in done.stderr and "partition, offset, timestamp, key" in done.stderr


def test_a_followed_topic_shows_what_matches(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 50, "--seed", 7)
    before = consumed(shopstream)
    running = shopstream.start("consume", "--filter", "region = 'US'")
    wait_until(lambda: running.says("press Ctrl-C to stop"), 30, "consume reads")
    shopstream.run("generate", "--count", 200, "--seed", 8)
    after = [r for r in consumed(shopstream, "--filter", "region = 'US'") if r not in before]
    wait_until(lambda: running.output.read_text().count("\n") == len(after), 30, "every match was printed")
    lines = [json.loads(line) for line in running.output.read_text().splitlines()]
    assert places(lines) == places(after)
    assert all(r["value"]["region"] == "US" for r in lines)
    running.signal(signal.SIGINT)
    assert running.wait(20) == 0, running.words()
    # It may have been stopped before it had read the last records, none of which matches.
    assert re.search(rf"\b{len(lines)} of [0-9,]+ records match, stopped", running.words()), running.words()


# ---- topics of other records

def plain_topic(world: Shopstream) -> Producer:
    admin = AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(world.topic, 1, 1)])[world.topic].result(30)
    return Producer({"bootstrap.servers": world.cluster.bootstrap_servers})


def fields(**types: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Item", "fields": [
        {"name": name, "type": of, **({"default": None} if isinstance(of, list) else {})} for name, of in types.items()]}


def framed(world: Shopstream, subject: str, schema: dict[str, Any], value: Record) -> bytes:
    client = SchemaRegistryClient({"url": world.cluster.registry_url})
    identifier = client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return b"\0" + identifier.to_bytes(4, "big") + out.getvalue()


def test_versions_of_a_schema_are_filtered_together(shopstream: Shopstream) -> None:
    subject = f"{shopstream.topic}-value"
    size = {"type": "record", "name": "Size", "fields": [{"name": "width", "type": "int"}]}
    first = fields(name="string", old=["null", "int"], offset="int")
    second = fields(name="string", discount=["null", "double"], offset="int", size=["null", size])
    producer = plain_topic(shopstream)
    values = [(first, {"name": "a", "old": 1, "offset": 70}), (first, {"name": "b", "old": None, "offset": 71}),
              (second, {"name": "c", "discount": 9.5, "offset": 72, "size": {"width": 3}}),
              (second, {"name": "d", "discount": None, "offset": 73, "size": None})]
    for schema, value in values:
        producer.produce(shopstream.topic, framed(shopstream, subject, schema, value))
    producer.produce(shopstream.topic, b"no frame", key="x")
    producer.produce(shopstream.topic, None, key="y")
    assert producer.flush(30) == 0

    def offsets(condition: str) -> list[int]:
        return [record["offset"] for record in consumed(shopstream, "--filter", condition)]

    assert offsets("discount > 5") == [2]
    assert offsets("discount IS NULL AND name IS NOT NULL") == [0, 1, 3]
    assert offsets("old = 1 OR discount > 5") == [0, 2], "each is in another version"
    assert offsets("size.width = 3") == [2]
    assert offsets("offset >= 72") == [2, 3], "the record's own field hides Kafka's offset"
    assert offsets("kafka_offset >= 4") == [4, 5]
    assert offsets("schema_id IS NULL AND key = 'y'") == [5]
    refused = shopstream.run("consume", *ALL, "--filter", "olf = 1", expect=1)
    assert '"olf" not found' in refused.stderr, refused.stderr


def test_a_topic_without_a_subject_is_filtered_by_what_its_records_have(shopstream: Shopstream) -> None:
    producer = plain_topic(shopstream)
    for number, key in enumerate("aab"):
        producer.produce(shopstream.topic, f"text {number}", key=key)
    others = f"{shopstream.topic}-others"
    producer.produce(shopstream.topic, framed(shopstream, others, fields(name="string"), {"name": "n"}))
    assert producer.flush(30) == 0
    assert places(consumed(shopstream, "--filter", "key = 'a'")) == [(0, 0), (0, 1)]
    assert places(consumed(shopstream, "--filter", "name = 'n'")) == [(0, 3)]
    done = shopstream.run("consume", *ALL, "--filter", "nmae = 'n'")
    assert done.stdout == ""
    assert 'No record that was read has the fields of the filter: ' in done.stderr and '"nmae"' in done.stderr, done.stderr
    assert "syntax error" in shopstream.run("consume", *ALL, "--filter", "nmae =", expect=1).stderr
