"""An earlier program and this one use one lake at the same time, both killed over and over."""

import os
import pathlib
import random
import subprocess
import time
from collections import Counter

import pytest
from confluent_kafka import Consumer, TopicPartition
from deltalake import DeltaTable

from cluster import DEPS, ROOT
from shopstream import Running, Shopstream
from waiting import wait_until

EARLIER = "a1546e8"
BRONZE, QUARANTINE = "bronze-events", "bronze-quarantine"
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}
KILLS = 30


@pytest.fixture(scope="module")
def earlier_program() -> pathlib.Path:
    """Built from its commit, unless SHOPSTREAM_EARLIER_BINARY names a binary."""
    if built := os.environ.get("SHOPSTREAM_EARLIER_BINARY"):
        return pathlib.Path(built)
    checkout = ROOT / "build/earlier" / EARLIER
    if not checkout.exists():
        subprocess.run(["git", "worktree", "add", "--detach", checkout, EARLIER], cwd=ROOT, check=True)
    subprocess.run([checkout / "scripts/build", "release", "shopstream"], check=True,
                   env={**os.environ, "SHOPSTREAM_DEPS": str(DEPS)})
    return checkout / "build/release/shopstream"


def places(world: Shopstream, name: str) -> Counter:
    """How often delta-rs finds each (partition, offset)."""
    if not any((world.lake / name / "_delta_log").glob("*.json")):
        return Counter()
    table = DeltaTable(str(world.lake / name)).to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
    return Counter(zip(*(column.to_pylist() for column in table.columns), strict=True))


def ends(world: Shopstream) -> dict[int, int]:
    consumer = Consumer({"bootstrap.servers": world.cluster.bootstrap_servers, "group.id": "independent", "log_level": 0})
    try:
        return {p: consumer.get_watermark_offsets(TopicPartition(world.topic, p), timeout=20)[1] for p in range(3)}
    finally:
        consumer.close()


@pytest.mark.soak_only
@pytest.mark.parametrize("groups", [1, 2])
def test_an_earlier_program_beside_this_one_brings_each_record_once(
        groups: int, shopstream: Shopstream, earlier_program: pathlib.Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    producer = shopstream.start("generate", "--rate", 1500, "--malformed-share", 0.02)

    def start(member: int) -> Running:
        """Every second one is the earlier program; if there are two groups it has its own."""
        old = member % 2 == 0
        group = f"{shopstream.group}-{member % groups}"
        return shopstream.start("ingest", program=earlier_program if old else None, **EAGER,
                                SHOPSTREAM_KAFKA_GROUP=group, SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID=f"member-{member}")

    members = {member: start(member) for member in range(4)}
    wait_until(lambda: places(shopstream, BRONZE), 60, "the first commit")
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 1.5))  # Kill at a random time.
        member = chance.randrange(4)
        members[member].kill()
        members[member] = start(member)
    assert producer.stop() == 0, producer.words()
    for running in members.values():
        running.kill()
    shopstream.run("ingest", "--until-caught-up", timeout=180, SHOPSTREAM_KAFKA_GROUP=f"{shopstream.group}-0",
                   SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID="member-0")
    found = places(shopstream, BRONZE) + places(shopstream, QUARANTINE)
    assert found == Counter((p, offset) for p, end in ends(shopstream).items() for offset in range(end))
    for name in (BRONZE, QUARANTINE):
        shopstream.run("table", "verify", name, "--deep", timeout=120)
    assert shopstream.json("audit")["clean"]
