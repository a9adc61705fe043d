"""Records that Kafka loses, cannot deliver, or has without a leader, on real brokers: the partition concerned reports
it, and the others continue."""

import json
import pathlib
import shutil
import struct
from typing import Any

import pytest
from confluent_kafka import Consumer, ElectionType, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from deltalake import DeltaTable

from cluster import Cluster
from secured_cluster import SecuredCluster
from secured_world import World, secured_world
from shopstream import COMMITS_SOON, Shopstream
from waiting import wait_until

BATCH_HEADER = 61  # Bytes before a batch's records; its checksum covers what follows it at 21.
UNCLEAN = {"min.insync.replicas": "1", "unclean.leader.election.enable": "true"}


def kafka_admin(world: Shopstream) -> AdminClient:
    return AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})


def create_topic(world: Shopstream, replicas: list[list[int]], **configs: str) -> None:
    topic = NewTopic(world.topic, len(replicas), replica_assignment=replicas, config=configs)
    admin = kafka_admin(world)
    admin.create_topics([topic])[world.topic].result(30)
    world.run("schema", "register")


def generate(world: Shopstream, count: int, seed: int) -> None:
    world.run("generate", "--count", count, "--seed", seed, timeout=60)


def catch_up(world: Shopstream, expect: int = 0) -> dict:
    return world.json("ingest", "--until-caught-up", timeout=150, expect=expect)


def event_ids(world: Shopstream) -> list[str]:
    table = DeltaTable(str(world.lake / "bronze-events"))
    return table.to_pyarrow_table(columns=["event_id"]).column("event_id").to_pylist()


def rows_by_partition(world: Shopstream) -> dict[int, int]:
    if not (world.lake / "bronze-events/_delta_log").exists():
        return {}
    table = DeltaTable(str(world.lake / "bronze-events")).to_pyarrow_table(columns=["kafka_partition"])
    found = table.column("kafka_partition").to_pylist()
    return {partition: found.count(partition) for partition in sorted(set(found))}


def expect_stop_that_lasts(world: Shopstream, reason: str, lost: tuple[int, int]) -> None:
    """Partition 0 is stopped, stays so, and continues once the loss is accepted: exactly once, with the loss named."""
    before = sorted(event_ids(world))
    report = world.json("progress", "show", expect=3)["partitions"][0]
    assert report["stopped"] and report["reason"] == reason, report
    assert report["would_lose"] == {"first_offset": lost[0], "last_offset": lost[1]}
    generate(world, 50, seed=90)
    assert catch_up(world, expect=3)["stopped"] == [0], "more records, and another start"
    assert sorted(event_ids(world)) == before

    world.run("progress", "accept-loss", 0, "--yes")
    catch_up(world)
    after = event_ids(world)
    assert len(after) == len(set(after)) and len(after) > len(before) and set(before) <= set(after)
    found = [(d["first_offset"], d["last_offset"], d["difference"])
             for d in world.json("audit", expect=3)["differences"]]
    assert found == [(*lost, "expired")]


def elect_anyone(world: Shopstream) -> bool:
    partition = TopicPartition(world.topic, 0)
    admin = kafka_admin(world)
    admin.elect_leaders(ElectionType.UNCLEAN, [partition]).result(30)
    return admin.list_topics(world.topic, timeout=10).topics[world.topic].partitions[0].leader > 0


def test_an_unclean_election_loses_records_that_the_lake_has(shopstream: Shopstream, cluster: Cluster) -> None:
    """The replica that was away leads, and the log grows past what the lake has read."""
    create_topic(shopstream, [[1, 2]], **UNCLEAN)
    generate(shopstream, 50, seed=1)
    cluster.kill_broker(2)
    generate(shopstream, 50, seed=2)
    catch_up(shopstream)
    assert len(event_ids(shopstream)) == 100
    cluster.kill_broker(1)
    cluster.start_brokers([2])
    wait_until(lambda: elect_anyone(shopstream), 30, "broker 2 leads")
    generate(shopstream, 100, seed=3)
    cluster.start_brokers([1])
    assert catch_up(shopstream, expect=3)["stopped"] == [0]
    expect_stop_that_lasts(shopstream, "other_record", (50, 99))


def log_folder(cluster: Cluster, topic: str, broker: int, partition: int) -> pathlib.Path:
    return cluster.directory / f"broker-{broker}/data/{topic}-{partition}"


def test_a_partition_restored_from_a_backup_is_recognised(shopstream: Shopstream, cluster: Cluster) -> None:
    """The backup of its folder has half of what the lake has read; the log grows past it again."""
    create_topic(shopstream, [[1]], **UNCLEAN)
    folder = log_folder(cluster, shopstream.topic, broker=1, partition=0)
    backup = shopstream.folder / "backup"
    generate(shopstream, 50, seed=1)
    cluster.stop_brokers([1])
    shutil.copytree(folder, backup)
    cluster.start_brokers([1])
    generate(shopstream, 50, seed=2)
    catch_up(shopstream)
    cluster.stop_brokers([1])
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    cluster.start_brokers([1])
    generate(shopstream, 100, seed=3)
    assert catch_up(shopstream, expect=3)["stopped"] == [0]
    expect_stop_that_lasts(shopstream, "other_record", (50, 99))


