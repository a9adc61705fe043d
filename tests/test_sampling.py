"""`observe` on real servers: what it shows of Kafka, the registry and the lake from outside, when they run and when
they do not."""

import http.client
import json
import os
import pathlib
import re
import signal
from collections import Counter
from typing import Any

import pyarrow
import pytest
from deltalake import DeltaTable

from cluster import Cluster
from places import ROOT
from shopstream import COMMITS_SOON, Running, Shopstream, shopstream_world
from waiting import wait_until

PARTITIONS = 3
SMALL_BYTES = 32 << 20
WITHIN = 60.0
EVERY_SECOND = {"SHOPSTREAM_OBSERVE_INTERVAL_MS": "1000", "SHOPSTREAM_METRICS_LISTEN": "127.0.0.1:0"}


class Observer:
    """A running `observe`, and the gauges that it shows now: none while it serves no page, as before it has started."""

    def __init__(self, world: Shopstream, *flags: str, **settings: str):
        self.running: Running = world.start(*flags, "observe", **EVERY_SECOND, **settings)

    def gauges(self) -> dict[str, float]:
        """By the series' name with its labels, as Prometheus prints them."""
        try:
            page = self.running.metrics()
        except (OSError, http.client.HTTPException):  # No answer in time: whoever waits asks again.
            assert self.running.running(), self.running.words()
            return {}
        lines = [line for line in page.splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def of(self, name: str) -> dict[str, float]:
        """The series of one metric, by their labels."""
        return {series.partition("{")[2].rstrip("}"): value for series, value in self.gauges().items()
                if series.partition("{")[0] == name}

    def sum(self, name: str) -> float | None:
        """Of a metric that every partition has; nothing while one is not known."""
        values = self.of(name).values()
        return sum(values) if len(values) == PARTITIONS else None

    def most(self, name: str) -> float | None:
        values = self.of(name).values()
        return max(values) if len(values) == PARTITIONS else None


@pytest.fixture
def filled(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 2000, "--seed", 1, "--malformed-share", 0.05)
    shopstream.run("ingest", "--until-caught-up")
    return shopstream


def test_lag_rises_while_ingest_is_dead_and_falls_when_it_is_back(filled: Shopstream) -> None:
    observer = Observer(filled)
    producer = filled.start("generate", "--rate", 300, "--count", 1_000_000)
    ingest = filled.start("ingest", **COMMITS_SOON)
    wait_until(lambda: observer.sum("shopstream_lag_out_per_second"), WITHIN, "ingest takes records")
    ingest.kill()
    wait_until(lambda: (observer.sum("shopstream_lag_records") or 0) > 1000, WITHIN, "the lag rises")
    seconds = wait_until(lambda: (lag := observer.most("shopstream_lag_seconds") or 0) > 3 and lag, WITHIN,
                         "and gets older")
    records = wait_until(lambda: observer.sum("shopstream_lag_records"), WITHIN, "the lag is known")
    wait_until(lambda: (observer.most("shopstream_lag_seconds") or 0) > seconds + 2
               and (observer.sum("shopstream_lag_records") or 0) > records + 300, WITHIN, "both rise further")
    wait_until(lambda: observer.sum("shopstream_lag_in_per_second"), WITHIN, "Kafka receives records")
    ingest = filled.start("ingest", **COMMITS_SOON)
    wait_until(lambda: (lag := observer.most("shopstream_lag_seconds")) is not None and lag < 3, WITHIN, "it falls")
    producer.stop()
    wait_until(lambda: observer.sum("shopstream_lag_records") == 0, WITHIN, "the lake has everything")
    wait_until(lambda: observer.most("shopstream_lag_seconds") == observer.most("shopstream_lag_clear_seconds") == 0,
               WITHIN, "no record waits")
    assert ingest.stop() == observer.running.stop() == 0


def test_lag_is_that_of_group_describe(filled: Shopstream) -> None:
    filled.run("generate", "--count", 500, "--seed", 2)
    described = filled.json("group", "describe")
    observer = Observer(filled)
    wait_until(lambda: observer.sum("shopstream_lag_seconds"), WITHIN, "the lag is known")
    gauges = wait_until(observer.gauges, WITHIN, "the page is served")
    for row in described:
        labels = f'{{partition="{row["partition"]}",topic="{filled.topic}"}}'
        assert gauges[f"shopstream_lag_records{labels}"] == row["lag"]
        assert gauges[f"shopstream_lake_next_offset{labels}"] == row["lake_txn"]
        assert gauges[f"shopstream_partition_end_offset{labels}"] == row["end"]
        assert row["lag_seconds"] <= gauges[f"shopstream_lag_seconds{labels}"] < row["lag_seconds"] + 60


def test_tables_are_as_delta_rs_sees_them(filled: Shopstream) -> None:
    filled.run("refine", timeout=120)
    observer = Observer(filled)
    paths = sorted(str(log.parent.relative_to(filled.lake)) for log in filled.lake.glob("**/_delta_log"))
    assert {"bronze-events", "bronze-quarantine", "silver-events", "gold-metrics/revenue_hourly"} <= set(paths)
    wait_until(lambda: len(observer.of("shopstream_table_files")) == len(paths), WITHIN, "every table is seen")
    gauges = wait_until(observer.gauges, WITHIN, "the page is served")
    for path in paths:
        table = DeltaTable(str(filled.lake / path))
        adds = pyarrow.table(table.get_add_actions(flatten=True)).to_pylist()
        # Compaction has nothing to do with the only small file of a partition.
        by_partition = Counter(tuple(value for name, value in sorted(add.items()) if name.startswith("partition."))
                               for add in adds if add["size_bytes"] < SMALL_BYTES)
        small = sum(files for files in by_partition.values() if files > 1)

        def shown(name: str, path: str = path) -> float:
            return gauges[f'shopstream_table_{name}{{table="{path}"}}']

        assert shown("version") == table.version()
        assert shown("files") == len(adds)
        assert shown("bytes") == sum(add["size_bytes"] for add in adds)
        assert shown("rows") == sum(add["num_records"] for add in adds)
        assert shown("small_files") == small
        if adds:
            assert shown("small_files_ratio") == small / len(adds)
        assert shown("last_commit_timestamp_seconds") == table.history(1)[0]["timestamp"] / 1000
        described = filled.json("table", "describe", path)
        through = f'shopstream_table_complete_through_timestamp_seconds{{table="{path}"}}'
        assert (described["complete_through"] is None) == (through not in gauges)
    causes = DeltaTable(str(filled.lake / "bronze-quarantine")).to_pyarrow_table(columns=["cause"])["cause"]
    expected = {f'cause="{cause}"': count for cause, count in Counter(causes.to_pylist()).items()}
    wait_until(lambda: observer.of("shopstream_quarantine_rows") == expected, WITHIN, "quarantine is counted")


def test_a_stopped_broker_is_seen_and_its_return(filled: Shopstream, cluster: Cluster) -> None:
    observer = Observer(filled)

    def up() -> list[float]:
        return [value for labels, value in sorted(observer.of("shopstream_broker_up").items()) if 'broker=""' not in labels]

    behind = f'topic="{filled.topic}"'
    wait_until(lambda: up() == [1, 1, 1], WITHIN, "all brokers are up")
    wait_until(lambda: observer.of("shopstream_topic_under_replicated_partitions") == {behind: 0}, WITHIN,
               "all replicas are in sync")
    wait_until(lambda: sum(observer.of("shopstream_broker_leader_partitions").values()) == PARTITIONS, WITHIN,
               "every partition has a leader")
    cluster.stop_brokers([2])
    wait_until(lambda: sum(up()) == 2 and len(up()) == 3, WITHIN, "one is down")
    wait_until(lambda: observer.of("shopstream_topic_under_replicated_partitions") == {behind: 3}, WITHIN,
               "its replicas are behind")
    wait_until(lambda: observer.of("shopstream_brokers") == {"": 2}, WITHIN, "the cluster has two brokers")
    wait_until(lambda: observer.sum("shopstream_lag_records") == 0, WITHIN, "the lag is known without it")
    wait_until(lambda: observer.running.says("broker 2 at"), WITHIN, "the log names the broker")
    cluster.start_brokers([2])
    wait_until(lambda: sum(up()) == 3, WITHIN, "it is up again")
    wait_until(lambda: observer.of("shopstream_topic_under_replicated_partitions") == {behind: 0}, WITHIN,
               "its replicas have caught up")
    wait_until(lambda: observer.running.says("broker 2 at") and observer.running.says("is back"), WITHIN,
               "the log says so")


def test_it_starts_before_anything_exists_and_sees_everything_come(one_node: Cluster, tmp_path: pathlib.Path) -> None:
    one_node.stop_registry()
    one_node.stop_brokers()
    with shopstream_world(one_node, tmp_path, "not-yet") as world:
        observer = Observer(world)
        try:
            wait_until(lambda: observer.of("shopstream_registry_up") == {"": 0}, WITHIN, "the registry is down")
            wait_until(lambda: list(observer.of("shopstream_broker_up").values()) == [0], WITHIN, "the broker is down")
            wait_until(lambda: observer.running.says("table bronze-events: does not exist yet"), WITHIN, "no table")
            assert not observer.of("shopstream_lag_records") and not observer.of("shopstream_table_files")
        finally:
            one_node.start_brokers()
            one_node.start_registry()
        wait_until(lambda: observer.running.says("topic not-yet: does not exist yet"), WITHIN, "no topic")
        world.run("topics", "create", "not-yet", "--partitions", PARTITIONS, "--replication-factor", 1)
        world.run("generate", "--count", 100)
        wait_until(lambda: observer.sum("shopstream_lag_records") == 100, WITHIN, "everything is lag without a lake")
        wait_until(lambda: observer.most("shopstream_lag_seconds"), WITHIN, "which has an age")
        world.run("ingest", "--until-caught-up")
        wait_until(lambda: observer.sum("shopstream_lag_records") == 0, WITHIN, "the lake has everything")
        wait_until(lambda: observer.of("shopstream_table_rows").get('table="bronze-events"') == 100, WITHIN, "100 rows")
        wait_until(lambda: observer.of("shopstream_registry_up") == {"": 1}, WITHIN, "the registry is up")
        assert observer.running.stop() == 0


def test_a_part_that_hangs_holds_up_no_other(filled: Shopstream, cluster: Cluster) -> None:
    observer = Observer(filled)
    known = "shopstream_observe_part_known"
    wait_until(lambda: observer.of(known).get('part="registry"') == 1
               and observer.sum("shopstream_lag_records") == 0, WITHIN, "everything is seen")
    pid = cluster.registry_pid()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: observer.of("shopstream_registry_up") == {"": 0}, WITHIN, "the registry hangs")
        assert not observer.of("shopstream_registry_subjects")
        def sampled() -> float:
            return observer.of("shopstream_observe_part_timestamp_seconds").get('part="lag"', 0)

        since = wait_until(sampled, WITHIN, "the lag is sampled")
        wait_until(lambda: sampled() > since + 2, 10, "the lag is sampled every second")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: observer.of("shopstream_registry_up") == {"": 1}, WITHIN, "the registry answers again")


