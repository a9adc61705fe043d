"""What the lake remembers of each partition, on real brokers: why one is stopped, what an operator gives up by
continuing it, which offsets held no record, and what is lost."""

import os
import re
import signal
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from cluster import Cluster
from shopstream import RECONNECTS_SOON, Running, Shopstream
from waiting import wait_until

BRONZE, QUARANTINE = "bronze-events", "bronze-quarantine"
BEYOND_END, OTHER_RECORD = 1, 2  # The stored reasons of a stop.
STOPPED_AT = 1_700_000_000_000


def bronze(world: Shopstream) -> DeltaTable:
    return DeltaTable(str(world.lake / BRONZE))


def rows(world: Shopstream, *columns: str, partition: int | None = None) -> list[dict]:
    filters = None if partition is None else [("kafka_partition", "=", partition)]
    found = bronze(world).to_pyarrow_table(columns=[*columns, "kafka_partition"], filters=filters)
    return found.to_pylist()


def set_up(world: Shopstream) -> None:
    world.run("topics", "setup")
    world.run("schema", "register")


def catch_up(world: Shopstream, expect: int = 0) -> dict:
    return world.json("ingest", "--until-caught-up", timeout=150, expect=expect)


def fill(world: Shopstream, events: int, *flags: object) -> dict[int, int]:
    """Purchases in Kafka and in the lake. The progress of each partition."""
    set_up(world)
    world.run("generate", "--count", events, "--seed", 7, *flags)
    catch_up(world)
    return {p["partition"]: p["txn"] for p in progress(world)["partitions"]}


def progress(world: Shopstream, expect: int = 0) -> dict:
    return world.json("progress", "show", expect=expect)


def partition_of(report: dict, partition: int) -> dict:
    return report["partitions"][partition]


def differences(world: Shopstream) -> list[tuple[int, int, int, str]]:
    report = world.json("audit", expect=3)
    return [(d["partition"], d["first_offset"], d["last_offset"], d["difference"]) for d in report["differences"]]


def set_txns(world: Shopstream, txns: dict[str, int]) -> None:
    """An empty commit of another engine with these txn actions."""
    nothing = bronze(world).to_pyarrow_table().slice(0, 0)
    write_deltalake(bronze(world), nothing, mode="append", commit_properties=CommitProperties(
        app_transactions=[Transaction(app_id, version) for app_id, version in txns.items()]))


def topic_id(world: Shopstream) -> str:
    return progress(world)["topic_id"]


def stop_partition(world: Shopstream, partition: int, reason: int, kafka_offset: int, **others: int) -> None:
    """Writes into Bronze what an ingest writes when it stops a partition."""
    of_partition = f"shopstream-state/{topic_id(world)}/{partition}"
    set_txns(world, {f"{of_partition}/stop-reason": reason, f"{of_partition}/stop-at": STOPPED_AT,
                     f"{of_partition}/stop-kafka": kafka_offset, **others})


def kafka_admin(world: Shopstream) -> AdminClient:
    return AdminClient({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0})


def expire(world: Shopstream, ends: dict[int, int]) -> None:
    """Moves Kafka's log starts, as retention does."""
    wanted = [TopicPartition(world.topic, partition, end) for partition, end in ends.items()]
    client = kafka_admin(world)  # Futures of a client that is gone never end.
    for done in client.delete_records(wanted).values():
        done.result(30)


def test_a_stopped_partition_is_explained_and_continued(shopstream: Shopstream) -> None:
    """The lake is far beyond the end of partition 0, as after restoring a broker from an old backup."""
    ends = fill(shopstream, 900)
    progress_id = f"shopstream/{topic_id(shopstream)}/0"
    stop_partition(shopstream, 0, BEYOND_END, ends[0], **{progress_id: 10_000})

    report = partition_of(progress(shopstream, expect=3), 0)
    assert report["stopped"] and report["reason"] == "beyond_end" and report["since"].startswith("2023-11-14")
    assert report["would_lose"] == {"first_offset": ends[0], "last_offset": 9_999}
    words = shopstream.run("progress", "show", expect=3).stdout
    assert "Partition 0 has not been read since 2023-11-14" in words
    assert f"gives up offsets {ends[0]} to 9999" in words and "progress accept-loss 0" in words
    health = shopstream.run("health", expect=1).stdout
    assert "partition 0 has not been read since 2023-11-14" in health and "progress show" in health
    note = shopstream.json("group", "describe")[0]["note"]
    assert note.startswith("not read: ") and "progress show" in note

    refused = shopstream.run("progress", "accept-loss", 0, expect=2)
    assert "--yes" in refused.stderr and f"offsets {ends[0]} to 9999" in refused.stdout
    assert partition_of(progress(shopstream, expect=3), 0)["stopped"], "nothing was changed"
    accepted = shopstream.json("progress", "accept-loss", 0, "--yes")
    assert accepted == {"partition": 0, "first_offset": ends[0], "last_offset": 9_999, "continues_at": 10_000}

    report = partition_of(progress(shopstream), 0)
    assert not report["stopped"] and report["lost"] == [{"first_offset": ends[0], "last_offset": 9_999}]
    again = shopstream.run("progress", "accept-loss", 0, "--yes", expect=1)
    assert "is not stopped" in again.stderr
    assert differences(shopstream) == [(0, ends[0], 9_999, "expired")]


