"""A failover with MirrorMaker 2 between two clusters, under load. In the soak tier, since its start is slow."""

import pathlib
from collections import Counter

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable

from cluster import Cluster
from mirror_maker import MirrorMaker
from shopstream import Shopstream
from waiting import wait_until

TABLES = ("bronze-events", "bronze-quarantine")


def records(lake: pathlib.Path) -> Counter:
    """How often each record is in the lake, by what it says."""
    bronze, quarantine = (DeltaTable(str(lake / name)) for name in TABLES)
    rows = bronze.to_pyarrow_table(columns=["event_id", "kafka_timestamp"]).to_pylist()
    undecodable = quarantine.to_pyarrow_table(columns=["value", "kafka_timestamp"]).to_pylist()
    return Counter(tuple(row.values()) for row in rows + undecodable)


def count_partitions(cluster: Cluster, topic: str) -> int:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
    return len(admin.list_topics(topic, timeout=30).topics[topic].partitions)


def in_topic(cluster: Cluster, topic: str, partitions: int) -> int:
    """How many committed records the topic has; those of the mirror lie among transactions' markers."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": f"{topic}-count",
                         "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    count, left = 0, partitions
    while left > 0:
        for message in consumer.consume(1000, 10):
            if message.error() is None:
                count += 1
            else:
                left -= 1  # The end of a partition.
    consumer.close()
    return count


@pytest.mark.soak_only
def test_the_lake_continues_in_mirrormakers_mirror_under_load(shopstream: Shopstream, one_node: Cluster) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    partitions = count_partitions(shopstream.cluster, shopstream.topic)
    second = {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": one_node.bootstrap_servers,
              "SHOPSTREAM_REGISTRY_URL": one_node.registry_url}
    with MirrorMaker(shopstream.cluster, one_node, shopstream.topic, 1, shopstream.folder / "mirror") as mirror:
        ingest = shopstream.start("ingest")
        load = shopstream.start("generate", "--rate", 2000, "--duration", "40s", "--malformed-share", "0.02", "--seed", 1)
        assert load.wait(80) == 0, load.words()
        produced = in_topic(shopstream.cluster, shopstream.topic, partitions)
        ingest.kill()  # It may be behind, in the middle of a commit, or ahead of the mirror.

        def copied() -> bool:
            assert mirror.running(), mirror.output.read_text()
            return in_topic(one_node, shopstream.topic, partitions) >= produced

        wait_until(copied, 120, "MirrorMaker has copied every record", interval=1)
    place = shopstream.folder / "backup"
    shopstream.run("backup", "create", place)
    shopstream.run("backup", "restore", place, "--part", "registry", **second)
    more = shopstream.start("generate", "--rate", 1000, "--duration", "10s", "--seed", 2, **second)
    shopstream.run("ingest", "--adopt", "--until-caught-up", timeout=120, **second)
    assert more.wait(60) == 0, more.words()
    shopstream.run("ingest", "--until-caught-up", timeout=120, **second)
    report = shopstream.json("audit", **second)
    assert report["clean"], report
    adopted = [p["adopted"] for p in report["partitions"] if p["topic_id"] == report["topic_id"]]
    assert len(adopted) == partitions and all(adopted), adopted
    found = records(shopstream.lake)
    # Two records that nobody can decode may be equal, down to the millisecond.
    assert [record for record, times in found.items() if times > 1 and isinstance(record[0], str)] == []
    assert found.total() == in_topic(one_node, shopstream.topic, partitions)
    shopstream.run("refine", **second)
    shopstream.run("refine", "verify", **second)