def test_a_sample_costs_one_request_per_broker_and_group(filled: Shopstream) -> None:
    """As the client's own log counts them."""
    observer = Observer(filled, "--log-level", "debug", SHOPSTREAM_KAFKA_SECURITY_DEBUG="protocol")

    def sent() -> list[str]:
        return re.findall(r"Sent (\w+)Request", observer.running.errors.read_text(errors="replace"))

    first = wait_until(lambda: (log := sent()).count("OffsetFetch") >= 2 and len(log), WITHIN, "it samples")
    samples = 5
    log = wait_until(lambda: (log := sent()[first:]).count("OffsetFetch") >= samples and log, WITHIN,
                     "it samples further")
    cost = Counter(log)
    # A slice of the log may begin or end within a sample. A group may be asked for by both of its protocols.
    described = max(cost["DescribeGroups"], cost["ConsumerGroupDescribe"])
    assert abs(cost["OffsetFetch"] - described) <= 1, cost
    # One to each broker; twice that once a minute, for log starts.
    assert cost["ListOffsets"] <= 3 * (cost["OffsetFetch"] + 3), cost
    assert cost["Fetch"] == 0, cost  # Nothing is behind, so no record is read.


def test_every_sample_can_be_read_as_json(filled: Shopstream) -> None:
    running = filled.start("--json", "observe", **EVERY_SECOND)

    def printed() -> list[dict[str, Any]]:
        """The samples, by their complete lines, that have the lag and the table."""
        complete = running.output.read_text().split("\n")[:-1]
        return [sample for sample in map(json.loads, complete)
                if sample["lag"].get("partitions") and sample["tables"]["bronze-events"].get("files")
                and sample["brokers"].get("controller")]

    wait_until(lambda: len(printed()) >= 2, WITHIN, "two samples are printed")
    assert running.stop() == 0
    sample = printed()[-1]
    assert sample["topic"] == filled.topic and len(sample["lag"]["partitions"]) == PARTITIONS
    assert sample["tables"]["bronze-events"]["files"] > 0
    assert sample["brokers"]["controller"] in {broker["id"] for broker in sample["brokers"]["brokers"]}