def test_only_other_records_are_given_up(shopstream: Shopstream) -> None:
    """The rows of partition 0 from its middle on are of other records than Kafka's."""
    ends = fill(shopstream, 900)
    middle = ends[0] // 2
    bronze(shopstream).update(updates={"kafka_timestamp": "kafka_timestamp + interval '7 seconds'"},
                              predicate=f"kafka_partition = 0 AND kafka_offset >= {middle}")
    assert differences(shopstream) == [(0, middle, ends[0] - 1, "other_content")]

    stop_partition(shopstream, 0, OTHER_RECORD, ends[0] - 1)
    report = partition_of(progress(shopstream, expect=3), 0)
    assert report["would_lose"] == {"first_offset": middle, "last_offset": ends[0] - 1}
    assert report["records_to_lose"] == ends[0] - middle
    words = shopstream.run("progress", "show", expect=3).stdout
    assert f"Kafka has {ends[0] - middle} other records there" in words and "consume --from-beginning" in words
    shopstream.run("progress", "accept-loss", 0, "--yes")
    assert differences(shopstream) == [(0, middle, ends[0] - 1, "expired")]

    shopstream.run("generate", "--count", 90)
    catch_up(shopstream)
    assert differences(shopstream) == [(0, middle, ends[0] - 1, "expired")], "and everything after it is there once"


def test_restored_data_gives_up_nothing(shopstream: Shopstream) -> None:
    ends = fill(shopstream, 900)
    stop_partition(shopstream, 0, BEYOND_END, ends[0] - 10)
    report = partition_of(progress(shopstream, expect=3), 0)
    assert report["would_lose"] == {"first_offset": None, "last_offset": None}
    assert "continuing loses nothing" in shopstream.run("progress", "show", expect=3).stdout
    accepted = shopstream.json("progress", "accept-loss", 0, "--yes")
    assert accepted == {"partition": 0, "first_offset": None, "last_offset": None, "continues_at": ends[0]}
    shopstream.run("generate", "--count", 90)
    catch_up(shopstream)
    assert shopstream.json("audit")["clean"]


def test_accept_loss_refuses_what_it_cannot_do(shopstream: Shopstream) -> None:
    ends = fill(shopstream, 90)
    for arguments, words in [((0,), "is not stopped"), ((3,), "has no partition 3"),
                             ((0, "--until", ends[0] - 1), "is below the offset"),
                             ((0, "--until", ends[0] + 1), "is beyond Kafka's end")]:
        refused = shopstream.run("progress", "accept-loss", *arguments, "--yes", expect=1)
        assert words in refused.stderr, refused.stderr


def test_until_goes_past_records_that_cannot_be_read(shopstream: Shopstream) -> None:
    ends = fill(shopstream, 900)
    shopstream.run("generate", "--count", 900)
    accepted = shopstream.run("progress", "accept-loss", 0, "--until", ends[0] + 5, "--yes").stdout
    assert f"offsets {ends[0]} to {ends[0] + 4} of Kafka's log, 5 in all" in accepted
    assert "Kafka may still deliver records among them" in accepted
    catch_up(shopstream)
    assert differences(shopstream) == [(0, ends[0], ends[0] + 4, "expired")]
    offsets = [row["kafka_offset"] for row in rows(shopstream, "kafka_offset", partition=0)]
    assert len(offsets) == len(set(offsets)) and not set(offsets) & set(range(ends[0], ends[0] + 5))


def test_the_audit_compares_the_contents_of_quarantined_records(shopstream: Shopstream) -> None:
    fill(shopstream, 900, "--malformed-share", 0.2)
    report = shopstream.json("audit")
    assert report["clean"] and report["contents_compared"] == 900
    table = DeltaTable(str(shopstream.lake / QUARANTINE))
    bad = table.to_pyarrow_table(columns=["kafka_partition", "kafka_offset"]).to_pylist()[0]
    where = f"kafka_partition = {bad['kafka_partition']} AND kafka_offset = {bad['kafka_offset']}"
    table.update(updates={"value": "X'00'"}, predicate=where)
    assert differences(shopstream) == [(bad["kafka_partition"], bad["kafka_offset"], bad["kafka_offset"],
                                        "other_content")]