def epoch_of(world: World, partition: int, offset: int) -> int:
    reader = Consumer({**world.node.client_properties(world.ingester), "bootstrap.servers": world.node.bootstrap_servers,
                       "group.id": world.group, "enable.auto.commit": False, "log_level": 0})
    reader.assign([TopicPartition(world.topic, partition, offset)])
    record = reader.poll(30)
    reader.close()
    assert record is not None and record.error() is None, record and record.error()
    return record.leader_epoch()


def test_a_node_restored_with_all_its_state_is_recognised(secured_node: SecuredCluster,
                                                          tmp_path: pathlib.Path) -> None:
    """The node forgets its last epochs as well and gives them again, so that only the contents of its records differ."""
    backup, data = tmp_path / "backup", secured_node.directory / "broker-1/data"
    with secured_world(secured_node, tmp_path) as world:
        world.run(world.producer, "generate", "--count", 100, "--seed", 1)
        secured_node.kill_broker(1)
        shutil.copytree(data, backup)
        secured_node.start_brokers()
        world.run(world.producer, "generate", "--count", 100, "--seed", 2)
        world.run(world.ingester, "ingest", "--until-caught-up")
        progress = json.loads(world.run(world.ingester, "--json", "progress", "show").stdout)["partitions"]
        last = {partition["partition"]: partition["txn"] - 1 for partition in progress}
        epochs = [epoch_of(world, partition, offset) for partition, offset in last.items()]
        secured_node.kill_broker(1)
        shutil.rmtree(data)
        shutil.copytree(backup, data)
        secured_node.start_brokers()
        world.run(world.producer, "generate", "--count", 300, "--seed", 3)
        assert [epoch_of(world, partition, offset) for partition, offset in last.items()] == epochs
        before = sorted(event_ids(world.program))
        report = world.run(world.ingester, "--json", "ingest", "--until-caught-up", expect=3)
        assert json.loads(report.stdout)["stopped"] == [0, 1]
        shown = json.loads(world.run(world.ingester, "--json", "progress", "show", expect=3).stdout)["partitions"]
        assert [partition["reason"] for partition in shown] == ["other_record"] * 2, shown
        assert sorted(event_ids(world.program)) == before


# Batches that cannot be read.

def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def batches(log: bytes) -> list[tuple[int, int, int]]:
    """Position, size and first offset of each batch."""
    found, at = [], 0
    while at + BATCH_HEADER <= len(log):
        offset, length = struct.unpack(">qi", log[at:at + 12])
        if length <= 0:
            break
        found.append((at, 12 + length, offset))
        at += 12 + length
    return found


def damage(file: pathlib.Path, kind: str) -> tuple[int, int]:
    """Damages the second batch. Its first offset, and the one after its last."""
    log = bytearray(file.read_bytes())
    position, size, offset = batches(bytes(log))[1]
    if kind == "varint":  # The first record's length.
        log[position + BATCH_HEADER:position + BATCH_HEADER + 4] = b"\xff\xff\xff\x7f"
    else:
        log[position + size - 1 if kind == "checksum" else position + BATCH_HEADER + 20] ^= 0xFF
    if kind == "snappy":
        log[position + BATCH_HEADER:position + size] = b"\xff" * (size - BATCH_HEADER)
    if kind != "checksum":
        log[position + 17:position + 21] = struct.pack(">I", crc32c(bytes(log[position + 21:position + size])))
    file.write_bytes(bytes(log))
    last_delta, = struct.unpack(">i", log[position + 23:position + 27])
    return offset, offset + last_delta + 1


@pytest.mark.parametrize("kind", ["checksum", "snappy", pytest.param("varint", marks=pytest.mark.soak_only)])
def test_a_corrupt_batch_stops_its_partition_alone(shopstream: Shopstream, cluster: Cluster, kind: str) -> None:
    compression = "snappy" if kind == "snappy" else "uncompressed"
    create_topic(shopstream, [[1], [1], [1]], **UNCLEAN, **{"compression.type": compression})
    for seed in (1, 2, 3):
        generate(shopstream, 60, seed=seed)
    log = log_folder(cluster, shopstream.topic, broker=1, partition=1) / f"{0:020d}.log"
    cluster.stop_brokers([1])
    begin, end = damage(log, kind)
    cluster.start_brokers([1])
    running = shopstream.start("ingest", **COMMITS_SOON)
    # The client does not report what it cannot parse: ingest waits a minute for it.
    wait_until(lambda: running.says(f"Partition 1 of {shopstream.topic} is not read beyond offset {begin}"),
               120 if kind == "varint" else 60, "the running ingest names topic, partition and offset")
    generate(shopstream, 60, seed=4)
    others = 240 - partition_end(shopstream, 1)
    wait_until(lambda: sum(n for p, n in rows_by_partition(shopstream).items() if p != 1) == others, 60,
               "the others go on")
    wait_until(lambda: rows_by_partition(shopstream).get(1) == begin, 30, "it was read up to the batch")
    expect_unknown_age(shopstream, 1)
    shopstream.run("progress", "accept-loss", 1, "--until", end, "--yes")
    wait_until(lambda: rows_by_partition(shopstream)[1] == partition_end(shopstream, 1) - (end - begin), 90,
               "it continues after the batch")
    assert running.stop() == 0, running.words()
    ids = event_ids(shopstream)
    assert len(ids) == len(set(ids)) == 240 - (end - begin)
    report = shopstream.json("audit", expect=3)
    assert not report["not_compared"], "what was accepted as lost is not read"
    found = [(d["partition"], d["first_offset"], d["last_offset"], d["difference"]) for d in report["differences"]]
    assert found == [(1, begin, end - 1, "expired")]


