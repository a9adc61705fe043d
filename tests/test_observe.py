"""audit, consume, group describe, quarantine and health on a real cluster; differences are planted in the lake with
delta-rs, an independent writer."""

import datetime
import json
import signal
import subprocess
from collections import Counter

import pyarrow
from confluent_kafka.admin import AdminClient
from deltalake import DeltaTable, write_deltalake

from cluster import Cluster
from shopstream import Shopstream
from waiting import wait_until

EVENTS = 3000
BRONZE = "bronze-events"


def fill(world: Shopstream, *flags: object) -> None:
    """Purchases in Kafka and, after ingest has caught up, in the lake."""
    world.run("topics", "setup")
    world.run("generate", "--count", EVENTS, "--seed", 7, *flags)
    world.run("ingest", "--until-caught-up", timeout=120)


def bronze(world: Shopstream) -> DeltaTable:
    return DeltaTable(str(world.lake / BRONZE))


def one_row(world: Shopstream) -> pyarrow.Table:
    return bronze(world).to_pyarrow_table().slice(0, 1)


def coordinates(row: pyarrow.Table) -> tuple[int, int]:
    return row["kafka_partition"][0].as_py(), row["kafka_offset"][0].as_py()


def append(world: Shopstream, row: pyarrow.Table) -> None:
    write_deltalake(bronze(world), row, mode="append")