def test_records_that_expire_in_a_partition_that_had_been_empty_are_reported(shopstream: Shopstream) -> None:
    set_up(shopstream)
    catch_up(shopstream)
    assert [p["txn"] for p in progress(shopstream)["partitions"]] == [0, 0, 0], "known at first sight"
    shopstream.run("generate", "--count", 900)
    end = partition_of(progress(shopstream), 0)["end"]
    expire(shopstream, {0: end})
    assert f"offsets 0 to {end - 1} expired" in shopstream.run("health").stdout
    shopstream.run("generate", "--count", 90)
    consumer = shopstream.start("ingest", "--until-caught-up")
    assert consumer.wait(60) == 0, consumer.words()
    assert consumer.says("expired in Kafka before they were read"), consumer.words()
    assert differences(shopstream) == [(0, 0, end - 1, "expired")]
    assert partition_of(progress(shopstream), 0)["lost"] == [{"first_offset": 0, "last_offset": end - 1}]


def produce_transactions(world: Shopstream, transactions: int, records: int, aborted: set[int]) -> None:
    """Each of them to partition 0, with the bytes of one of its records."""
    sample = next(iter(read_values(world)))
    producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "log_level": 0,
                         "transactional.id": f"{world.topic}-transactions"})
    producer.init_transactions(30)
    for number in range(transactions):
        producer.begin_transaction()
        for _ in range(records):
            producer.produce(world.topic, value=sample, key=b"1", partition=0)
        producer.flush(30)
        producer.abort_transaction(30) if number in aborted else producer.commit_transaction(30)


def read_values(world: Shopstream) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "values",
                         "log_level": 0, "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(world.topic, p, 0) for p in range(3)])
        message = wait_until(lambda: consumer.poll(1), 30, "a record")
        return [message.value()]
    finally:
        consumer.close()


def test_markers_and_aborted_records_are_not_expired(shopstream: Shopstream) -> None:
    """Once retention has passed, nothing in Kafka distinguishes them from records."""
    ends = fill(shopstream, 30)
    produce_transactions(shopstream, transactions=6, records=50, aborted={1, 4})
    catch_up(shopstream)
    after = partition_of(progress(shopstream), 0)
    assert after["txn"] == ends[0] + 6 * 51
    assert after["without_record"]["offsets"] == 6 + 2 * 50
    assert shopstream.json("audit")["clean"]
    expire(shopstream, {0: after["txn"]})
    assert shopstream.json("audit")["clean"], "only what held no record is missing"

    gone = max(row["kafka_offset"] for row in rows(shopstream, "kafka_offset", partition=0)) - 5
    bronze(shopstream).delete(f"kafka_partition = 0 AND kafka_offset = {gone}")
    assert differences(shopstream) == [(0, gone, gone, "vanished")]


def state_of(world: Shopstream) -> list[dict[str, Any]]:
    """What the lake alone knows."""
    return [{name: value for name, value in p.items() if name not in ("log_start", "end")}
            for p in progress(world)["partitions"]]


def test_what_is_remembered_survives_the_upkeep_of_other_engines(shopstream: Shopstream, spark: Any) -> None:
    """Compaction, checkpoints and clean-up of the log by delta-rs and Spark."""
    ends = fill(shopstream, 300)
    produce_transactions(shopstream, transactions=2, records=10, aborted={1})
    shopstream.run("generate", "--count", 100)
    expire(shopstream, {1: ends[1] + 3})
    for _ in range(3):
        shopstream.run("generate", "--count", 50)
        catch_up(shopstream)
    remembered = state_of(shopstream)
    assert all("last_record" in p and "without_record" in p for p in remembered)
    assert remembered[0]["without_record"]["offsets"] == 12 and remembered[1]["lost"]

    bronze(shopstream).optimize.compact()
    bronze(shopstream).create_checkpoint()
    log = shopstream.lake / BRONZE / "_delta_log"
    entries = sorted(log.glob("*.json"))
    for entry in entries:  # Older than delta.logRetentionDuration, a day.
        os.utime(entry, (entry.stat().st_atime, entry.stat().st_mtime - 3 * 86_400))
    bronze(shopstream).cleanup_metadata()
    assert not entries[0].exists(), "the entries that first wrote it are gone"
    assert state_of(shopstream) == remembered

    path = str(shopstream.lake / BRONZE)
    shopstream.run("generate", "--count", 50)
    catch_up(shopstream)
    remembered = state_of(shopstream)
    spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.checkpointInterval' = '1')")
    checkpoints = set(log.glob("*.checkpoint.parquet"))
    spark.sql(f"OPTIMIZE delta.`{path}`")
    assert set(log.glob("*.checkpoint.parquet")) - checkpoints, "Spark has written one"
    assert state_of(shopstream) == remembered
    assert differences(shopstream) == [(1, ends[1], ends[1] + 2, "expired")]


