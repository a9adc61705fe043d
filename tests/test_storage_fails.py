"""The disk under a running ingest fills up, turns read-only, or loses a file: ingest reports it, leaves nothing
half-written, and continues after the repair. Mounts, so it needs root."""

import pathlib
from collections.abc import Iterator

import pytest
from deltalake import DeltaTable

from shopstream import Running, Shopstream
from small_disk import Disk, small_disk
from waiting import wait_until

BRONZE = "bronze-events"
# Commits are as frequent as possible.
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}
EVENTS = 200


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def ingesting(disk: Disk, shopstream: Shopstream) -> Running:
    """An ingest onto that disk that has committed everything and waits for more."""
    shopstream.lake = disk.folder / "lake"
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", EVENTS, "--seed", 1)
    running = shopstream.start("ingest", **EAGER)
    wait_until(lambda: rows(shopstream) == EVENTS, 90, "the first events are committed")
    return running


def rows(world: Shopstream) -> int:
    if not (world.lake / BRONZE / "_delta_log" / f"{0:020}.json").exists():
        return 0
    actions = DeltaTable(str(world.lake / BRONZE)).get_add_actions(flatten=True)
    return sum(actions.column("num_records").to_pylist())


def expect_whole(world: Shopstream, events: int) -> None:
    """The table is sound and complete, and no temporary file was left behind."""
    assert world.json("table", "verify", BRONZE, "--deep")["clean"]
    assert rows(world) == events
    assert [path.name for path in (world.lake / ".tmp").iterdir()] == []


def expect_pause_and_recovery(world: Shopstream, running: Running, words: str, repair) -> None:
    world.run("generate", "--count", EVENTS, "--seed", 2)
    wait_until(lambda: running.says(words), 60, f"ingest says {words!r}")
    assert running.running(), running.words()
    expect_whole(world, EVENTS)
    repair()
    wait_until(lambda: rows(world) == 2 * EVENTS, 60, "ingest goes on")
    assert running.stop() == 0, running.words()
    expect_whole(world, 2 * EVENTS)
    assert world.json("audit")["clean"]


def test_a_full_disk_pauses_ingest_until_there_is_room(disk: Disk, shopstream: Shopstream,
                                                       ingesting: Running) -> None:
    disk.fill()
    expect_pause_and_recovery(shopstream, ingesting, "free some space on that disk", disk.free)


def test_a_read_only_disk_pauses_ingest_until_it_is_writable(disk: Disk, shopstream: Shopstream,
                                                             ingesting: Running) -> None:
    disk.make("ro")
    expect_pause_and_recovery(shopstream, ingesting, "mount the file system writable", lambda: disk.make("rw"))


def test_a_full_disk_at_the_start_is_said_and_leaves_no_half_a_table(disk: Disk, shopstream: Shopstream) -> None:
    shopstream.lake = disk.folder / "lake"
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", EVENTS, "--seed", 1)
    disk.fill()
    running = shopstream.start("ingest", "--until-caught-up", **EAGER)
    wait_until(lambda: running.says("free some space on that disk"), 90, "ingest says why it waits")
    running.kill()
    disk.free()
    shopstream.run("ingest", "--until-caught-up", timeout=120)
    assert rows(shopstream) == EVENTS
    assert shopstream.json("table", "verify", BRONZE, "--deep")["clean"]
    assert shopstream.json("audit")["clean"]


def test_a_full_disk_pauses_optimize_which_says_why_immediately_and_once(disk: Disk, shopstream: Shopstream,
                                                                         ingesting: Running) -> None:
    # As many rows in each partition as before: however they are split into files, a merge doubles the largest.
    shopstream.run("generate", "--count", EVENTS, "--seed", 1)
    wait_until(lambda: rows(shopstream) == 2 * EVENTS, 60, "the lake has more than one file in each partition")
    assert ingesting.stop() == 0, ingesting.words()
    disk.fill()
    running = shopstream.start("table", "optimize", BRONZE)
    wait_until(lambda: running.says("free some space on that disk"), 10, "it says why it waits")
    assert running.running(), running.words()
    disk.free()
    assert running.wait(30) == 0, running.words()
    assert running.errors.read_text().count("free some space") == 1, running.words()
    expect_whole(shopstream, 2 * EVENTS)


def test_a_vanished_data_file_is_named_and_does_not_stop_ingest(shopstream: Shopstream, disk: Disk,
                                                                ingesting: Running) -> None:
    file = next(path for path in (shopstream.lake / BRONZE).rglob("*.parquet") if "_delta_log" not in path.parts)
    kept = disk.folder / "kept"
    file.rename(kept)
    shopstream.run("generate", "--count", EVENTS, "--seed", 2)
    wait_until(lambda: rows(shopstream) == 2 * EVENTS, 60, "ingest goes on")
    assert ingesting.stop() == 0, ingesting.words()
    found = shopstream.run("--json", "table", "verify", BRONZE, expect=3).stdout
    assert file.name in found and "it is missing" in found
    audit = shopstream.run("audit", expect=1)
    assert file.name in audit.stderr
    kept.rename(file)
    expect_whole(shopstream, 2 * EVENTS)
    assert shopstream.json("audit")["clean"]


def test_a_vanished_log_entry_stops_ingest_until_it_is_back(shopstream: Shopstream, disk: Disk,
                                                            ingesting: Running) -> None:
    shopstream.run("generate", "--count", EVENTS, "--seed", 2)
    wait_until(lambda: rows(shopstream) == 2 * EVENTS, 60, "ingest goes on")
    assert ingesting.stop() == 0, ingesting.words()
    log = shopstream.lake / BRONZE / "_delta_log"
    entry = log / f"{1:020}.json"
    kept = disk.folder / "kept"
    entry.rename(kept)
    shopstream.run("generate", "--count", EVENTS, "--seed", 3)
    before = sorted(log.iterdir())
    stopped = shopstream.run("ingest", "--until-caught-up", expect=1)
    assert "incomplete" in stopped.stderr and "restore the missing files" in stopped.stderr
    assert sorted(log.iterdir()) == before
    found = shopstream.run("--json", "table", "verify", BRONZE, expect=3).stdout
    assert entry.name in found
    kept.rename(entry)
    shopstream.run("ingest", "--until-caught-up", timeout=120)
    expect_whole(shopstream, 3 * EVENTS)
    assert shopstream.json("audit")["clean"]
