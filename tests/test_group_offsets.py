"""`group list`, `describe` and `reset-offsets` with groups of another client, of both group protocols; confluent-kafka,
an independent client, reads what was reset."""

import contextlib
import datetime
import json
import pathlib
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from secured_cluster import SecuredCluster
from secured_roles import Grant
from secured_world import secured_world
from shopstream import Shopstream
from waiting import wait_until

FIRST_MOMENT = int(time.time() - 3600) * 1000  # Within the topic's retention.
PER_PARTITION = 40
PARTITIONS = 3
PROTOCOLS = ("classic", "consumer")
JOINS_WITHIN = 40.0


def moment(index: int) -> int:
    """The time of the record at this offset, in milliseconds."""
    return FIRST_MOMENT + index * 1000


def iso(millis: int) -> str:
    return datetime.datetime.fromtimestamp(millis / 1000, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


@pytest.fixture
def world(shopstream: Shopstream) -> Shopstream:
    """A topic with 40 records in each of its three partitions, a second apart."""
    admin = AdminClient({"bootstrap.servers": shopstream.cluster.bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(shopstream.topic, PARTITIONS, 1)])[shopstream.topic].result(30)
    producer = Producer({"bootstrap.servers": shopstream.cluster.bootstrap_servers})
    for index in range(PER_PARTITION):
        for partition in range(PARTITIONS):
            producer.produce(shopstream.topic, f"{partition}/{index}", partition=partition, timestamp=moment(index))
    assert producer.flush(30) == 0
    return shopstream


@contextlib.contextmanager
def member(world: Shopstream, group: str, protocol: str = "classic") -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": group, "log_level": 0,
                         "group.protocol": protocol, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "client.id": "till"})
    consumer.subscribe([world.topic])
    try:
        yield consumer
    finally:
        consumer.close()


def read(consumer: Consumer, count: int) -> list[Message]:
    messages: list[Message] = []

    def enough() -> bool:
        messages.extend(m for m in consumer.consume(count, timeout=0.5) if m.error() is None)
        return len(messages) >= count

    wait_until(enough, JOINS_WITHIN, f"{count} records were read")
    return messages


def commit(world: Shopstream, group: str, *offsets: int) -> None:
    """One offset per partition, by an admin, so that nobody has to join."""
    admin = AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})
    places = [TopicPartition(world.topic, partition, offset) for partition, offset in enumerate(offsets)]
    request = ConsumerGroupTopicPartitions(group, places)
    for future in admin.alter_consumer_group_offsets([request]).values():
        future.result(30)


def committed(world: Shopstream, group: str) -> list[int]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": group, "log_level": 0})
    places = consumer.committed([TopicPartition(world.topic, p) for p in range(PARTITIONS)], timeout=20)
    consumer.close()
    return [place.offset for place in places]


def resets(world: Shopstream, group: str, *arguments: object, expect: int = 0) -> list[tuple[int, int | None, int | None]]:
    rows = world.json("group", "reset-offsets", group, *arguments, expect=expect)
    return [(row["partition"], row["before"], row["after"]) for row in rows]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_is_listed_and_described_whatever_its_protocol(world: Shopstream, protocol: str) -> None:
    group = f"{world.group}-{protocol}"
    with member(world, group, protocol) as consumer:
        consumer.commit(message=read(consumer, 1)[0], asynchronous=False)
        wait_until(lambda: all(row["member"] for row in world.json("group", "describe", group)), JOINS_WITHIN,
                   "every partition has its member")
        listed = {row["group"]: row for row in world.json("group", "list")}[group]
        assert (listed["protocol"], listed["members"], listed["note"]) == (protocol, 1, ""), listed
        assert listed["state"] == "Stable" and listed["coordinator"] in (1, 2, 3), listed
        rows = world.json("group", "describe", group)
        assert [(row["topic"], row["partition"]) for row in rows] == [(world.topic, p) for p in range(PARTITIONS)]
        done = [row for row in rows if row["committed"] is not None]
        assert [(row["lag"], row["end"]) for row in done] == [(PER_PARTITION - 1, PER_PARTITION)], rows
        assert done[0]["lag_seconds"] > 1000
        assert {row["note"] for row in rows if row["committed"] is None} == {"no offset is committed"}
        (one,) = world.json("group", "describe", group, "--members")
        assert one["client_id"] == "till" and one["partitions"] == f"{world.topic}:0,1,2"
        text = world.run("group", "describe", group).stdout
        assert f"group {group}: Stable, protocol {protocol}, assignor " in text and ", 1 member\n" in text
    emptied = wait_until(lambda: next((row for row in world.json("group", "list")
                                       if row["group"] == group and row["state"] == "Empty"), None),
                         JOINS_WITHIN, "the group is empty")
    assert (emptied["protocol"], emptied["members"]) == (protocol, 0)


