"""The pipeline's guarantees, on real brokers: processes are killed, stopped and starved while it runs, and
afterwards an audit and independent readers find every record exactly once."""

import contextlib
import io
import random
import signal
import time
from collections.abc import Iterator

import fastavro
import polars
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from cluster import Cluster
from shopstream import Running, Shopstream
from waiting import wait_until

BRONZE, QUARANTINE = "bronze-events", "bronze-quarantine"
# Commits are as frequent as possible, so that a random moment is likely to hit one.
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}


def table(world: Shopstream, name: str = BRONZE) -> DeltaTable:
    return DeltaTable(str(world.lake / name))


def rows(world: Shopstream, name: str = BRONZE) -> int:
    """What delta-rs counts."""
    if not any((world.lake / name / "_delta_log").glob("*.json")):
        return 0
    return table(world, name).to_pyarrow_table(columns=["kafka_offset"]).num_rows


def catch_up(world: Shopstream, **settings: str) -> dict:
    return world.json("ingest", "--until-caught-up", timeout=150, **settings)


def expect_exactly_once(world: Shopstream, records: int) -> None:
    report = world.json("audit")
    assert report["clean"], report
    assert rows(world) + rows(world, QUARANTINE) == records == kafka_records(world)


@contextlib.contextmanager
def kafka_reader(world: Shopstream) -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "independent",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "auto.offset.reset": "earliest", "log_level": 0})
    try:
        yield consumer
    finally:
        consumer.close()


def read_kafka(world: Shopstream) -> list:
    """Every message of the topic."""
    with kafka_reader(world) as consumer:
        partitions = consumer.list_topics(world.topic, timeout=20).topics[world.topic].partitions
        consumer.assign([TopicPartition(world.topic, p, 0) for p in partitions])
        messages, ended = [], set()
        deadline = time.monotonic() + 60
        while len(ended) < len(partitions):
            assert time.monotonic() < deadline, f"read {len(messages)} messages, then no more came"
            for message in consumer.consume(10000, timeout=1):
                if message.error():
                    ended.add(message.partition())
                else:
                    messages.append(message)
        return messages


def kafka_records(world: Shopstream) -> int:
    return len(read_kafka(world))


def admin(world: Shopstream) -> AdminClient:
    return AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})