def test_the_exit_code_tells_whether_the_lake_has_caught_up(shopstream: Shopstream) -> None:
    ends = fill(shopstream, 900)
    progress_id = f"shopstream/{topic_id(shopstream)}/0"
    set_txns(shopstream, {progress_id: 10_000})
    shopstream.run("generate", "--count", 90)
    done = shopstream.run("ingest", "--until-caught-up", expect=3, timeout=150)
    assert "partition 0" in done.stderr and "progress show" in done.stderr
    done = shopstream.run("ingest", "--until-caught-up", expect=3, timeout=150)
    assert "partition 0" in done.stderr, "a stop outlives the process"
    shopstream.run("progress", "accept-loss", 0, "--yes")
    shopstream.run("ingest", "--until-caught-up", timeout=150)
    assert differences(shopstream) == [(0, ends[0], 9_999, "expired")]


def test_an_interrupted_catch_up_has_not_caught_up(shopstream: Shopstream) -> None:
    fill(shopstream, 30)
    shopstream.run("generate", "--count", 300)
    nowhere = "http://127.0.0.1:9"  # Records wait for their schema.
    consumer = shopstream.start("ingest", "--until-caught-up", SHOPSTREAM_REGISTRY_URL=nowhere)
    wait_until(lambda: consumer.says("the schema registry does not answer"), 60, "it cannot go on")
    consumer.signal(signal.SIGINT)
    assert consumer.wait(60) == 130, consumer.words()
    assert "before the lake had caught up" in consumer.words()


def test_a_plain_ingest_that_is_stopped_has_done_its_work(shopstream: Shopstream) -> None:
    set_up(shopstream)
    for number in (signal.SIGINT, signal.SIGTERM):
        consumer = shopstream.start("ingest")
        shopstream.run("generate", "--count", 300)
        wait_until(lambda: all(p["member"] for p in shopstream.json("group", "describe")), 60, "it has the partitions")
        consumer.signal(number)
        assert consumer.wait(60) == 0, consumer.words()
    catch_up(shopstream)
    assert len(rows(shopstream)) == 600


def test_catching_up_waits_for_brokers_that_restart(shopstream: Shopstream, cluster: Cluster) -> None:
    fill(shopstream, 300)
    shopstream.run("generate", "--count", 300)
    for broker in (1, 2, 3):
        cluster.kill_broker(broker)
    consumer = shopstream.start("ingest", "--until-caught-up", **RECONNECTS_SOON)
    wait_until(lambda: consumer.says("Waiting for Kafka"), 60, "it waits for the brokers")
    cluster.start_brokers()
    assert consumer.wait(120) == 0, consumer.words()
    assert len(rows(shopstream)) == 600


def gauges(running: Running, name: str) -> dict[str, float]:
    """The values of a metric of a running ingest, by its labels."""
    found = re.findall(rf"^{name}(\S*) (\S+)$", running.metrics(), re.MULTILINE)
    return {labels: float(value) for labels, value in found}


LAG, ASSIGNED = "shopstream_ingest_lag_records", "shopstream_ingest_assigned_partitions"


def test_the_lag_of_a_partition_moves_with_it(shopstream: Shopstream) -> None:
    fill(shopstream, 300)
    first, second = (shopstream.start("ingest", SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0") for _ in range(2))
    wait_until(lambda: len(gauges(first, LAG)) + len(gauges(second, LAG)) == 3 and gauges(first, LAG)
               and gauges(second, LAG), 90, "both have partitions, whose lag is known")
    assert not gauges(first, LAG).keys() & gauges(second, LAG).keys()
    assert second.stop() == 0, second.words()
    wait_until(lambda: len(gauges(first, LAG)) == 3, 60, "the other one shows the lag of all partitions")
    assert list(gauges(first, ASSIGNED).values()) == [3]


def test_the_lag_is_unknown_while_no_broker_answers(shopstream: Shopstream, cluster: Cluster) -> None:
    fill(shopstream, 300)
    running = shopstream.start("ingest", SHOPSTREAM_METRICS_LISTEN="127.0.0.1:0", **RECONNECTS_SOON)
    wait_until(lambda: len(gauges(running, LAG)) == 3, 60, "the lag of all partitions is known")
    for broker in (1, 2, 3):
        cluster.kill_broker(broker)
    wait_until(lambda: not gauges(running, LAG), 60, "the lag is not shown")
    wait_until(lambda: running.says("no broker answers: 127.0.0.1:"), 60, "the progress line gives the reason")
    cluster.start_brokers()
    wait_until(lambda: len(gauges(running, LAG)) == 3, 90, "the lag is known again")
    assert running.stop() == 0, running.words()