def expect_unknown_age(world: Shopstream, partition: int) -> None:
    """Of the first record that is not in the lake; everything else is known."""
    described = world.json("group", "describe")[partition]
    assert described["lag"] > 0 and described["lag_seconds"] is None and not described["note"], described
    health = [row for row in world.json("health") if row["component"] == "ingest"]
    assert [row["state"] for row in health] == ["degraded"] and "the oldest of unknown age" in health[0]["detail"], health


def partition_end(world: Shopstream, partition: int) -> int:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "ends", "log_level": 0})
    try:
        return consumer.get_watermark_offsets(TopicPartition(world.topic, partition), timeout=10)[1]
    finally:
        consumer.close()


# A partition without a leader.

def read_values(world: Shopstream, partition: int, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "values", "log_level": 0})
    try:
        consumer.assign([TopicPartition(world.topic, partition, 0)])
        messages: list[Any] = []
        wait_until(lambda: messages.extend(consumer.consume(count, 1)) or len(messages) >= count, 30, "records")
        return [message.value() for message in messages]
    finally:
        consumer.close()


def produce(world: Shopstream, partition: int, values: list[bytes]) -> None:
    producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})
    for value in values:
        producer.produce(world.topic, value=value, partition=partition)
    assert producer.flush(30) == 0


def test_a_partition_without_a_leader_holds_up_no_other(shopstream: Shopstream, cluster: Cluster) -> None:
    create_topic(shopstream, [[1], [2], [3]], **UNCLEAN)
    generate(shopstream, 60, seed=1)
    catch_up(shopstream)
    full = rows_by_partition(shopstream)
    again = {partition: read_values(shopstream, partition, full[partition]) for partition in (0, 1)}
    running = shopstream.start("ingest", **COMMITS_SOON)
    wait_until(lambda: all(p["member"] for p in shopstream.json("group", "describe")), 30, "it has the partitions")
    cluster.kill_broker(3)
    wait_until(lambda: f"{shopstream.topic}-2" in cluster.leaderless(1), 60, "partition 2 has no leader")

    def expect_rows(rounds: int) -> None:
        wait_until(lambda: {p: n for p, n in rows_by_partition(shopstream).items() if p != 2} ==
                   {p: rounds * full[p] for p in (0, 1)}, 60, "the others go on")

    def produce_again() -> None:
        for partition, values in again.items():
            produce(shopstream, partition, values)

    produce_again()
    expect_rows(2)
    second = shopstream.start("ingest", **COMMITS_SOON)
    wait_until(lambda: len({p["member"] for p in shopstream.json("group", "describe", expect=3)}) == 2, 60,
               "the second member has partitions")
    produce_again()
    expect_rows(3)
    audit = shopstream.run("audit", expect=3, timeout=120)
    assert "no leader" in audit.stdout + audit.stderr
    words = shopstream.run("progress", "show", expect=3).stdout
    assert "Partition 2: Kafka does not answer: " in words and "unknown" in words
    assert running.stop() == 0 and second.stop() == 0, running.words() + second.words()
    cluster.start_brokers([3])
    catch_up(shopstream)
    assert rows_by_partition(shopstream) == {0: 3 * full[0], 1: 3 * full[1], 2: full[2]}


@pytest.mark.soak_only
def test_catching_up_names_the_partitions_that_it_could_not_read(shopstream: Shopstream, cluster: Cluster) -> None:
    create_topic(shopstream, [[1], [2], [3]], **UNCLEAN)
    generate(shopstream, 60, seed=1)
    cluster.kill_broker(3)
    wait_until(lambda: f"{shopstream.topic}-2" in cluster.leaderless(1), 60, "partition 2 has no leader")
    ended = catch_up(shopstream, expect=3)
    assert list(ended["missing"]) == ["2"] and "no leader" in ended["missing"]["2"], ended
    assert set(rows_by_partition(shopstream)) == {0, 1}
