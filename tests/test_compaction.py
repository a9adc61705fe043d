"""Small files become large ones while the pipeline runs, and no reader sees a row twice or missing."""

import collections
import json
import random
import threading
import time

import pytest
from deltalake import DeltaTable

from shopstream import Running, Shopstream
from test_exactly_once import BRONZE, EAGER, QUARANTINE, catch_up, expect_exactly_once, kafka_records, read_kafka, rows
from waiting import wait_until

NO_MAINTENANCE = {"SHOPSTREAM_INGEST_MAINTENANCE": "false"}


@pytest.fixture
def topic(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    return shopstream


def open_table(world: Shopstream, name: str = BRONZE) -> DeltaTable:
    return DeltaTable(str(world.lake / name))


def small_files(world: Shopstream, name: str = BRONZE) -> collections.Counter:
    """Live files under 32 MiB of each partition."""
    actions = open_table(world, name).get_add_actions(flatten=True)
    columns = {column: actions.column(column).to_pylist() for column in actions.schema.names}
    return collections.Counter(
        tuple(columns[c][i] for c in columns if c.startswith("partition."))
        for i, size in enumerate(columns["size_bytes"]) if size < 32 << 20)


def coordinates(world: Shopstream) -> collections.Counter:
    """(partition, offset) of every row of both tables, read with delta-rs."""
    found: collections.Counter = collections.Counter()
    for name in BRONZE, QUARANTINE:
        seen = open_table(world, name).to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
        found.update(zip(*(seen.column(c).to_pylist() for c in ("kafka_partition", "kafka_offset"))))
    return found


def optimized(world: Shopstream) -> list[dict]:
    return [entry for entry in open_table(world).history() if entry["operation"] == "OPTIMIZE"]


def test_optimize_merges_each_partition_and_says_what_it_did(topic: Shopstream) -> None:
    for seed in range(4):
        topic.run("generate", "--count", 300, "--seed", seed, "--malformed-share", 0.05)
        catch_up(topic, **NO_MAINTENANCE)
    before, offsets = small_files(topic), coordinates(topic)
    assert max(before.values()) >= 4
    planned = topic.json("table", "optimize", BRONZE, "--dry-run")
    assert small_files(topic) == before
    done = topic.json("table", "optimize", BRONZE)
    assert done["files_removed"] == sum(group["files"] for group in planned)
    assert done["files_before"] - done["files_after"] == done["files_removed"] - done["files_added"]
    assert 0 < done["bytes_written"] < done["bytes_read"]
    assert max(small_files(topic).values()) == 1
    topic.run("table", "optimize", QUARANTINE)
    assert coordinates(topic) == offsets
    assert topic.json("table", "optimize", BRONZE)["files_removed"] == 0
    assert topic.json("table", "optimize", BRONZE, "--dry-run") == []
    assert "nothing to merge" in topic.run("table", "optimize", BRONZE).stdout
    # A much smaller file beside a merged one is merged too, although that saves little.
    topic.run("generate", "--count", 30, "--seed", 9)
    catch_up(topic, **NO_MAINTENANCE)
    offsets = coordinates(topic)
    assert max(small_files(topic).values()) == 2
    topic.run("table", "optimize", BRONZE)
    assert max(small_files(topic).values()) == 1 and coordinates(topic) == offsets
    topic.run("table", "verify", BRONZE, "--deep")
    metrics = optimized(topic)[-1]["operationMetrics"]
    metrics = json.loads(metrics) if isinstance(metrics, str) else metrics
    assert int(metrics["numRemovedFiles"]) == done["files_removed"]
    expect_exactly_once(topic, kafka_records(topic))


def test_ingest_beside_optimizers_killed_at_random_loses_and_doubles_nothing(topic: Shopstream) -> None:
    """Two ingests with automatic compaction, and a third optimizer that never exits cleanly."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    producer = topic.start("generate", "--rate", 2000, "--malformed-share", 0.02)
    members = [topic.start("ingest", **EAGER) for _ in range(2)]
    wait_until(lambda: rows(topic) > 0, 60, "something is committed")
    reader = Reader(topic)
    killed = 0
    for _ in range(40):
        optimizer = topic.start("table", "optimize", BRONZE)
        time.sleep(chance.uniform(0.01, 0.4))  # Kill at a random time.
        killed += optimizer.running()
        optimizer.kill()
    assert killed > 0
    # Maintenance has the lowest priority, and the killed optimizers took the machine.
    wait_until(lambda: optimized(topic), 60, "an ingest compacts")
    assert producer.stop() == 0, producer.words()
    reader.stop()
    for member in members:
        assert member.stop() == 0, member.words()
    catch_up(topic)
    expect_exactly_once(topic, kafka_records(topic))
    sent = collections.Counter((m.partition(), m.offset()) for m in read_kafka(topic))
    assert coordinates(topic) == sent


class Reader:
    """Reads with delta-rs in a loop: it must never fail, nor see a row twice, nor fewer than before."""

    def __init__(self, world: Shopstream):
        self.problem: str | None = None
        self.reads = 0
        self._world = world
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        most = 0
        while not self._stopping.is_set():
            try:
                seen = open_table(self._world).to_pyarrow_table(columns=["kafka_partition", "kafka_offset"])
                keys = set(zip(*(column.to_pylist() for column in seen.columns)))
                assert len(keys) == seen.num_rows, "a row twice"
                assert len(keys) >= most, "rows missing"
                most, self.reads = len(keys), self.reads + 1
            except Exception as problem:  # Reported by stop(), on the test's own thread.
                self.problem = repr(problem)
                return
            self._stopping.wait(0.5)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=60)
        assert self.problem is None
        assert self.reads > 0


def test_a_table_at_a_steady_rate_keeps_its_file_bound(topic: Shopstream) -> None:
    """Compressed time: commits as fast as possible, each with a file for every region."""
    ingest = topic.start("ingest", SHOPSTREAM_INGEST_BATCH_SIZE="1", SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS="20")
    producer = topic.start("generate", "--rate", 1000)
    most = 0

    def enough_commits() -> bool:
        nonlocal most
        if not any((topic.lake / BRONZE / "_delta_log").glob("0*.json")):
            return False
        most = max(most, max(small_files(topic).values(), default=0))
        return open_table(topic).version() >= 400

    wait_until(enough_commits, 180, "400 versions", interval=0.5)
    assert producer.stop() == 0, producer.words()
    assert ingest.stop() == 0, ingest.words()
    commits = sum(entry["operation"] == "WRITE" for entry in open_table(topic).history())
    print(f"{commits} commits, {most} small files in a partition at most")
    assert commits > 200  # Without compaction each region would have this many files.
    assert 0 < most <= 100
    catch_up(topic)
    expect_exactly_once(topic, kafka_records(topic))


def test_optimize_stops_cleanly_when_asked(topic: Shopstream) -> None:
    for seed in range(3):
        topic.run("generate", "--count", 20_000, "--seed", seed)
        catch_up(topic, **NO_MAINTENANCE)
    before = rows(topic)
    live_before = live(topic)
    optimizer: Running = topic.start("table", "optimize", BRONZE)
    wait_until(lambda: any((topic.lake / ".tmp").iterdir()) or not optimizer.running(), 30, "it writes")
    assert optimizer.stop() in (0, 1), optimizer.words()
    assert not any((topic.lake / ".tmp").iterdir())
    stored = {str(path.relative_to(topic.lake / BRONZE)) for path in (topic.lake / BRONZE).rglob("*.parquet")
              if "_delta_log" not in path.parts}
    assert stored == live_before | live(topic), "a file that no log entry names"
    assert rows(topic) == before
    topic.run("table", "optimize", BRONZE)
    assert rows(topic) == before


def live(world: Shopstream) -> set[str]:
    return {file["path"] for file in world.json("table", "files", BRONZE)}


def test_optimize_names_what_is_wrong(topic: Shopstream) -> None:
    topic.run("generate", "--count", 100)
    catch_up(topic)
    done = topic.run("table", "optimize", "bronze-event", expect=1)
    assert "bronze-event" in done.stderr
