"""A lake that runs unattended: concurrent ingests, optimizers and vacuums, all of them killed over and over, while
an independent reader checks the table all the time."""

import contextlib
import os
import pathlib
import random
import threading
import time

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from shopstream import Running, Shopstream
from soak import steps
from waiting import wait_until

BRONZE = "bronze-events"
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}
# Many checkpoints per minute; tombstones expire after the shortest time that compaction accepts.
BUSY_LOG = {"delta.checkpointInterval": "7", "delta.deletedFileRetentionDuration": "interval 60 seconds"}
DAYS = 86400.0
PARTITIONS = 3
KILLS = steps(60, 1000)  # In the long form tombstones expire too.
ORPHANS = 200


class Reader(threading.Thread):
    """Opens the table with delta-rs every second. For each Kafka partition, exactly the offsets below the progress
    recorded in the same version must be there, each once."""

    def __init__(self, table: pathlib.Path, app_id: str):
        super().__init__(daemon=True)
        self._table, self._app_id = str(table), app_id
        self._ended = threading.Event()
        self.looks = 0
        self.faults: list[str] = []

    def run(self) -> None:
        while not self._ended.wait(1):
            try:
                self.look()
            except Exception as error:  # Any error of the reader is a fault of the table.
                self.faults.append(repr(error))
            self.looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join(timeout=60)
        assert not self.is_alive(), "the reader hangs"

    def look(self) -> None:
        table = DeltaTable(self._table)
        rows = table.to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
        for partition in range(PARTITIONS):
            progress = table.transaction_version(f"{self._app_id}/{partition}") or 0
            offsets = rows.filter(pc.equal(rows["kafka_partition"], partition))["kafka_offset"]
            seen = (len(offsets), pc.count_distinct(offsets).as_py(), pc.max(offsets).as_py())
            if progress and seen != (progress, progress, progress - 1):
                self.faults.append(f"version {table.version()} partition {partition}: rows, distinct offsets and "
                                   f"last offset are {seen}, progress is {progress}")


def plant_orphans(table: pathlib.Path) -> list[pathlib.Path]:
    """The leftovers of commits that failed two days ago."""
    folder = next(table.glob("region=*/date=*"))
    long_ago = time.time() - 2 * DAYS
    orphans = [folder / f"part-orphan-{n}.parquet" for n in range(ORPHANS)]
    for orphan in orphans:
        orphan.write_bytes(b"left behind")
        os.utime(orphan, (long_ago, long_ago))
    return orphans


def age_log(table: pathlib.Path) -> None:
    """Ages entries older than 20 s by two days, so that they are cleaned up."""
    now = time.time()
    for path in (table / "_delta_log").glob("0*"):
        with contextlib.suppress(FileNotFoundError):  # Just cleaned up.
            if 20 < now - path.stat().st_mtime < DAYS:
                os.utime(path, (now - 2 * DAYS, now - 2 * DAYS))


@pytest.mark.soak
def test_everything_at_once_and_killed(shopstream: Shopstream) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    table = shopstream.lake / BRONZE
    producer = shopstream.start("generate", "--rate", 2000)
    roles = {
        **{f"ingest {n}": (["ingest"], {**EAGER, "SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID": f"member-{n}"})
           for n in range(3)},
        **{f"optimizer {n}": (["table", "optimize", BRONZE], {}) for n in range(2)},
        "vacuum": (["table", "vacuum", BRONZE, "--delete"], {}),
    }
    running: dict[str, Running] = {}

    def start(role: str) -> None:
        arguments, settings = roles[role]
        running[role] = shopstream.start(*arguments, **settings)

    start("ingest 0")
    wait_until(lambda: (table / "_delta_log").exists() and list(table.glob("region=*/date=*/*")), 60,
               "the first commit")
    DeltaTable(str(table)).alter.set_table_properties(BUSY_LOG)
    topic_id = shopstream.json("topics", "describe")["id"]
    reader = Reader(table, f"shopstream/{topic_id}")
    reader.start()
    orphans = plant_orphans(table)
    for role in roles:
        if role not in running:
            start(role)
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.7))  # Kill at a random time.
        for role in roles:  # Optimizers and vacuums finish, and start again.
            if not running[role].running():
                assert "ingest" not in role and running[role].wait(0) == 0, running[role].words()
                start(role)
        age_log(table)
        victim = chance.choice(list(roles))
        running[victim].kill()
        start(victim)
    assert producer.stop() == 0, producer.words()
    for process in running.values():
        process.kill()
    reader.end()
    assert not reader.faults and reader.looks > 5, reader.faults[:5]

    shopstream.run("ingest", "--until-caught-up", timeout=120,
                   SHOPSTREAM_KAFKA_GROUP_INSTANCE_ID="member-0")
    shopstream.run("table", "optimize", BRONZE, timeout=120)
    shopstream.run("table", "vacuum", BRONZE, "--delete")
    assert not [orphan for orphan in orphans if orphan.exists()]
    assert shopstream.json("audit")["clean"]
    shopstream.run("table", "verify", BRONZE, "--deep", timeout=120)
    last = Reader(table, f"shopstream/{topic_id}")
    last.look()
    assert not last.faults, last.faults
    entries = list((table / "_delta_log").glob("*.json"))
    assert len(entries) < DeltaTable(str(table)).version(), "old entries are cleaned up"