@pytest.fixture
def topic(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    return shopstream


def test_thirty_kills_under_load_lose_and_double_nothing(topic: Shopstream) -> None:
    """Up to three consumers; static members, so that a new process takes over from a killed one."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    producer = topic.start("generate", "--rate", 3000, "--malformed-share", 0.02)

    def start(member: int) -> Running:
        return topic.start("ingest", SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID=f"member-{member}", **EAGER)

    members = {member: start(member) for member in range(3)}
    for _ in range(32):
        time.sleep(chance.uniform(0.05, 0.9))  # Kill at a random time.
        member = chance.randrange(3)
        members[member].kill()
        members[member] = start(member)
    wait_until(lambda: rows(topic) > 0, 60, "something is committed between the kills")
    assert producer.stop() == 0, producer.words()
    for running in members.values():
        running.kill()
    catch_up(topic, SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID="member-0")
    expect_exactly_once(topic, kafka_records(topic))


def test_consumers_come_and_go_without_a_trace(topic: Shopstream) -> None:
    """Clean stops and cooperative rebalances under load."""
    producer = topic.start("generate", "--rate", 3000)
    members = [topic.start("ingest", **EAGER)]
    wait_until(lambda: rows(topic) > 0, 60, "the first member commits")
    members += [topic.start("ingest", **EAGER) for _ in range(2)]
    wait_until(lambda: len(topic.json("group", "describe")) == 3 and
               len({p["member"] for p in topic.json("group", "describe")}) == 3, 60, "each member has a partition")
    for member in members[:2]:
        assert member.stop() == 0, member.words()
    before = rows(topic)
    wait_until(lambda: rows(topic) > before, 60, "the last member goes on alone")
    assert producer.stop() == 0, producer.words()
    assert members[2].stop() == 0, members[2].words()
    catch_up(topic)
    expect_exactly_once(topic, kafka_records(topic))


def test_a_consumer_frozen_past_its_session_is_refused(topic: Shopstream) -> None:
    """Its rows are buffered when it freezes; another one reads and commits them; then it resumes."""
    topic.run("generate", "--count", 3000, "--seed", 1)
    frozen = topic.start("ingest", SHOPSTREAM_INGEST_BATCH_SIZE="1000000", SHOPSTREAM_INGEST_BATCH_TIMEOUT_SECONDS="8",
                         SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0")
    wait_until(lambda: "records_total 3000" in frozen.metrics(), 60, "all records are read, none is committed")
    frozen.signal(signal.SIGSTOP)
    assert rows(topic) == 0
    catch_up(topic)
    assert rows(topic) == 3000
    frozen.signal(signal.SIGCONT)
    wait_until(lambda: frozen.says("another consumer advanced") or frozen.says("belong to another"), 60,
               "the frozen consumer notices")
    topic.run("generate", "--count", 100, "--seed", 2)
    wait_until(lambda: rows(topic) == 3100, 60, "it reads on from the lake's offsets")
    assert frozen.stop() == 0, frozen.words()
    expect_exactly_once(topic, 3100)


def test_a_broker_killed_while_producing_and_ingesting(topic: Shopstream, cluster: Cluster) -> None:
    producer = topic.start("generate", "--rate", 3000)
    consumer = topic.start("ingest", **EAGER)
    wait_until(lambda: rows(topic) > 0, 60, "rows flow")
    cluster.kill_broker(2)
    before = rows(topic)
    wait_until(lambda: rows(topic) > before + 10_000, 90, "rows flow again without broker 2")
    cluster.start_brokers()
    assert producer.stop() == 0, producer.words()
    assert consumer.stop() == 0, consumer.words()
    catch_up(topic)
    expect_exactly_once(topic, kafka_records(topic))


def test_the_registry_gone_and_back(topic: Shopstream, cluster: Cluster) -> None:
    topic.run("generate", "--count", 1000)
    catch_up(topic)
    topic.run("generate", "--count", 1000)
    cluster.stop_registry()
    # The table stores its schema, so it starts; but it must ask for the meaning of id 1.
    consumer = topic.start("ingest", **EAGER)
    wait_until(lambda: consumer.says("the schema registry does not answer"), 60, "it says why it waits")
    assert consumer.running() and rows(topic) == 1000 and rows(topic, QUARANTINE) == 0
    cluster.start_registry()
    wait_until(lambda: rows(topic) == 2000, 60, "it goes on")
    assert consumer.stop() == 0, consumer.words()
    expect_exactly_once(topic, 2000)


def test_a_topic_deleted_and_created_again_is_another_topic(topic: Shopstream) -> None:
    topic.run("generate", "--count", 2000)
    consumer = topic.start("ingest", **EAGER)
    wait_until(lambda: rows(topic) == 2000, 60, "the first topic is in the lake")
    client = admin(topic)
    client.delete_topics([topic.topic])[topic.topic].result(30)
    wait_until(lambda: topic.topic not in client.list_topics(timeout=10).topics, 30, "the topic is gone")
    topic.run("topics", "setup")
    topic.run("generate", "--count", 3000)
    wait_until(lambda: rows(topic) == 5000, 120, "the new topic is read from its beginning")
    assert consumer.running(), consumer.words()
    assert consumer.stop() == 0, consumer.words()
    ids = table(topic).to_pyarrow_table(columns=["kafka_topic_id"])["kafka_topic_id"].value_counts().to_pylist()
    assert sorted(entry["counts"] for entry in ids) == [2000, 3000]
    assert topic.json("audit")["clean"]


def test_offsets_expired_below_the_lakes_are_reported(topic: Shopstream) -> None:
    topic.run("generate", "--count", 900)
    catch_up(topic)
    topic.run("generate", "--count", 900)
    ends = {m.partition(): m.offset() + 1 for m in read_kafka(topic)}
    expired = TopicPartition(topic.topic, 0, ends[0])
    client = admin(topic)
    client.delete_records([expired])[expired].result(30)
    topic.run("generate", "--count", 90)
    consumer = topic.start("ingest", "--until-caught-up")
    assert consumer.wait(60) == 0, consumer.words()
    assert consumer.says("expired in Kafka before they were read"), consumer.words()
    report = topic.json("audit", expect=3)
    assert {d["difference"] for d in report["differences"]} == {"expired"}
    assert {d["partition"] for d in report["differences"]} == {0}
    lost = [range for entry in table(topic).history() for range in entry.get("expiredBeforeIngest", [])]
    assert [range["partition"] for range in lost] == [0], "the commit tells what was lost before it"


def test_a_changed_group_name_changes_nothing(topic: Shopstream) -> None:
    topic.run("generate", "--count", 1000)
    catch_up(topic)
    topic.run("generate", "--count", 500)
    assert catch_up(topic, SHOPSTREAM_KAFKA_GROUP="another")["rows"] == 500
    assert catch_up(topic, SHOPSTREAM_KAFKA_GROUP="a-third")["rows"] == 0
    expect_exactly_once(topic, 1500)


def test_a_lake_ahead_of_kafka_is_not_written_to(topic: Shopstream) -> None:
    """The same topic id, but Kafka's end is below the lake's txn, as after restoring a broker. New records do not
    change that: they have other records' offsets."""
    def rows_of_0() -> int:
        return table(topic).to_pyarrow_table(filters=[("kafka_partition", "=", 0)]).num_rows

    topic.run("generate", "--count", 300)
    catch_up(topic)
    before = rows_of_0()
    topic_id = table(topic).to_pyarrow_table(columns=["kafka_topic_id"])["kafka_topic_id"][0].as_py()
    nothing = table(topic).to_pyarrow_table().slice(0, 0)
    ahead = before + 20
    write_deltalake(table(topic), nothing, mode="append", commit_properties=CommitProperties(
        app_transactions=[Transaction(f"shopstream/{topic_id}/0", ahead)]))
    for _ in range(2):
        consumer = topic.start("ingest", **EAGER)
        wait_until(lambda: consumer.says("Partition 0") and consumer.says("`shopstream progress show` explains"), 60,
                   "it says what is wrong")
        topic.run("generate", "--count", 300)
        wait_until(lambda: all(p["lag"] == 0 for p in topic.json("group", "describe") if p["partition"] != 0), 60,
                   "the other partitions are read")
        assert consumer.stop() == 0, consumer.words()
    assert sum(m.partition() == 0 for m in read_kafka(topic)) > ahead
    assert rows_of_0() == before


def test_garbage_of_every_kind_lands_in_quarantine_once(topic: Shopstream) -> None:
    topic.run("generate", "--count", 5000, "--malformed-share", 0.1, "--seed", 3)
    summary = catch_up(topic)
    assert set(summary["quarantined_by_cause"]) == {"empty", "bad_frame", "unknown_schema", "corrupt",
                                                   "unknown_region", "bad_timestamp"}
    expect_exactly_once(topic, 5000)
    kept = {(r["kafka_partition"], r["kafka_offset"]): r
            for r in table(topic, QUARANTINE).to_pyarrow_table().to_pylist()}
    sent = {(m.partition(), m.offset()): m for m in read_kafka(topic)}
    for coordinates, row in kept.items():
        message = sent[coordinates]
        assert row["value"] == message.value() and row["key"] == message.key()
        assert int(row["kafka_timestamp"].timestamp() * 1000 + 0.5) == message.timestamp()[1]
        assert row["cause"] in summary["quarantined_by_cause"] and row["detail"]


def test_independent_readers_agree_with_kafka_row_for_row(topic: Shopstream) -> None:
    topic.run("generate", "--count", 4000, "--late-share", 0.1, "--duplicate-share", 0.05)
    catch_up(topic)
    schema = fastavro.parse_schema(fastavro.schema.load_schema("schemas/purchase_event.avsc"))
    registered = SchemaRegistryClient({"url": topic.cluster.registry_url}).get_latest_version(f"{topic.topic}-value")
    expected = {}
    for message in read_kafka(topic):
        assert message.value()[:5] == b"\0" + registered.schema_id.to_bytes(4, "big")
        event = fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schema, None)
        expected[message.partition(), message.offset()] = {
            **event, "date": event["timestamp"].date(), "kafka_topic": topic.topic,
            "schema_id": registered.schema_id}
    for found in (table(topic).to_pyarrow_table().to_pylist(),
                  polars.scan_delta(str(topic.lake / BRONZE)).collect().to_dicts()):
        assert len(found) == len(expected)
        for row in found:
            want = expected[row["kafka_partition"], row["kafka_offset"]]
            assert {name: row[name] for name in want} == want


def test_an_empty_topic_and_a_second_run_do_nothing(topic: Shopstream) -> None:
    assert catch_up(topic)["rows"] == 0
    topic.run("generate", "--count", 10)
    assert catch_up(topic)["rows"] == 10
    assert catch_up(topic)["commits"] == 0
    expect_exactly_once(topic, 10)


def test_a_quiet_topic_is_flushed_by_the_clock(topic: Shopstream) -> None:
    consumer = topic.start("ingest", SHOPSTREAM_INGEST_BATCH_TIMEOUT_SECONDS="2")
    topic.run("generate", "--count", 5)
    wait_until(lambda: rows(topic) == 5, 30, "five rows do not wait for more")
    assert consumer.stop() == 0, consumer.words()


def test_a_topic_that_is_not_there_yet(shopstream: Shopstream) -> None:
    failed = shopstream.run("ingest", "--until-caught-up", expect=1, timeout=90)
    assert "topics create" in failed.stderr, failed.stderr
