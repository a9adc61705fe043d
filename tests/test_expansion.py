"""A topic gets more partitions while producers write and ingest reads: every record arrives exactly once."""

from collections import Counter

from confluent_kafka import Consumer, TopicPartition
from deltalake import DeltaTable

from shopstream import Shopstream
from waiting import wait_until

OFTEN = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "500"}
BEFORE, AFTER = 3, 7


def in_kafka(world: Shopstream) -> Counter[int]:
    """Records of each partition; no offset is without one, because nothing here is transactional."""
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "none", "log_level": 0})
    try:
        partitions = consumer.list_topics(world.topic, timeout=20).topics[world.topic].partitions
        ends = {p: consumer.get_watermark_offsets(TopicPartition(world.topic, p), timeout=20)[1] for p in partitions}
        return Counter(ends)
    finally:
        consumer.close()


def in_lake(world: Shopstream) -> Counter[int]:
    table = DeltaTable(str(world.lake / "bronze-events"))
    return Counter(table.to_pyarrow_table(columns=["kafka_partition"])["kafka_partition"].to_pylist())


def test_a_running_ingest_reads_new_partitions_while_producers_write(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup", "--partitions", BEFORE)
    shopstream.run("generate", "--count", 100, "--seed", 6)  # Registers the schema.
    producer = shopstream.start("generate", "--rate", 300, "--seed", 7)
    members = [shopstream.start("ingest", **OFTEN) for _ in range(2)]
    log = shopstream.lake / "bronze-events/_delta_log"
    wait_until(lambda: (log / f"{1:020}.json").exists() and len(in_lake(shopstream)) == BEFORE, 40,
               "every partition is read")

    (change,) = shopstream.json("topics", "expand", "--partitions", AFTER)["changes"]
    assert change.startswith(f"partitions: {BEFORE} -> {AFTER}")
    at_expansion = in_kafka(shopstream)
    wait_until(lambda: len(in_lake(shopstream)) == AFTER, 50, "the new partitions are read", interval=0.5)
    wait_until(lambda: all(in_lake(shopstream)[p] > at_expansion[p] for p in range(AFTER)), 30,
               "old and new partitions are read on", interval=0.5)

    assert producer.stop() == 0, producer.words()
    for member in members:
        assert member.running(), member.words()
        assert member.stop() == 0, member.words()
    shopstream.run("ingest", "--until-caught-up")
    report = shopstream.json("audit")
    assert report["clean"] and len(report["partitions"]) == AFTER, report
    assert in_lake(shopstream) == in_kafka(shopstream)