def test_all_topics_and_groups_of_the_cluster(filled: Shopstream) -> None:
    other = f"{filled.topic}-other"
    filled.run("topics", "create", other)
    observer = Observer(filled, SHOPSTREAM_OBSERVE_TOPICS="all", SHOPSTREAM_OBSERVE_GROUPS="all")
    wait_until(lambda: observer.of("shopstream_topic_partitions").get(f'topic="{other}"'), WITHIN, "the topic is seen")

    def lags() -> list[float]:
        return [value for labels, value in observer.of("shopstream_group_lag_records").items()
                if f'group="{filled.group}"' in labels]

    wait_until(lambda: lags() == [0, 0, 0], WITHIN, "the group is seen, and has committed everything")


def test_every_metric_is_documented() -> None:
    source = (ROOT / "src/observe/sample_metrics.cc").read_text()
    known = {name: set(filter(None, labels.split(","))) for name, labels in
             re.findall(r'\{k\w+,\s*"(shopstream_\w+)",\s*"([^"]*)"', source)}
    documented = {name: set(filter(None, labels.split(", "))) for name, labels in
                  re.findall(r"^\| (shopstream_\w+)(?:\{([^}]*)\})? \|", (ROOT / "docs/observe.md").read_text(), re.MULTILINE)}
    assert known == documented and len(known) == source.count("{k")
