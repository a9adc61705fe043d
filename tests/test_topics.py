"""`topics setup|expand|list|describe` on real brokers."""

import base64

from confluent_kafka import TopicCollection
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic,
                                   ResourceType)

from cluster import Cluster
from shopstream import Shopstream
from waiting import wait_until

CONTRACT = {"min.insync.replicas": "2", "retention.ms": "604800000", "compression.type": "snappy"}


def admin(cluster: Cluster) -> AdminClient:
    return AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})


def create(cluster: Cluster, *topics: NewTopic) -> None:
    client = admin(cluster)  # Its requests are cancelled when it is destroyed.
    for future in client.create_topics(list(topics)).values():
        future.result(30)


def test_setup_creates_the_topic_of_the_contract(shopstream: Shopstream) -> None:
    created = shopstream.run("topics", "setup").stdout
    assert f"created topic {shopstream.topic} with 3 partitions, replication factor 3" in created

    topic = shopstream.json("topics", "describe")
    assert topic["own_configs"] == sorted(CONTRACT)
    assert {name: topic["configs"][name] for name in CONTRACT} == CONTRACT
    assert [p["partition"] for p in topic["partitions"]] == [0, 1, 2]
    for partition in topic["partitions"]:
        assert sorted(partition["replicas"]) == sorted(partition["in_sync"]) == [1, 2, 3]
        assert partition["leader"] in (1, 2, 3)


def test_setup_again_changes_nothing(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    before = shopstream.json("topics", "describe")
    assert shopstream.run("topics", "setup").stdout == f"topic {shopstream.topic} needs no change\n"
    assert shopstream.json("topics", "describe") == before


def test_setup_reconciles_settings_and_says_so(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    change = ConfigResource(ResourceType.TOPIC, shopstream.topic, incremental_configs=[
        ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("max.message.bytes", "2000000", incremental_operation=AlterConfigOpType.SET)])
    client = admin(shopstream.cluster)
    for future in client.incremental_alter_configs([change]).values():
        future.result(30)

    assert shopstream.json("topics", "setup")["changes"] == ["retention.ms: 1000 -> 604800000"]
    configs = shopstream.json("topics", "describe")["configs"]
    assert configs["retention.ms"] == "604800000"
    assert configs["max.message.bytes"] == "2000000", "a setting of the user's own stays"


def test_partitions_only_grow(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    assert "partitions: 3 -> 4" in shopstream.run("topics", "setup", "--partitions", 4).stdout
    assert len(shopstream.json("topics", "describe")["partitions"]) == 4

    refused = shopstream.run("topics", "setup", expect=1).stderr
    assert "has 4 partitions, 3 are wanted" in refused
    assert "--partitions 4" in refused


def test_expand_adds_partitions_to_any_topic_and_changes_nothing_else(shopstream: Shopstream) -> None:
    create(shopstream.cluster, NewTopic(shopstream.topic, num_partitions=2, replication_factor=1,
                                        config={"retention.ms": "86400000"}))
    expand = ("topics", "expand", shopstream.topic, "--partitions", 5)
    (change,) = shopstream.json(*expand)["changes"]
    assert change.startswith("partitions: 2 -> 5 (keys move")
    topic = shopstream.json("topics", "describe", shopstream.topic)
    assert [len(p["replicas"]) for p in topic["partitions"]] == [1] * 5
    assert topic["own_configs"] == ["retention.ms"]
    assert shopstream.run(*expand).stdout == f"topic {shopstream.topic} needs no change\n"
    refused = shopstream.run("topics", "expand", shopstream.topic, "--partitions", 4, expect=1).stderr
    assert "has 5 partitions, 4 are wanted" in refused and "more than 5" in refused
    absent = shopstream.run("topics", "expand", shopstream.topic + "x", "--partitions", 4, expect=1).stderr
    assert f"did you mean '{shopstream.topic}'?" in absent
    assert "--partitions" in shopstream.run("topics", "expand", shopstream.topic, expect=2).stderr
    for topic in "__consumer_offsets", "_schemas":
        done = shopstream.run("topics", "expand", topic, "--partitions", 99, expect=1)
        assert f"topic {topic} is not expanded" in done.stderr, done.stderr


def test_another_replication_factor_is_refused(shopstream: Shopstream) -> None:
    create(shopstream.cluster, NewTopic(shopstream.topic, num_partitions=3, replication_factor=1))
    refused = shopstream.run("topics", "setup", expect=1).stderr
    assert "has 1 replicas, 3 are wanted" in refused
    assert "kafka-reassign-partitions.sh" in refused


def test_too_few_brokers(shopstream: Shopstream) -> None:
    refused = shopstream.run("topics", "setup", "--replication-factor", 5, expect=1).stderr
    assert "needs 5 brokers" in refused and "3 are up" in refused and "--replication-factor 3" in refused


def test_no_broker(shopstream: Shopstream) -> None:
    failed = shopstream.run("topics", "list", expect=1, SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    assert "no Kafka broker answered at 127.0.0.1:1 within 10 s" in failed.stderr
    assert "./run up" in failed.stderr
    assert len(failed.stderr.splitlines()) < 10, "the client's repetitions are held back"


def test_unknown_topic(shopstream: Shopstream) -> None:
    failed = shopstream.run("topics", "describe", "no-such-topic", expect=1)
    assert "there is no topic no-such-topic" in failed.stderr
    assert "topics create" in failed.stderr


def test_topic_ids_are_printed_as_kafka_prints_them(shopstream: Shopstream) -> None:
    # Enough to make it all but certain that some contain the two characters in which URL-safe base64
    # differs from plain.
    names = [f"{shopstream.topic}-{i}" for i in range(20)]
    create(shopstream.cluster, *(NewTopic(n, num_partitions=1, replication_factor=1) for n in names))
    wait_until(lambda: set(names) <= {row["topic"] for row in shopstream.json("topics", "list")}, 30,
               "the brokers know the new topics")
    shown = {name: shopstream.json("topics", "describe", name)["id"] for name in names}

    client = admin(shopstream.cluster)
    for name, future in client.describe_topics(TopicCollection(names)).items():
        uuid = future.result(30).topic_id
        high, low = uuid.get_most_significant_bits(), uuid.get_least_significant_bits()
        raw = high.to_bytes(8, "big", signed=True) + low.to_bytes(8, "big", signed=True)
        assert shown[name] == base64.urlsafe_b64encode(raw).decode().rstrip("=")
    assert any(c in id for id in shown.values() for c in "-_")


def test_list_and_describe_with_a_broker_down(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.cluster.kill_broker(3)

    def partitions() -> list[dict]:
        return shopstream.json("topics", "describe")["partitions"]

    wait_until(lambda: all(3 not in p["in_sync"] and p["leader"] != 3 for p in partitions()), 60,
               "broker 3 has left the in-sync replicas and leads nothing")
    row = next(r for r in shopstream.json("topics", "list") if r["topic"] == shopstream.topic)
    assert row["under_replicated"] == 3 and row["without_leader"] == 0
    assert "needs no change" in shopstream.run("topics", "setup").stdout
