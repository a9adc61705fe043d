"""The lake continues in a mirror of its topic: no record is lost or doubled, and what cannot be proved is refused."""

import pathlib
from collections import Counter

import pytest
from deltalake import DeltaTable

from mirrored_topic import MirroredTopic
from shopstream import Shopstream

TABLES = ("bronze-events", "bronze-quarantine")


def fill(world: Shopstream, count: int, seed: int) -> None:
    world.run("generate", "--count", count, "--malformed-share", "0.05", "--seed", seed)


@pytest.fixture
def shop(shopstream: Shopstream) -> Shopstream:
    """A topic of a thousand records, all of which are in the lake."""
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    fill(shopstream, 1000, seed=1)
    shopstream.run("ingest", "--until-caught-up")
    return shopstream


class Mirror(MirroredTopic):
    """A mirror of the world's topic, in the same cluster and therefore of another name."""

    def __init__(self, world: Shopstream, source: str = "", name: str = "mirror"):
        super().__init__(world.cluster.bootstrap_servers, source or world.topic, f"{world.topic}.{name}")
        self.world = world
        self.settings = {"SHOPSTREAM_KAFKA_TOPIC": self.mirror, "SHOPSTREAM_KAFKA_GROUP": f"{self.mirror}-group"}

    def produce(self, count: int, seed: int) -> None:
        """Producers that have failed over."""
        self.world.run("schema", "register", **self.settings)
        self.world.run("generate", "--count", count, "--malformed-share", "0.05", "--seed", seed, **self.settings)

    def adopt(self, *flags: str, expect: int = 0) -> str:
        return self.world.run("ingest", "--adopt", *flags, "--until-caught-up", expect=expect, timeout=100,
                              **self.settings).stderr

    def audit(self) -> dict:
        return self.world.json("audit", **self.settings)


def records(lake: pathlib.Path) -> Counter:
    """How often each record is in the lake, by what it says: coordinates differ between a record and its copy."""
    bronze, quarantine = (DeltaTable(str(lake / name)) for name in TABLES)
    rows = bronze.to_pyarrow_table(columns=["event_id", "kafka_timestamp"]).to_pylist()
    undecodable = quarantine.to_pyarrow_table(columns=["value", "kafka_timestamp"]).to_pylist()
    return Counter(tuple(row.values()) for row in rows + undecodable)


def check(mirror: Mirror, count: int) -> None:
    """The lake has `count` records, each once, and the audit agrees."""
    found = records(mirror.world.lake)
    assert found.total() == count
    # Two records that nobody can decode may be equal, down to the millisecond.
    assert [record for record, times in found.items() if times > 1 and isinstance(record[0], str)] == []
    report = mirror.audit()
    assert report["clean"], report["differences"]
    adopted = [p["adopted"] for p in report["partitions"] if p["topic_id"] == report["topic_id"]]
    assert len(adopted) == mirror.partitions and all(adopted), adopted


def test_a_mirror_that_is_ahead_of_the_lake_is_continued_there_and_back(shop: Shopstream) -> None:
    """The source had 300 records that the lake had not read yet. Producers continue in the mirror."""
    fill(shop, 300, seed=2)
    mirror = Mirror(shop)
    mirror.copy()
    mirror.produce(200, seed=3)
    two = [shop.start("ingest", "--adopt", "--until-caught-up", **mirror.settings) for _ in range(2)]
    assert [one.wait(100) for one in two] == [0, 0], [one.words() for one in two]
    check(mirror, 1500)
    version = mirror.audit()["bronze_version"]
    assert "already continues the topic" in mirror.adopt()
    check(mirror, 1500)
    assert mirror.audit()["bronze_version"] <= version + 1, "at most a heartbeat"

    shop.run("ingest", "--until-caught-up", expect=3, timeout=100)
    assert "continues with a mirror of this topic" in shop.run("progress", "show", expect=None).stdout
    refused = shop.run("progress", "accept-loss", 0, "--yes", expect=1)
    assert "failover.md" in refused.stderr

    back = Mirror(shop, mirror.mirror, "back")  # Failing back is the same act.
    back.copy()
    back.produce(100, seed=4)
    back.adopt()
    check(back, 1600)


def test_a_lake_that_is_ahead_of_the_mirror_waits_for_an_operator(shop: Shopstream) -> None:
    mirror = Mirror(shop)
    mirror.copy(keep_back=20)
    version = shop.json("audit")["bronze_version"]
    refused = mirror.adopt(expect=1)
    assert "partition 0: " in refused and "partition 2: " in refused and "--mirror-ended" in refused
    assert "the lake's last 20 rows" in refused
    assert shop.json("audit")["bronze_version"] == version, "nothing was changed"

    mirror.produce(200, seed=3)
    mirror.adopt("--mirror-ended")
    check(mirror, 1200)


def test_copies_that_arrive_among_new_records_are_kept_out(shop: Shopstream) -> None:
    """Producers failed over before mirroring was done."""
    mirror = Mirror(shop)
    mirror.copy(keep_back=40)
    mirror.produce(100, seed=3)
    mirror.copy(keep_back=10)
    mirror.produce(100, seed=4)
    mirror.copy()
    assert "copies among new records" in mirror.adopt()
    check(mirror, 1200)
    assert all(p["adopted"]["copies"] == 40 for p in mirror.audit()["partitions"]
               if p["topic_id"] == mirror.audit()["topic_id"])


def test_what_is_no_faithful_mirror_is_refused(shop: Shopstream) -> None:
    mirror = Mirror(shop)
    mirror.copy(with_timestamps=False)
    version = shop.json("audit")["bronze_version"]
    refused = mirror.adopt(expect=1)
    assert "partition 0: " in refused and "message.timestamp.type=CreateTime" in refused
    assert shop.json("audit")["bronze_version"] == version
    usage = shop.run("ingest", "--mirror-ended", expect=2)
    assert "--adopt" in usage.stderr
