"""Consumer groups that several lakes, other programs or Kafka's new protocol share, and records that are unusual."""

import json
import pathlib
import re
import shutil
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import NewPartitions, NewTopic
from deltalake import DeltaTable

from secured_cluster import SecuredCluster
from secured_roles import Grant, may_ingest, may_produce
from secured_world import World, secured_world
from shopstream import COMMITS_SOON, Running
from waiting import wait_until

STARTS_WITHIN = 40.0


@pytest.fixture
def world(secured_node: SecuredCluster, tmp_path: pathlib.Path) -> Iterator[World]:
    with secured_world(secured_node, tmp_path) as world:
        yield world


def rows(world: World, lake: pathlib.Path | None = None) -> int:
    return DeltaTable(str((lake or world.program.lake) / "bronze-events")).to_pyarrow_table(columns=[]).num_rows


def start_reading(world: World, records: int, **settings: str) -> Running:
    running = world.program.start("ingest", **{**world.node.environment(world.ingester), **COMMITS_SOON, **settings})
    lake = pathlib.Path(settings.get("SHOPSTREAM_LAKE_URI", str(world.program.lake)))
    log = lake / "bronze-events/_delta_log"
    wait_until(lambda: (log / f"{1:020}.json").exists() and rows(world, lake) == records, STARTS_WITHIN,
               f"ingest has read {records} records")
    return running


def test_an_ingest_that_meets_another_lakes_is_refused_and_both_are_named(world: World, tmp_path: pathlib.Path) -> None:
    world.run(world.producer, "generate", "--count", 30)
    first = start_reading(world, 30)
    other = {"SHOPSTREAM_LAKE_URI": str(tmp_path / "other")}
    refused = world.run(world.ingester, "ingest", "--until-caught-up", expect=1, **other)
    line = refused.stderr.strip().rsplit("\n", 1)[-1]
    assert len(set(re.findall(r"shopstream-[0-9a-f]{8}-[0-9a-f-]{27}(?=[,.])", line))) == 2, line
    assert "kafka.group" in line, line
    # In its own group it gets every record.
    group = f"{world.group}-other"
    world.node.grant(world.ingester, [Grant("GROUP", group, "READ")])
    world.run(world.ingester, "ingest", "--until-caught-up", SHOPSTREAM_KAFKA_GROUP=group, **other)
    assert rows(world, tmp_path / "other") == 30
    assert first.stop() == 0
    assert rows(world) == 30


def test_a_lake_that_is_created_again_starts_although_its_dead_reader_is_still_a_member(world: World) -> None:
    world.run(world.producer, "generate", "--count", 30)
    start_reading(world, 30).kill()
    shutil.rmtree(world.program.lake)
    again = world.run(world.ingester, "ingest", "--until-caught-up")
    assert "has a member of another lake" in again.stderr, again.stderr
    assert rows(world) == 30


def test_two_that_start_together_do_not_both_go_on(world: World, tmp_path: pathlib.Path) -> None:
    world.run(world.producer, "generate", "--count", 30)
    login = world.node.environment(world.ingester)
    both = [world.program.start("ingest", **login, SHOPSTREAM_LAKE_URI=str(tmp_path / name)) for name in ("a", "b")]
    wait_until(lambda: sum(one.running() for one in both) == 1, 55, "one of them stops", interval=0.2)
    stopped = next(one for one in both if not one.running())
    assert stopped.wait(5) == 1 and "is read for another lake" in stopped.words(), stopped.words()


def test_the_new_group_protocol_reads_each_record_once(world: World) -> None:
    """KIP-848: the broker decides about sessions and assignment."""
    settings = {"SHOPSTREAM_KAFKA_SECURITY_GROUP_PROTOCOL": "consumer"}
    world.run(world.producer, "generate", "--count", 200)
    start_reading(world, 200, **settings).kill()
    world.run(world.producer, "generate", "--count", 100)
    done = world.run(world.ingester, "ingest", "--until-caught-up", **settings)
    assert not re.search(r" (warn\w*|error) ", done.stderr), done.stderr
    assert rows(world) == 300
    world.run(world.ingester, "audit", **settings)