def test_an_unknown_group_is_named_with_the_nearest(world: Shopstream) -> None:
    commit(world, world.group + "-views", 1)
    name = f"{world.group}-vews"
    new = world.run("group", "reset-offsets", name, "--to-latest", "--topic", world.topic).stderr
    assert f"group {name} does not exist yet; --execute creates it; did you mean '{world.group}-views'?" in new, new
    for arguments in ("describe", name), ("describe", name, "--members"), ("reset-offsets", name, "--to-latest"):
        done = world.run("group", *arguments, expect=1)
        assert f"there is no group {world.group}-vews" in done.stderr, done.stderr
        assert f"did you mean '{world.group}-views'?" in done.stderr, done.stderr


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reset_group_reads_from_where_it_was_told(world: Shopstream, protocol: str) -> None:
    """To a time, with a group that has had members of this protocol: the very records from then on."""
    group = f"{world.group}-views"
    with member(world, group, protocol) as consumer:
        read(consumer, PER_PARTITION * PARTITIONS)
        consumer.commit(asynchronous=False)
    to = ("--to-time", iso(moment(25) - 400))
    expected = [(p, PER_PARTITION, 25) for p in range(PARTITIONS)]
    shown = world.run("--json", "group", "reset-offsets", group, *to)
    assert [(r["partition"], r["before"], r["after"]) for r in json.loads(shown.stdout)] == expected
    assert "Dry run: nothing was changed" in shown.stderr
    assert committed(world, group) == [PER_PARTITION] * PARTITIONS
    assert resets(world, group, *to, "--execute") == expected
    assert committed(world, group) == [25] * PARTITIONS
    with member(world, group, protocol) as consumer:
        again = read(consumer, (PER_PARTITION - 25) * PARTITIONS)
        assert sorted((m.partition(), m.offset()) for m in again) == [
            (p, offset) for p in range(PARTITIONS) for offset in range(25, PER_PARTITION)]
        assert consumer.poll(1) is None


def test_every_target_moves_the_chosen_partitions_alone(world: Shopstream, tmp_path: pathlib.Path) -> None:
    group = f"{world.group}-views"
    commit(world, group, 7, 8, 9)
    assert resets(world, group, "--topic", f"{world.topic}:0", "--to-earliest", "--execute") == [(0, 7, 0)]
    assert resets(world, group, "--topic", f"{world.topic}:1,2", "--to-latest", "--execute") == [(1, 8, 40), (2, 9, 40)]
    assert committed(world, group) == [0, 40, 40]
    assert resets(world, group, "--to-offset", 17, "--execute") == [(0, 0, 17), (1, 40, 17), (2, 40, 17)]
    listed = tmp_path / "offsets.csv"
    listed.write_text(f"topic,partition,offset\n{world.topic},2,3\n\"{world.topic}\",0,4\n")
    assert resets(world, group, "--from-file", listed, "--execute") == [(0, 17, 4), (2, 17, 3)]
    assert committed(world, group) == [4, 17, 3]
    # After the last record: the end, and that is said.
    rows = world.json("group", "reset-offsets", group, "--to-time", "2099-01-01")
    assert {(row["after"], row["lag"], row["note"]) for row in rows} == {(40, 0, "no record is that late: the end")}
    # A group that does not exist yet begins where it is told.
    fresh = f"{world.group}-new"
    assert resets(world, fresh, "--topic", world.topic, "--to-offset", 5, "--execute") == [
        (p, None, 5) for p in range(PARTITIONS)]
    assert committed(world, fresh) == [5, 5, 5]


def test_what_cannot_be_reset_is_named_and_changes_nothing(world: Shopstream, tmp_path: pathlib.Path) -> None:
    group = f"{world.group}-views"
    commit(world, group, 7, 8, 9)
    listed = tmp_path / "offsets.csv"
    listed.write_text(f"{world.topic},0,3\n{world.topic},1,41\n")
    for execute in ([], ["--execute"]):
        rows = world.json("group", "reset-offsets", group, "--from-file", listed, *execute, expect=3)
        assert [(row["partition"], row["after"]) for row in rows] == [(0, 3), (1, None)]
        assert rows[1]["note"] == "Kafka does not have offset 41, only 0 to 40"
    assert committed(world, group) == [7, 8, 9]

    def refused(*arguments: object, expect: int = 1) -> str:
        return world.run("group", "reset-offsets", *arguments, "--execute", expect=expect).stderr

    assert f"topic {world.topic} has no partition 3" in refused(group, "--topic", f"{world.topic}:3", "--to-latest")
    assert f"there is no topic {world.topic}-x" in refused(group, "--topic", f"{world.topic}-x", "--to-latest")
    listed.write_text(f"{world.topic},0,x\n")
    assert "offsets.csv:1: expected topic,partition,offset" in refused(group, "--from-file", listed)
    for wrong in ([], ["--to-earliest", "--to-latest"], ["--from-file", listed, "--topic", "x"],
                  ["--to-latest", "--topic", ":1"], ["--to-latest", "--topic", "x:y"],
                  ["--to-latest", "--topic", "x", "--topic", "x:1"], ["--to-time", "yesterday"],
                  ["--to-time", "1969-12-31"]):
        assert refused(group, *wrong, expect=2).count("\n") == 1
    assert committed(world, group) == [7, 8, 9]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_group_with_members_is_refused_and_they_are_named(world: Shopstream, protocol: str) -> None:
    group = f"{world.group}-views"
    with member(world, group, protocol) as consumer:
        read(consumer, 1)
        for execute in ([], ["--execute"]):
            done = world.run("group", "reset-offsets", group, "--topic", world.topic, "--to-earliest", *execute, expect=1)
            assert "1 active member (" in done.stderr and " at 127.0.0.1" in done.stderr, done.stderr
            assert done.stdout == ""


