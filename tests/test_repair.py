"""`table repair` on tables as an earlier version left them: the log is rewritten here to what that version wrote,
and the files are moved to where it put them."""

import json
import os
import pathlib
import subprocess
import urllib.parse
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from cluster import BINARY
from driven_lake import Lake
from shopstream import Shopstream

TABLE = "t"
VALUES = ["US", "R&D", "été", "a'b", "x;y", None]


@pytest.fixture
def lake(tmp_path: pathlib.Path) -> Lake:
    return Lake(tmp_path / "lake")


def program(lake: Lake, *arguments: str, expect: int = 0) -> dict:
    done = subprocess.run([BINARY, "--json", "--set", f"lake.uri={lake.folder}", "table", *arguments],
                          capture_output=True, text=True, timeout=120,
                          env={k: v for k, v in os.environ.items() if not k.startswith("SHOPSTREAM_")})
    assert done.returncode == expect, done.stdout + done.stderr
    return json.loads(done.stdout)


def rewrite(table: pathlib.Path, change: Callable[[dict], None]) -> None:
    """Changes each add of the log."""
    for entry in (table / "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in entry.read_text().splitlines()]
        for line in lines:
            if "add" in line:
                change(line["add"])
        entry.write_text("".join(json.dumps(line) + "\n" for line in lines))


def move_to_the_old_folders(table: pathlib.Path) -> None:
    def move(add: dict) -> None:
        path = urllib.parse.unquote(add["path"])
        folder = "/".join(f"{name}={value.replace(chr(39), '%27') if value else '__HIVE_DEFAULT_PARTITION__'}"
                          for name, value in add["partitionValues"].items())
        moved = f"{folder}/{pathlib.Path(path).name}"
        (table / folder).mkdir(parents=True, exist_ok=True)
        (table / path).rename(table / moved)
        add["path"] = urllib.parse.quote(moved, safe="/=~")
    rewrite(table, move)


def forget_the_booleans(add: dict) -> None:
    statistics = json.loads(add["stats"])
    for bounds in ("minValues", "maxValues"):
        statistics[bounds].pop("ok")
    add["stats"] = json.dumps(statistics)


def filled(lake: Lake) -> list[dict]:
    rows = [{"id": f"id-{i}", "ok": i % 2 == 0, "v": value} for i, value in enumerate(VALUES)]
    schema = pa.schema([("id", pa.string()), ("ok", pa.bool_()), ("v", pa.string())])
    lake.append(TABLE, pa.RecordBatch.from_pylist(rows, schema), partitions="v")
    return rows


def test_repair_saves_the_files_of_an_earlier_version_from_sparks_vacuum(lake: Lake, spark: Any) -> None:
    rows = filled(lake)
    move_to_the_old_folders(lake.folder / TABLE)
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    vacuum = f"VACUUM delta.`{lake.path(TABLE)}` RETAIN 0 HOURS"
    doomed = spark.sql(f"{vacuum} DRY RUN").collect()
    files = [row for row in doomed if row["path"].endswith(".parquet")]
    assert files, "the table is not in danger, so that this test shows nothing"
    found = program(lake, "verify", TABLE, expect=3)
    assert found["needs_repair"] == len(files)

    assert program(lake, "repair", TABLE)["paths"] == len(files)
    assert program(lake, "verify", TABLE, expect=3)["needs_repair"] == len(files), "listing changes nothing"
    done = program(lake, "repair", TABLE, "--apply")
    assert (done["paths"], done["files_written"], done["finished"]) == (len(files), len(files), True)
    assert program(lake, "repair", TABLE, "--apply")["commits"] == 0
    assert program(lake, "verify", TABLE, "--deep")["needs_repair"] == 0
    spark.sql(vacuum).collect()
    assert lake.read(TABLE) == rows
    frame = spark.read.format("delta").load(lake.path(TABLE)).orderBy("id").collect()
    assert [row.asDict() for row in frame] == rows


def test_repair_gives_every_reader_the_rows_that_statistics_hid(lake: Lake) -> None:
    rows = filled(lake)
    rewrite(lake.folder / TABLE, forget_the_booleans)
    wanted = [row for row in rows if row["ok"]]

    def found() -> list[dict]:
        table = DeltaTable(lake.path(TABLE)).to_pyarrow_table(filters=[("ok", "=", True)])
        return sorted(table.to_pylist(), key=lambda row: row["id"])

    assert found() != wanted, "nothing is hidden, so that this test shows nothing"
    assert program(lake, "repair", TABLE, "--apply")["statistics"] == len(rows)
    assert found() == wanted
    newest = DeltaTable(lake.path(TABLE)).history(1)[0]
    assert newest["operation"] == "REPAIR"


def test_repair_moves_rows_out_of_partitions_that_no_reader_accepts(lake: Lake) -> None:
    """Quarantine was partitioned by whatever timestamp a producer had set."""
    at = pa.scalar(1_700_000_000_000_000, pa.timestamp("us", "UTC")).as_py()
    schema = pa.schema([("id", pa.string()), ("quarantined_at", pa.timestamp("us", "UTC")), ("date", pa.date32())])
    days = [pa.scalar(day, pa.date32()).as_py() for day in (19000, 19001, 19002)]
    rows = [{"id": f"id-{i}", "quarantined_at": at, "date": day} for i, day in enumerate(days)]
    lake.append(TABLE, pa.RecordBatch.from_pylist(rows, schema), partitions="date")
    names = {str(days[0]): "10000-01-01", str(days[1]): "-002-12-31"}

    def disfigure(add: dict) -> None:
        date = add["partitionValues"]["date"]
        if date in names:
            add["partitionValues"]["date"] = names[date]
            (lake.folder / TABLE / f"date={names[date]}").mkdir()
            moved = add["path"].replace(date, names[date])
            (lake.folder / TABLE / add["path"]).rename(lake.folder / TABLE / moved)
            add["path"] = moved

    rewrite(lake.folder / TABLE, disfigure)
    with pytest.raises(BaseException):  # Rust panics are not Exceptions.
        DeltaTable(lake.path(TABLE)).to_pyarrow_table()
    assert program(lake, "repair", TABLE, "--apply")["partitions"] == 2
    program(lake, "verify", TABLE)
    expected = [{**row, "date": at.date() if i < 2 else row["date"]} for i, row in enumerate(rows)]
    assert lake.read(TABLE) == expected
    table = DeltaTable(lake.path(TABLE)).to_pyarrow_table().to_pylist()
    assert sorted(table, key=lambda row: row["id"]) == expected


def test_ingest_says_at_its_start_that_a_table_needs_repair(shopstream: Shopstream) -> None:
    advice = "shopstream table repair bronze-events --apply"
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 100, "--seed", 1)
    first = shopstream.run("ingest", "--until-caught-up")
    assert "repair" not in first.stderr

    def forget_the_amount(add: dict) -> None:
        statistics = json.loads(add["stats"])
        statistics["maxValues"].pop("amount")
        add["stats"] = json.dumps(statistics)

    rewrite(shopstream.lake / "bronze-events", forget_the_amount)
    again = shopstream.run("ingest", "--until-caught-up")
    assert advice in again.stderr, again.stderr
    shopstream.run("table", "repair", "bronze-events", "--apply")
    assert "repair" not in shopstream.run("ingest", "--until-caught-up").stderr
    audit = shopstream.json("audit")
    assert audit["clean"] is True, audit
