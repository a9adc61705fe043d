"""The real Prometheus watches a live pipeline through the rules of deploy/prometheus: for each fault the right alert
fires, and clears after the repair. Fills a small disk, so it needs root."""

import dataclasses
import os
import time
from collections.abc import Callable, Iterator

import pytest

from cluster import Cluster
from places import ROOT
from probes import served_at
from prometheus_server import QUICK, Prometheus, prometheus_server
from shopstream import Running, Shopstream, shopstream_world
from small_disk import Disk, small_disk
from waiting import wait_until

FIRES_WITHIN = CLEARS_WITHIN = 45.0
# What may follow from a fault besides the alerts that name it, and from a busy machine.
WAITING = {"ShopstreamIngestPaused", "ShopstreamLagHigh", "ShopstreamLagNotClearing", "ShopstreamNotReady",
           "ShopstreamProcessDown", "ShopstreamIngestDown", "ShopstreamObserveDown"}  # The last: a slow scrape.
ELECTION = {"ShopstreamCommitFailing", "ShopstreamLagUnknown", "ShopstreamObserveBlind", "ShopstreamPartitionsLeaderless",
            "ShopstreamPartitionsUnassigned", "ShopstreamRebalancing", "ShopstreamRegistryErrors"}


@dataclasses.dataclass
class Pipeline:
    world: Shopstream
    disk: Disk
    prometheus: Prometheus
    ingest: Running
    ingest_address: str

    def start_ingest(self) -> None:
        self.ingest = start_ingest(self.world, self.ingest_address)

    def expect(self, alerts: set[str], fault: Callable[[], object], repair: Callable[[], object],
               consequences: set[str]) -> None:
        """The fault makes these alerts fire; the repair clears them. No others fire but consequences and WAITING."""
        wait_until(lambda: not self.prometheus.firing(), CLEARS_WITHIN, "nothing fires before the fault")
        begun = time.monotonic()
        fault()
        wait_until(lambda: alerts <= self.prometheus.firing(), FIRES_WITHIN, f"{alerts} fire", interval=0.2)
        fired = time.monotonic()
        for alert in self.prometheus.alerts():
            words = alert["annotations"]
            assert words["runbook_url"].endswith("#" + alert["labels"]["alertname"].lower())
            assert "{{" not in words["summary"] + words["description"] and "<error" not in words["summary"], words
        repair()
        wait_until(lambda: not alerts & self.prometheus.firing(), CLEARS_WITHIN, f"{alerts} clear", interval=0.2)
        wait_until(lambda: not self.prometheus.firing(), CLEARS_WITHIN, "everything clears", interval=0.2)
        cleared = time.monotonic()
        print(f"fired after {fired - begun:.1f} s, cleared after {cleared - fired:.1f} s")
        assert alerts <= self.prometheus.fired_since(cleared - begun) <= alerts | WAITING | consequences


def start_ingest(world: Shopstream, address: str) -> Running:
    # A fixed member's partitions do not wait for the session of the one that was killed.
    return world.start("ingest", SHOPSTREAM_METRICS_LISTEN=address, SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS="200",
                       SHOPSTREAM_INGEST_BATCH_SIZE="1", SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID="only")


@pytest.fixture(scope="module")
def pipeline(session_cluster: Cluster, prometheus_port: int,
             tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    session_cluster.start_brokers()
    session_cluster.start_registry()
    folder = tmp_path_factory.mktemp("alerts")
    with small_disk(folder / "disk") as disk, shopstream_world(session_cluster, folder, f"alerts-{os.getpid()}") as world:
        world.lake = disk.folder / "lake"
        world.run("topics", "setup")
        world.run("schema", "register", ROOT / "schemas/purchase_event.avsc")
        anywhere = {"SHOPSTREAM_METRICS_LISTEN": "127.0.0.1:0"}
        producer = world.start("generate", "--rate", "50", **anywhere)
        ingest = start_ingest(world, "127.0.0.1:0")
        observe = world.start("observe", SHOPSTREAM_OBSERVE_INTERVAL_MS="1000", **anywhere)
        addresses = {name: served_at(running).removeprefix("http://")
                     for name, running in {"producer": producer, "ingest": ingest, "observe": observe}.items()}
        targets = {**{f"{name}_targets": [address] for name, address in addresses.items()},
                   "registry_targets": [session_cluster.registry_url.removeprefix("http://")],
                   "refine_targets": [], "console_targets": []}
        with prometheus_server(folder / "prometheus", prometheus_port, {**QUICK, **targets}) as prometheus:
            watched = Pipeline(world, disk, prometheus, ingest, addresses["ingest"])
            wait_until(lambda: prometheus.query("topic:shopstream_lag_in_per_second:sum > 0"), 60, "records flow")
            yield watched


def test_a_stopped_broker(pipeline: Pipeline, session_cluster: Cluster) -> None:
    pipeline.expect({"ShopstreamBrokerDown", "ShopstreamTopicUnderReplicated"}, lambda: session_cluster.kill_broker(2),
                    lambda: session_cluster.start_brokers([2]), ELECTION)


def test_a_killed_ingest(pipeline: Pipeline) -> None:
    pipeline.expect({"ShopstreamIngestDown", "ShopstreamLagHigh"}, pipeline.ingest.kill, pipeline.start_ingest,
                    {"ShopstreamPartitionsUnassigned"})


def test_a_full_disk(pipeline: Pipeline) -> None:
    pipeline.expect({"ShopstreamCommitFailing"}, pipeline.disk.fill, pipeline.disk.free,
                    {"ShopstreamMaintenanceFailing"})


def test_a_poisoned_topic(pipeline: Pipeline) -> None:
    poisoned: list[Running] = []

    def poison() -> None:
        poisoned.append(pipeline.world.start("generate", "--rate", "50", "--malformed-share", "1"))

    pipeline.expect({"ShopstreamQuarantineRising"}, poison, lambda: poisoned[0].stop(), set())