def delete_topic(cluster: Cluster, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
    admin.delete_topics([name])[name].result(30)
    wait_until(lambda: name not in admin.list_topics(timeout=10).topics, 30, f"{name} is gone")


def differences(world: Shopstream) -> list[tuple[int, int, int, str]]:
    report = world.json("audit", expect=3)
    assert not report["clean"]
    return [(d["partition"], d["first_offset"], d["last_offset"], d["difference"]) for d in report["differences"]]


def test_audit_finds_every_record_exactly_once(shopstream: Shopstream) -> None:
    fill(shopstream, "--malformed-share", 0.1)
    report = shopstream.json("audit")
    assert report["clean"] and not report["differences"]
    assert report["kafka_records"] == EVENTS
    rows = sum(p["bronze_rows"] for p in report["partitions"])
    quarantined = sum(p["quarantined_rows"] for p in report["partitions"])
    assert rows == bronze(shopstream).to_pyarrow_table(columns=["kafka_offset"]).num_rows
    assert quarantined > 0 and rows + quarantined == EVENTS
    assert all(p["lag"] == 0 and p["gaps"] == p["doubles"] == p["others"] == 0 for p in report["partitions"])
    assert "Clean: 3,000 records" in shopstream.run("audit").stdout


def test_audit_finds_a_planted_gap(shopstream: Shopstream) -> None:
    fill(shopstream)
    partition, offset = coordinates(one_row(shopstream))
    bronze(shopstream).delete(f"kafka_partition = {partition} and kafka_offset = {offset}")
    assert differences(shopstream) == [(partition, offset, offset, "missing")]
    text = shopstream.run("audit", expect=3).stdout
    assert "but in no table" in text and "Clean" not in text


def test_audit_finds_a_planted_double(shopstream: Shopstream) -> None:
    fill(shopstream)
    row = one_row(shopstream)
    partition, offset = coordinates(row)
    append(shopstream, row)
    assert differences(shopstream) == [(partition, offset, offset, "twice_in_bronze")]


def test_audit_finds_rows_that_no_progress_covers(shopstream: Shopstream) -> None:
    fill(shopstream)
    row = one_row(shopstream)
    partition, _ = coordinates(row)
    column = row.schema.get_field_index("kafka_offset")
    append(shopstream, row.set_column(column, row.schema.field(column), pyarrow.array([10**6], pyarrow.int64())))
    assert differences(shopstream) == [(partition, 10**6, 10**6, "beyond_progress")]


def test_audit_counts_all_differences_and_lists_the_first(shopstream: Shopstream) -> None:
    fill(shopstream)
    bronze(shopstream).delete("kafka_offset % 2 = 0")
    report = shopstream.json("audit", "--limit", 5, expect=3)
    assert len(report["differences"]) == 5
    gaps = sum(p["gaps"] for p in report["partitions"])
    assert gaps == EVENTS - sum(p["bronze_rows"] for p in report["partitions"])
    assert report["differences_left_out"] == gaps - 5


def test_records_not_ingested_yet_are_lag_and_no_gap(shopstream: Shopstream) -> None:
    fill(shopstream)
    shopstream.run("generate", "--count", 500, "--seed", 8)
    report = shopstream.json("audit")
    assert report["clean"]
    assert sum(p["lag"] for p in report["partitions"]) == 500
    lags = shopstream.json("group", "describe")
    assert [lag["lag"] for lag in lags] == [p["lag"] for p in report["partitions"]]
    assert [lag["lake_txn"] for lag in lags] == [p["txn"] for p in report["partitions"]]
    assert all(0 < lag["lag_seconds"] < 60 for lag in lags if lag["lag"] > 0)

    shopstream.run("ingest", "--until-caught-up", timeout=120)
    lags = shopstream.json("group", "describe")
    assert all(lag["lag"] == 0 and lag["lag_seconds"] == 0 for lag in lags)
    assert [lag["lake_txn"] for lag in lags] == [lag["end"] for lag in lags]


def test_group_describe_names_who_reads_each_partition(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 50, "--seed", 7)
    assert [lag["member"] for lag in shopstream.json("group", "describe")] == [None] * 3
    ingest = shopstream.start("ingest", SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID="till-7")
    members = wait_until(lambda: {lag["member"] for lag in shopstream.json("group", "describe")} - {None}, 30,
                         "a member owns partitions")
    assert all(member.startswith("till-7 at ") for member in members)
    assert ingest.stop() == 0, ingest.words()


def test_a_topic_created_again_leaves_its_rows_to_be_audited_alone(shopstream: Shopstream, cluster: Cluster) -> None:
    fill(shopstream)
    first = shopstream.json("audit")["topic_id"]
    delete_topic(cluster, shopstream.topic)
    fill(shopstream)
    report = shopstream.json("audit")
    assert report["topic_id"] != first
    earlier = [p for p in report["partitions"] if p["topic_id"] == first]
    assert sum(p["bronze_rows"] for p in earlier) == EVENTS
    assert all(p["end"] is None for p in earlier)


def test_audit_without_a_lake_says_so(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    assert BRONZE in shopstream.run("audit", expect=1).stderr


def test_consume_prints_values_and_why_there_is_none(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 300, "--seed", 7, "--malformed-share", 0.3)
    lines = shopstream.run("consume", "--from-beginning", "--max", 300).stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert len({(r["partition"], r["offset"]) for r in records}) == 300
    good = [r for r in records if r.get("value")]
    bad = [r for r in records if "error" in r]
    assert good and bad
    assert all(r["key"] == str(r["value"]["user_id"]) for r in good if r["key"].isdigit())
    assert all({"event_id", "region", "amount"} <= r["value"].keys() for r in good)
    assert all(r["value"]["timestamp"].endswith("Z") for r in good)
    assert all(r["error"] and set(r["value_hex"]) <= set("0123456789abcdef") for r in bad)


def test_consume_without_the_beginning_waits_for_what_comes(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 50, "--seed", 7)
    running = shopstream.start("consume")
    wait_until(lambda: running.says("press Ctrl-C to stop"), 30, "consume reads")
    shopstream.run("generate", "--count", 20, "--seed", 8)
    wait_until(lambda: len(running.output.read_text().splitlines()) >= 20, 30, "20 messages printed")
    running.signal(signal.SIGINT)
    assert running.wait(20) == 0, running.words()
    assert len(running.output.read_text().splitlines()) == 20


def test_consume_begins_and_stops_where_it_is_told(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 300, "--seed", 7)
    everything = consumed(shopstream, "-o", "start", "-e")
    ends = Counter(partition for partition, _, _ in everything)
    assert sum(ends.values()) == 300 and len(ends) == 3
    last = {p: [(p, end - i) for i in range(5, 0, -1)] for p, end in ends.items()}

    def places(*arguments: object) -> list[tuple[int, int]]:
        return sorted((partition, offset) for partition, offset, _ in consumed(shopstream, *arguments))

    # The last five of each partition, then the end; however the number is given.
    for five in ("-o", "-5"), ("--offset", "-5"), ("--offset=-5",):
        assert places(*five) == sorted(sum(last.values(), []))
    assert places(shopstream.topic, "-n", 5, "--offset", -5, "--partition", 1) == last[1]
    assert len(places("-o", "-5", "-n", 7)) == 7
    assert places("-o", ends[0] - 2, "-p", 0, "-e") == last[0][3:]
    assert places("-o", f"+{ends[2] - 1}", "-p", "2,2", "-e") == last[2][4:]
    assert len(places("-o", "+0", "-p", "0,2", "-e")) == ends[0] + ends[2]
    assert places("-o", "-1000000", "-e") == places("--from-beginning", "--exit")
    assert places("-e") == places("-o", "@4102444800000", "-e") == places("-o", "end", "-e") == []
    # One user's purchases.
    key, count = Counter(key for _, _, key in everything).most_common(1)[0]
    assert [k for _, _, k in consumed(shopstream, "-o", "start", "-e", "--key", key)] == [key] * count
    assert consumed(shopstream, "-o", "start", "-e", "--key", "nobody") == []
    # What is produced after a moment.
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(milliseconds=5)
    wait_until(lambda: datetime.datetime.now(datetime.timezone.utc) > moment, 5, "a later millisecond")
    shopstream.run("generate", "--count", 20, "--seed", 8)
    for time in f"@{moment:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z", f"@{int(moment.timestamp() * 1000)}":
        assert len(places("-o", time, "-n", 20)) == 20 == len(places("-o", time, "-e"))
    done = shopstream.run("consume", "-p", 7, expect=1)
    assert f"topic {shopstream.topic} has no partition 7: its partitions are 0 to 2" in done.stderr
    done = shopstream.run("consume", shopstream.topic + "x", "-e", expect=1)
    assert f"did you mean '{shopstream.topic}'?" in done.stderr


def consumed(shopstream: Shopstream, *arguments: object) -> list[tuple[int, int, str]]:
    records = map(json.loads, shopstream.run("consume", *arguments).stdout.splitlines())
    return [(record["partition"], record["offset"], record["key"]) for record in records]


def test_quarantine_lists_and_shows(shopstream: Shopstream) -> None:
    fill(shopstream, "--malformed-share", 0.1)
    listing = shopstream.json("quarantine", "list", "--limit", 5)
    counts = {row["cause"]: row["rows"] for row in listing["by_cause"]}
    assert len(listing["rows"]) == 5 and listing["matching"] == sum(counts.values())

    cause = max(counts, key=lambda name: counts[name])
    chosen = shopstream.json("quarantine", "list", "--cause", cause)
    assert chosen["matching"] == counts[cause]
    assert {row["cause"] for row in chosen["rows"]} == {cause}

    row = chosen["rows"][0]
    (shown,) = shopstream.json("quarantine", "show", row["partition"], row["offset"])
    assert (shown["cause"], shown["topic"]) == (cause, shopstream.topic)
    assert len(bytes.fromhex(shown["value_hex"] or "")) == (row["bytes"] or 0)
    text = shopstream.run("quarantine", "show", row["partition"], row["offset"]).stdout
    assert f"cause       {cause}" in text

    missing = shopstream.run("quarantine", "show", 0, 10**9, expect=1)
    assert "is not in quarantine" in missing.stderr


def test_an_empty_quarantine_is_said_so(shopstream: Shopstream) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 1)
    shopstream.run("ingest", "--until-caught-up")
    assert "Nothing is in quarantine" in shopstream.run("quarantine", "list").stdout


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {row["component"]: row["state"] for row in json.loads(done.stdout)}


def test_health_of_a_cluster_at_work(shopstream: Shopstream) -> None:
    fill(shopstream)
    seen = states(shopstream.run("--json", "health"))
    assert len([name for name in seen if name.startswith("broker ")]) == 3
    assert set(seen.values()) == {"ok"}, seen


def test_health_before_anything_was_made(shopstream: Shopstream) -> None:
    done = shopstream.run("--json", "health", expect=1)
    assert states(done)[f"topic {shopstream.topic}"] == "down"
    assert states(done)["lake"] == "degraded"
    assert "topics create" in done.stdout


def test_health_names_a_dead_broker_and_goes_on(shopstream: Shopstream, cluster: Cluster) -> None:
    fill(shopstream)
    cluster.stop_brokers([2])
    done = shopstream.run("--json", "health", expect=1)
    seen = states(done)
    assert seen[f"broker 127.0.0.1:{cluster.ports.broker(2)}"] == "down"
    assert seen[f"broker 127.0.0.1:{cluster.ports.broker(1)}"] == "ok"
    assert (seen["registry"], seen["lake"]) == ("ok", "ok")


def test_health_of_a_dead_registry_hides_nothing_else(shopstream: Shopstream) -> None:
    fill(shopstream)
    seen = states(shopstream.run("--json", "health", expect=1,
                                 SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:9"))
    assert seen.pop("registry") == "down"
    assert set(seen.values()) == {"ok"}, seen