def test_a_member_with_another_assignment_strategy_is_named(world: World) -> None:
    world.run(world.producer, "generate", "--count", 10)
    stranger = Consumer({"bootstrap.servers": world.node.bootstrap_servers, "group.id": world.group,
                         "partition.assignment.strategy": "range", "auto.offset.reset": "earliest",
                         **world.node.client_properties(world.ingester)})
    stranger.subscribe([world.topic])
    try:
        wait_until(lambda: stranger.poll(0.1) is not None, STARTS_WITHIN, "the stranger is a member")
        refused = world.run(world.ingester, "ingest", expect=1)
        line = refused.stderr.strip().rsplit("\n", 1)[-1]
        assert world.group in line and "kafka.group" in line and "cooperative-sticky" in line, line
    finally:
        stranger.close()


def test_a_topic_created_again_with_fewer_partitions_is_read(world: World) -> None:
    admin = world.node.admin()
    for grown in admin.create_partitions([NewPartitions(world.topic, 5)]).values():
        grown.result(timeout=20)
    world.run(world.producer, "generate", "--count", 100)
    world.run(world.ingester, "ingest", "--until-caught-up")
    for deleted in admin.delete_topics([world.topic]).values():
        deleted.result(timeout=20)
    wait_until(lambda: world.topic not in admin.list_topics(timeout=5).topics, STARTS_WITHIN, "the topic is gone")
    refused = world.run(world.ingester, "ingest", expect=1)
    assert f"create it with `shopstream topics create {world.topic}`" in refused.stderr, refused.stderr
    assert "rows into Bronze" not in refused.stdout
    for created in admin.create_topics([NewTopic(world.topic, 1, 1)]).values():
        created.result(timeout=20)
    world.run(world.producer, "generate", "--count", 50)
    world.run(world.ingester, "ingest", "--until-caught-up")
    assert rows(world) == 150
    world.run(world.ingester, "audit")


def test_a_table_of_another_topic_is_refused_by_ingest_and_audit(world: World) -> None:
    world.run(world.producer, "generate", "--count", 20)
    world.run(world.ingester, "ingest", "--until-caught-up")
    other = f"{world.topic}-b"
    admin = world.node.admin()
    for created in admin.create_topics([NewTopic(other, 1, 1)]).values():
        created.result(timeout=20)
    world.node.grant(world.producer, may_produce(other))
    world.node.grant(world.ingester, may_ingest(other, world.group))
    world.run(world.producer, "generate", "--count", 30, SHOPSTREAM_KAFKA_TOPIC=other)
    for command in (("ingest", "--until-caught-up"), ("audit",)):
        refused = world.run(world.ingester, *command, expect=1, SHOPSTREAM_KAFKA_TOPIC=other)
        line = refused.stderr.strip().rsplit("\n", 1)[-1]
        assert f"holds records of topic {world.topic}, not of {other}" in line and "lake.bronze_table" in line, line
    assert rows(world) == 20


def test_a_record_without_a_time_and_headers_that_are_no_text_are_kept(world: World) -> None:
    world.run(world.producer, "generate", "--count", 1)
    value = _first(world).value()
    client = Producer({"bootstrap.servers": world.node.bootstrap_servers,
                       **world.node.client_properties(world.producer)})
    client.produce(world.topic, value, partition=0, timestamp=-1)
    client.produce(world.topic, b"no event", partition=0, timestamp=-1,
                   headers=[("id", b"\xff\x00\xfe"), ("text", b"caf\xc3\xa9"), ("none", None)])
    assert client.flush(20) == 0
    world.run(world.ingester, "ingest", "--until-caught-up")
    bronze = DeltaTable(str(world.program.lake / "bronze-events")).to_pyarrow_table().to_pylist()
    assert len(bronze) == 2 and [row["kafka_timestamp"] for row in bronze].count(None) == 1, bronze
    listing = json.loads(world.run(world.ingester, "--json", "quarantine", "list").stdout)
    assert listing["matching"] == 1, listing
    row = listing["rows"][0]
    shown = json.loads(world.run(world.ingester, "--json", "quarantine", "show", row["partition"],
                                 row["offset"]).stdout)
    headers = shown[0]["headers"]
    headers = json.loads(headers) if isinstance(headers, str) else headers
    assert headers == [{"key": "id", "value_base64": "/wD+"}, {"key": "text", "value": "café"},
                       {"key": "none", "value": None}]
    world.run(world.ingester, "audit")


def _first(world: World) -> Message:
    reader = Consumer({"bootstrap.servers": world.node.bootstrap_servers, "group.id": world.group,
                       "auto.offset.reset": "earliest", "enable.auto.commit": False,
                       **world.node.client_properties(world.ingester)})
    reader.subscribe([world.topic])
    try:
        return wait_until(lambda: reader.poll(0.1), STARTS_WITHIN, "the record is read")
    finally:
        reader.close()