def test_a_partition_without_a_leader_is_named_and_the_others_are_planned(world: Shopstream) -> None:
    group = f"{world.group}-views"
    commit(world, group, 7, 8, 9)
    (dead,) = {p["partition"] for p in world.json("topics", "describe", world.topic)["partitions"] if p["leader"] == 3}
    world.cluster.kill_broker(3)
    wait_until(lambda: world.json("topics", "describe", world.topic)["partitions"][dead]["leader"] == -1, 60,
               "its partition has no leader")
    # If the broker was the group's coordinator, the next one may not have loaded its commits yet.
    wait_until(lambda: "there is no group" not in world.run("group", "describe", group, expect=None).stderr, 60,
               "the group's coordinator knows it")
    for target in ("--to-earliest",), ("--to-time", iso(moment(0))):
        rows = world.json("group", "reset-offsets", group, *target, "--execute", expect=3)
        assert [row["after"] for row in rows] == [None if p == dead else 0 for p in range(PARTITIONS)]
        assert f"partition {dead} of topic {world.topic} has no leader" in rows[dead]["note"]
    rows = world.json("group", "describe", group, expect=3)
    assert [row["lag"] is None for row in rows] == [p == dead for p in range(PARTITIONS)]
    assert committed(world, group) == [7, 8, 9]


def test_the_group_of_a_lake_is_refused_and_the_lake_reads_on(shopstream: Shopstream) -> None:
    """By its name in the settings, and by what its ingest has committed if the settings name another."""
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 100, "--seed", 7)
    shopstream.run("ingest", "--until-caught-up")
    stranger = {"SHOPSTREAM_KAFKA_GROUP": f"{shopstream.group}-another"}
    wait_until(lambda: "read for a lake" in shopstream.run("group", "describe", shopstream.group, **stranger).stdout,
               30, "its members have left, and its commits show whose it is")
    for settings in ({}, stranger):
        done = shopstream.run("group", "reset-offsets", shopstream.group, "--to-earliest", "--execute", expect=1,
                              **settings)
        for words in ("lake's Bronze table", "progress show", "progress accept-loss", "lake.bronze_table"):
            assert words in done.stderr, done.stderr
    assert [row["lag"] for row in shopstream.json("group", "describe")] == [0] * PARTITIONS
    # Nor is a group harmed that an ingest of another lake reads with at the moment.
    ingest = shopstream.start("ingest")
    wait_until(lambda: any(row["members"] for row in shopstream.json("group", "list")
                           if row["group"] == shopstream.group), JOINS_WITHIN, "ingest is a member")
    done = shopstream.run("group", "reset-offsets", shopstream.group, "--to-earliest", expect=1, **stranger)
    assert "a ShopStream ingest reads with it" in done.stderr
    assert ingest.stop() == 0, ingest.words()


def test_groups_that_may_not_be_seen_or_changed(secured_node: SecuredCluster, tmp_path: pathlib.Path) -> None:
    with secured_world(secured_node, tmp_path) as world:
        group = f"{world.group}-views"
        blind = world.user(Grant("TOPIC", world.topic, "DESCRIBE"))
        assert "sees no group: there is none, or it has no DESCRIBE on any" in world.run(blind, "group", "list").stderr
        refused = world.run(blind, "group", "describe", group, expect=1)
        assert f"grant it DESCRIBE on group {group}" in refused.stderr, refused.stderr
        # May look, and not commit.
        viewer = world.user(Grant("TOPIC", world.topic, "DESCRIBE"), Grant("GROUP", group, "DESCRIBE"))
        change = ("--json", "group", "reset-offsets", group, "--topic", world.topic, "--to-earliest")
        assert [row["after"] for row in json.loads(world.run(viewer, *change).stdout)] == [0, 0]
        rows = json.loads(world.run(viewer, *change, "--execute", expect=1).stdout)
        assert all(f"READ on group {group}" in row["note"] and row["after"] is None for row in rows), rows
        owner = world.user(Grant("TOPIC", world.topic, "READ"), Grant("GROUP", group, "READ"))
        rows = json.loads(world.run(owner, *change, "--execute").stdout)
        assert [(row["before"], row["after"], row["note"]) for row in rows] == [(None, 0, "")] * 2
