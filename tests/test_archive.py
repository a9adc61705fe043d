"""`shopstream table archive` on real brokers: rows move to another place, and readers of both see each of them once,
whatever is killed and whoever writes."""

import datetime
import pathlib
import random
import subprocess
from typing import Any

import duckdb
from deltalake import DeltaTable, Field
from deltalake.schema import PrimitiveType

from cluster import ROOT
from minio import Minio
from shopstream import COMMITS_SOON, Shopstream
from test_refine import BRONZE, REJECTS, SILVER, Shop, expect_refined, ingest, rows, world
from waiting import wait_until

__all__ = ["world"]  # The fixture.

QUARANTINE = "bronze-quarantine"
NOW = datetime.datetime.now(datetime.timezone.utc)
BEFORE = str((NOW - datetime.timedelta(days=10)).date())
COORDINATES = "kafka_topic_id, kafka_partition, kafka_offset"


def days_ago(days: int, **fields: Any) -> dict[str, Any]:
    return {"timestamp": NOW - datetime.timedelta(days=days)} | fields


def move(world: Shopstream, place: object, name: str = BRONZE, **options: Any) -> dict[str, Any]:
    return world.json("table", "archive", name, "--before", BEFORE, "--to", place, timeout=120, **options)


def counted(world: Shopstream, table: str = "bronze_events", *flags: str, **settings: str) -> tuple[int, int]:
    """Rows, and different coordinates."""
    answer, = world.json("query", f"SELECT count(*) AS n, count(DISTINCT ({COORDINATES})) AS places FROM {table}", *flags,
                         **settings)["rows"]
    return answer["n"], answer["places"]


def test_old_rows_move_to_s3_and_a_query_reads_both(world: Shopstream, minio: Minio) -> None:
    shop, place = Shop(world), f"s3://{minio.bucket}/cold"
    s3 = minio.environment | {"SHOPSTREAM_LAKE_URI": str(world.lake)}
    cold = {"table_uri": f"{place}/{BRONZE}", "storage_options": minio.storage_options}
    shop.send(*(days_ago(days) for days in (0, 1, 30, 40) for _ in range(5)))
    ingest(world)
    before = rows(world, BRONZE)
    waits = move(world, place, expect=3, **s3)
    assert (waits["rows"], len(waits["not_refined"])) == (0, 2)
    world.run("refine")
    dry = world.json("table", "archive", BRONZE, "--before", BEFORE, "--to", place, "--dry-run", **s3)
    assert (dry["rows"], dry["run"]) == (10, 0) and len(rows(world, BRONZE)) == 20
    moved = move(world, place, **s3)
    assert (moved["rows"], moved["not_refined"], moved["first_kept"]) == (10, [], BEFORE)

    archive = DeltaTable(**cold)
    table = DeltaTable(str(world.lake / BRONZE))
    assert archive.schema() == table.schema()
    assert archive.metadata().partition_columns == table.metadata().partition_columns
    both = rows(world, BRONZE) + archive.to_pyarrow_table().to_pylist()
    assert sorted(map(repr, both)) == sorted(map(repr, before))
    old = archive.to_pyarrow_dataset()
    found = duckdb.sql("SELECT count(*), count(DISTINCT kafka_offset * 100 + kafka_partition) FROM old").fetchall()
    assert found == [(10, 10)] and old is not None
    assert counted(world, **s3) == (20, 20)
    assert counted(world, "bronze_events", "--no-archive", **s3) == (10, 10)
    answer = world.json("query", f"SELECT count(*) AS n FROM bronze_events WHERE date < '{BEFORE}' AND region = 'EU'", **s3)
    assert answer["rows"] == [{"n": sum(str(row["date"]) < BEFORE and row["region"] == "EU" for row in before)}]
    assert answer["statistics"]["tables"][0]["archive"]["place"] == place
    described = world.json("table", "describe", BRONZE)
    assert described["archive"] == {"place": place, "run": moved["run"]} and described["complete_through"]
    assert place in world.run("table", "describe", BRONZE).stdout

    # A row that comes late goes with the next run, with a column that the archive does not have yet.
    table.alter.add_columns([Field("note", PrimitiveType("string"), nullable=True)])
    shop.send(days_ago(30))
    ingest(world)
    world.run("refine")
    assert counted(world, **s3) == (21, 21)
    assert move(world, place, **s3)["rows"] == 1
    assert DeltaTable(**cold).to_pyarrow_table().num_rows == 11
    assert counted(world, **s3) == (21, 21)
    audit = world.json("audit")
    assert audit["clean"] and sum(part["erased_rows"] for part in audit["partitions"]) == 11, audit
    world.run("refine", "verify")
    world.run("refine", "--rebuild")
    assert len(rows(world, SILVER)) + len(rows(world, REJECTS)) == 21
    refused = world.run("table", "archive", BRONZE, "--before", BEFORE, "--to", world.folder / "other", expect=1, **s3)
    assert f"--to {place}" in refused.stderr
    assert "not from" in world.run("table", "archive", SILVER, "--before", BEFORE, "--to", place, expect=1, **s3).stderr
    assert "inside each other" in world.run("table", "archive", BRONZE, "--before", BEFORE, "--to", world.lake / "a",
                                            expect=1).stderr


def versions(table: pathlib.Path) -> int:
    return sum(1 for _ in table.glob("_delta_log/*.json"))


def test_killed_beside_ingest_refine_and_compaction_no_row_is_lost_or_doubled(world: Shopstream) -> None:
    """Late rows and small files of the dates that move arrive all the time."""
    shop, place, chance = Shop(world), world.folder / "cold", random.Random(20261130)
    shop.send(*(days_ago(days) for days in (0, 30, 31, 32) for _ in range(20)))
    ingest(world)
    world.run("refine")
    running = [world.start("ingest", **COMMITS_SOON, SHOPSTREAM_INGEST_BATCH_SIZE="1"), world.start("refine", "--watch")]
    sent, seen, killed = 80, 80, 0
    for number in range(8):
        shop.send(*(days_ago(chance.choice([0, 30, 31])) for _ in range(5)))
        sent += 5
        begun = versions(world.lake / BRONZE), versions(place / BRONZE), len(list(place.rglob("*.parquet")))
        archive = world.start("table", "archive", BRONZE, "--before", BEFORE, "--to", place)
        # Killed as it starts, after its reservation, after a copy, or after its commit to the archive.
        wait_until(lambda: not archive.running() or [True, versions(world.lake / BRONZE) > begun[0],
                                                     len(list(place.rglob("*.parquet"))) > begun[2],
                                                     versions(place / BRONZE) > begun[1]][number % 4], 30, "a moment of the run")
        killed += archive.running()
        archive.kill()
        world.run("table", "optimize", BRONZE)
        n, places = counted(world)
        assert n == places and seen <= n <= sent, (seen, n, places, sent)
        seen = n
    for process in running:
        assert process.stop() == 0, process.words()
    ingest(world)
    world.run("refine")
    assert counted(world) == (sent, sent)
    move(world, place)
    archived = DeltaTable(str(place / BRONZE)).to_pyarrow_table().to_pylist()
    live = rows(world, BRONZE)
    assert killed >= 2
    assert all(str(row["date"]) >= BEFORE for row in live) and all(str(row["date"]) < BEFORE for row in archived)
    at = [(row["kafka_partition"], row["kafka_offset"]) for row in live + archived]
    assert len(at) == len(set(at)) == sent
    assert world.json("audit")["clean"]
    world.run("refine", "verify")


def test_quarantine_moves_as_well_and_a_restored_lake_reads_each_row_once(world: Shopstream, tmp_path: pathlib.Path) -> None:
    shop, place, backups = Shop(world), world.folder / "cold", world.folder / "backups"
    shop.send(days_ago(0))
    for i in range(3):
        shop.producer.produce(world.topic, f"rubbish {i}".encode(), b"somebody")
    assert shop.producer.flush(30) == 0
    ingest(world)
    expect_quarantine = rows(world, QUARANTINE)
    world.run("backup", "create", backups)
    # As if it were some days later.
    library = tmp_path / "skewed_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, ROOT / "tests/skewed_clock.c", "-ldl"], check=True)
    before = str((NOW + datetime.timedelta(days=2)).date())
    arguments = ["table", "archive", QUARANTINE, "--before", before, "--to", place]
    assert "in the future" in world.run(*arguments, expect=1).stderr
    assert world.json(*arguments, LD_PRELOAD=str(library), SKEW_SECONDS="345600")["rows"] == 3
    assert rows(world, QUARANTINE) == []
    archived = DeltaTable(str(place / QUARANTINE)).to_pyarrow_table().to_pylist()
    assert sorted(map(repr, archived)) == sorted(map(repr, expect_quarantine))
    assert counted(world, "bronze_quarantine") == (3, 3)
    assert world.json("audit")["clean"]
    world.run("backup", "restore", backups, "--in-place")
    assert counted(world, "bronze_quarantine") == (3, 3)
    assert len(rows(world, QUARANTINE)) == 3
    world.run("refine")
    expect_refined(world)
