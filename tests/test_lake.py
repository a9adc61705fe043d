"""Our Delta tables and independent readers and writers (delta-rs, Polars, DuckDB): each reads what the other wrote,
and neither disturbs the other. Needs no broker."""

import datetime
import decimal
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from cluster import BINARY
from driven_lake import PARTITIONS, Lake, in_order, stream

UTC = datetime.timezone.utc
NOON = datetime.datetime(2025, 10, 24, 12, 0, 0, 123456, tzinfo=UTC)
DAY = NOON.date()

SCHEMA = pa.schema([
    ("id", pa.string()), ("count", pa.int64()), ("number", pa.int32()), ("price", pa.float64()),
    ("at", pa.timestamp("us", "UTC")), ("raw", pa.binary()), ("flag", pa.bool_()),
    ("usd", pa.decimal128(18, 2)), ("day", pa.date32()), ("region", pa.string()), ("date", pa.date32())])


def rows(first: int, count: int, region: str | None = "US", date: datetime.date = DAY) -> pa.RecordBatch:
    """Rows that differ in every column, with a null here and there."""
    numbers = range(first, first + count)
    return pa.RecordBatch.from_pylist([{
        "id": f"id-{n:08}", "count": None if n % 7 == 0 else n * 1_000_000_007, "number": n % 1000,
        "price": None if n % 5 == 0 else n / 4, "at": NOON + datetime.timedelta(microseconds=n),
        "raw": None if n % 3 == 0 else bytes([n % 256, 0, 255]), "flag": None if n % 11 == 0 else n % 2 == 0,
        "usd": decimal.Decimal(n).scaleb(-2), "day": DAY + datetime.timedelta(days=n % 30),
        "region": region, "date": date} for n in numbers], schema=SCHEMA)


@pytest.fixture
def lake(tmp_path: pathlib.Path) -> Lake:
    return Lake(tmp_path / "lake")


def expected(*batches: pa.RecordBatch) -> list[dict]:
    return in_order(pa.Table.from_batches(batches))


def every_reader(path: str) -> dict[str, list[dict]]:
    table = DeltaTable(path)
    dataset = table.to_pyarrow_dataset()
    frame = polars.read_delta(path).to_arrow()
    return {
        "delta-rs": in_order(pa.table(table.to_pyarrow_table())),
        "polars": in_order(frame.cast(dataset.schema)),
        "duckdb": in_order(duckdb.sql("SELECT * FROM dataset").to_arrow_table().cast(dataset.schema)),
    }


def files(path: str, column: str) -> list:
    """One column of delta-rs's metadata of a table's files."""
    return pa.table(DeltaTable(path).get_add_actions(flatten=True)).column(column).to_pylist()


# --- What we write, others read ------------------------------------------------------------------

def test_other_readers_agree_with_what_was_written(lake: Lake) -> None:
    batches = [rows(0, 50), rows(50, 50, "EU"), rows(100, 20, None), rows(120, 20, "a b/c%d=é"),
               rows(140, 5000, "ASIA", DAY + datetime.timedelta(days=1))]
    lake.append("t", *batches)
    for reader, found in every_reader(lake.path("t")).items():
        assert found == expected(*batches), reader
    assert lake.read("t") == expected(*batches)
    protocol = DeltaTable(lake.path("t")).protocol()
    assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)


def test_other_readers_know_every_encoding(lake: Lake) -> None:
    # Enough rows for the trial that selects the fast compression.
    batches = [rows(0, 70_000)]
    lake.append("t", *batches)
    for reader, found in every_reader(lake.path("t")).items():
        assert found == expected(*batches), reader


def test_files_carry_plain_types(lake: Lake) -> None:
    lake.append("t", rows(0, 10))
    [file] = DeltaTable(lake.path("t")).file_uris()
    schema = pq.ParquetFile(file).schema
    assert [schema.column(i).name for i in range(len(schema))] == SCHEMA.names[:-2]
    types = {schema.column(i).name: schema.column(i) for i in range(len(schema))}
    at = json.loads(types["at"].logical_type.to_json())
    assert (at["Type"], at["isAdjustedToUTC"], at["timeUnit"]) == ("Timestamp", True, "microseconds")
    assert types["id"].logical_type.type == "STRING"
    assert types["raw"].logical_type.type == "NONE"
    assert "INT96" not in {column.physical_type for column in types.values()}


def test_a_checkpoint_of_ours_serves_without_the_entries(lake: Lake) -> None:
    batches = [rows(n * 10, 10, None if n % 3 == 0 else "a b%") for n in range(120)]
    lake.append("t", *batches)
    first = min(files(lake.path("t"), "path"))
    lake.run("remove", "t", first)
    left = lake.read("t")
    assert len(left) == 1190
    log = lake.folder / "t" / "_delta_log"
    assert "00000000000000000100.checkpoint.parquet" in lake.log("t")
    for version in range(100):
        (log / f"{version:020}.json").unlink()
    for reader, found in every_reader(lake.path("t")).items():
        assert found == left, reader
    assert lake.read("t") == left
    assert DeltaTable(lake.path("t")).transaction_version("driver") == 120
    (log / "_last_checkpoint").unlink()
    assert lake.read("t") == left


def test_our_statistics_let_others_skip_the_right_files(lake: Lake) -> None:
    batches = [rows(0, 100), rows(100, 100), rows(200, 100)]
    lake.append("t", *batches)
    moment = NOON + datetime.timedelta(microseconds=150)
    everything = expected(*batches)
    table = DeltaTable(lake.path("t"))
    for column, value in (("at", moment), ("id", "id-00000150"), ("number", 150)):
        found = in_order(table.to_pyarrow_table(filters=[(column, ">=", value)]))
        assert found == [row for row in everything if row[column] >= value], column
        lazy = polars.scan_delta(lake.path("t")).filter(polars.col(column) == value)
        assert lazy.collect().height == sum(row[column] == value for row in everything), column
    assert files(lake.path("t"), "num_records") == [100, 100, 100]
    assert sorted(files(lake.path("t"), "null_count.flag")) == [9, 9, 10]


# --- What others write, we read ------------------------------------------------------------------

def test_we_read_tables_of_delta_rs(lake: Lake) -> None:
    batches = [rows(0, 30), rows(30, 30, "a b/c%d=é"), rows(60, 30, None)]
    for batch in batches:
        write_deltalake(lake.path("t"), pa.Table.from_batches([batch]), mode="append",
                        partition_by=["region", "date"])
    assert lake.read("t") == expected(*batches)


def test_we_read_a_checkpoint_of_delta_rs(lake: Lake) -> None:
    batches = [rows(n * 10, 10, None if n == 3 else f"r {n}") for n in range(8)]
    for batch in batches:
        write_deltalake(lake.path("t"), pa.Table.from_batches([batch]), mode="append",
                        partition_by=["region", "date"],
                        configuration={"delta.checkpoint.writeStatsAsStruct": "true"})
    DeltaTable(lake.path("t")).delete("id < 'id-00000010'")
    DeltaTable(lake.path("t")).create_checkpoint()
    for version in range(8):
        (lake.folder / "t" / "_delta_log" / f"{version:020}.json").unlink()
    assert lake.read("t") == expected(*batches[1:])
    lake.append("t", rows(100, 5))
    assert len(DeltaTable(lake.path("t")).to_pyarrow_table()) == 75


def test_we_read_a_checkpoint_in_parts_with_columns_we_do_not_know(lake: Lake) -> None:
    batches = [rows(n * 10, 10, None if n == 3 else f"r {n}") for n in range(8)]
    for batch in batches:
        write_deltalake(lake.path("t"), pa.Table.from_batches([batch]), mode="append", partition_by=["region", "date"])
    DeltaTable(lake.path("t")).create_checkpoint()
    log = lake.folder / "t" / "_delta_log"
    whole = log / f"{7:020}.checkpoint.parquet"
    actions = pq.read_table(whole)
    add = actions["add"].combine_chunks()
    parsed = pa.StructArray.from_arrays([pa.array([10] * len(add))], ["numRecords"])
    more = pa.StructArray.from_arrays([*add.flatten(), parsed], [*(f.name for f in add.type), "stats_parsed"],
                                      mask=add.is_null())
    actions = actions.set_column(actions.column_names.index("add"), "add", more)
    for part in range(3):
        pq.write_table(actions.slice(part * 4, 4), log / f"{7:020}.checkpoint.{part + 1:010}.{3:010}.parquet")
    whole.unlink()
    for version in range(8):
        (log / f"{version:020}.json").unlink()
    assert lake.read("t") == expected(*batches)


def test_an_append_of_delta_rs_between_two_of_ours(lake: Lake) -> None:
    lake.append("t", rows(0, 10))
    write_deltalake(lake.path("t"), pa.Table.from_batches([rows(10, 10, "EU")]), mode="append")
    lake.append("t", rows(20, 10))
    everything = expected(rows(0, 10), rows(10, 10, "EU"), rows(20, 10))
    assert lake.read("t") == everything
    assert in_order(DeltaTable(lake.path("t")).to_pyarrow_table()) == everything
    assert DeltaTable(lake.path("t")).transaction_version("driver") == 2
    assert [entry["operation"] for entry in DeltaTable(lake.path("t")).history()] == [
        "WRITE", "WRITE", "WRITE", "CREATE TABLE"]


def test_delta_rs_takes_over_and_hands_back(lake: Lake) -> None:
    """Their compaction removes our files; we append to the remaining table and write a checkpoint."""
    lake.append("t", *[rows(n * 10, 10) for n in range(20)])
    DeltaTable(lake.path("t")).optimize.compact()
    lake.append("t", *[rows(200 + n * 10, 10) for n in range(90)])
    assert "00000000000000000100.checkpoint.parquet" in lake.log("t")
    everything = expected(*[rows(n * 10, 10) for n in range(110)])
    assert in_order(DeltaTable(lake.path("t")).to_pyarrow_table()) == everything
    assert lake.read("t") == everything


def test_a_column_that_delta_rs_added_is_null_in_our_rows(lake: Lake) -> None:
    lake.append("t", rows(0, 3))
    more = pa.Table.from_batches([rows(3, 3)]).append_column("note", pa.array(["x", "y", "z"]))
    write_deltalake(lake.path("t"), more, mode="append", schema_mode="merge")
    lake.append("t", rows(6, 3))
    notes = [row["note"] for row in lake.read("t")]
    assert notes == [None, None, None, "x", "y", "z", None, None, None]


# --- Nested columns ------------------------------------------------------------------------------

LINE = pa.struct([("sku", pa.string()), ("price", pa.decimal128(18, 2)),
                  ("tags", pa.list_(pa.field("element", pa.string())))])
NESTED = pa.schema([
    ("id", pa.string()), ("buyer", pa.struct([("name", pa.string()), ("born", pa.date32()),
                                              ("address", pa.struct([("zip", pa.int64())]))])),
    ("lines", pa.list_(pa.field("element", LINE))), ("raw", pa.binary()), ("ratio", pa.float64()),
    ("counts", pa.map_(pa.string(), pa.int64())), ("notes", pa.map_(pa.string(), LINE)),
    ("either", pa.struct([("string", pa.string()), ("long", pa.int64())])),
    ("at", pa.timestamp("us", "UTC")), ("flag", pa.bool_()), ("region", pa.string()), ("date", pa.date32())])


def nested_rows(first: int, count: int, region: str = "US") -> pa.RecordBatch:
    def line(n: int) -> dict | None:
        return None if n % 5 == 4 else {"sku": f"s{n}", "price": decimal.Decimal(n).scaleb(-2),
                                        "tags": None if n % 3 == 0 else [f"t{n}", None]}

    return pa.RecordBatch.from_pylist([{
        "id": f"id-{n:08}",
        "buyer": None if n % 7 == 0 else {"name": f"n{n}", "born": DAY, "address": None if n % 2 else {"zip": n}},
        "lines": None if n % 4 == 3 else [line(n + i) for i in range(n % 4)], "raw": bytes([n % 256]),
        "ratio": n / 8, "counts": None if n % 6 == 0 else [(f"k{i}", i or None) for i in range(n % 3)],
        "notes": [("a", line(n))], "either": {"string": f"x{n}", "long": None} if n % 2 else {"string": None, "long": n},
        "at": NOON, "flag": n % 2 == 0, "region": region, "date": DAY}
        for n in range(first, first + count)], schema=NESTED)


def test_other_readers_agree_on_nested_columns(lake: Lake) -> None:
    batches = [nested_rows(0, 200), nested_rows(200, 50, "EU"), nested_rows(250, 3)]
    lake.append("t", *batches)
    for reader, found in every_reader(lake.path("t")).items():
        assert found == expected(*batches), reader
    assert lake.read("t") == expected(*batches)


def test_statistics_of_members_but_not_of_items(lake: Lake) -> None:
    lake.append("t", nested_rows(1, 5))
    entries = [json.loads(line) for line in
               (lake.folder / "t" / "_delta_log" / f"{1:020}.json").read_text().splitlines()]
    entry, = [e["add"] for e in entries if "add" in e]
    statistics = json.loads(entry["stats"])
    assert statistics["minValues"]["buyer"] == {"name": "n1", "born": str(DAY), "address": {"zip": 2}}
    assert statistics["maxValues"]["buyer"] == {"name": "n5", "born": str(DAY), "address": {"zip": 4}}
    assert statistics["nullCount"]["buyer"] == {"name": 0, "born": 0, "address": {"zip": 3}}
    assert statistics["nullCount"]["either"] == {"string": 2, "long": 3}
    for part in ("minValues", "maxValues", "nullCount"):
        assert not {"lines", "counts", "notes"} & set(statistics[part])
    # delta-rs skips files by them.
    found = DeltaTable(lake.path("t")).to_pyarrow_dataset()
    assert found.to_table(filter=pc.field("buyer", "name") == "n3").num_rows == 1


def test_a_member_that_delta_rs_added_is_null_in_our_rows(lake: Lake) -> None:
    lake.append("t", nested_rows(0, 3))
    grown = pa.struct([*NESTED.field("buyer").type, pa.field("vip", pa.bool_())])
    more = [{**row, "buyer": row["buyer"] and {**row["buyer"], "vip": True}} for row in nested_rows(3, 3).to_pylist()]
    position = NESTED.get_field_index("buyer")
    schema = NESTED.set(position, pa.field("buyer", grown))
    write_deltalake(lake.path("t"), pa.Table.from_pylist(more, schema), mode="append", schema_mode="merge")
    assert [row["buyer"] and row["buyer"]["vip"] for row in lake.read("t")] == [None, None, None, True, True, True]


def test_names_that_differ_in_case_are_refused(lake: Lake) -> None:
    twice = pa.RecordBatch.from_pylist([{"id": "a", "s": {"x": 1, "X": 2}}])
    assert "columns s.X and x" in lake.refuses_append("t", twice, "")


# --- What we refuse ------------------------------------------------------------------------------

def test_a_constraint_stops_our_writer_but_not_our_reader(lake: Lake) -> None:
    lake.append("t", rows(0, 10))
    DeltaTable(lake.path("t")).alter.add_constraint({"some": "number >= 0"})
    assert "writer version" in lake.refuses_append("t", rows(10, 10))
    assert lake.read("t") == expected(rows(0, 10))


def test_features_for_readers_are_refused_by_name(lake: Lake) -> None:
    lake.append("t", rows(0, 10))
    log = lake.folder / "t" / "_delta_log"
    for feature in ("deletionVectors", "columnMapping"):
        shutil.copytree(lake.folder / "t", lake.folder / feature)
        entry = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [feature],
                              "writerFeatures": [feature]}}
        (lake.folder / feature / log.name / f"{2:020}.json").write_text(json.dumps(entry))
        assert feature in lake.refuses_read(feature)
        assert feature in lake.refuses_append(feature, rows(10, 10))


def test_a_feature_of_delta_rs_is_refused_by_name(lake: Lake) -> None:
    naive = pa.table({"id": ["a"], "at": pa.array([0], pa.timestamp("us"))})
    write_deltalake(lake.path("t"), naive)
    assert "timestampNtz" in lake.refuses_read("t")


def test_another_shape_is_refused_in_words(lake: Lake) -> None:
    lake.append("t", rows(0, 10))
    assert "partitioned by (region, date)" in lake.refuses_append("t", rows(10, 10), "region")
    other = rows(10, 10).set_column(1, "count", pa.array(["x"] * 10))
    assert "column count is int64 in the table" in lake.refuses_append("t", other)


# --- The table command ---------------------------------------------------------------------------

def table_command(lake: Lake, *arguments: str, expect: int = 0) -> list[dict] | str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
    done = subprocess.run([BINARY, "--json", "--set", f"lake.uri={lake.folder}", "table", *arguments],
                          capture_output=True, text=True, timeout=60, env=clean)
    assert done.returncode == expect, done.stderr
    return json.loads(done.stdout) if expect == 0 else done.stderr


def test_table_list_history_and_files(lake: Lake) -> None:
    lake.append("bronze-events", rows(0, 10), rows(10, 5, "EU"))
    lake.append("gold-metrics/daily", rows(0, 3), partitions="")
    bronze, gold = table_command(lake, "list")
    assert (bronze["table"], bronze["version"], bronze["files"], bronze["rows"]) == ("bronze-events", 2, 2, 15)
    assert bronze["bytes"] > 0 and bronze["last_commit"].startswith("20")
    assert (gold["table"], gold["rows"]) == ("gold-metrics/daily", 3)
    newest, *_, first = table_command(lake, "history", "bronze-events")
    assert (newest["version"], newest["rows"], newest["files_added"], newest["txns"]) == (2, 5, 1, {"driver": 2})
    assert (first["version"], first["operation"]) == (0, "CREATE TABLE")
    assert len(table_command(lake, "history", "bronze-events", "--limit", "2")) == 2
    assert [file["rows"] for file in table_command(lake, "files", "bronze-events")] == [5, 10]
    assert "there is no table nothing" in table_command(lake, "files", "nothing", expect=1)


def test_table_describe_shows_an_earlier_version_as_delta_rs_does(lake: Lake) -> None:
    lake.append("t", *(rows(n * 10, 10 + n, "EU" if n % 3 else None) for n in range(60)))
    lake.run("remove", "t", files(lake.path("t"), "path")[0])
    wider = rows(1000, 5).append_column("note", pa.array(["new"] * 5))
    lake.run("extend", "t", PARTITIONS, stdin=stream([wider]))
    lake.append("t", *(rows(n * 10, 10).append_column("note", pa.nulls(10, pa.string())) for n in range(60)))
    newest = DeltaTable(lake.path("t")).version()

    def check(version: int, *arguments: str) -> None:
        shown = table_command(lake, "describe", "t", *arguments)
        then = DeltaTable(lake.path("t"), version=version)
        actions = pa.table(then.get_add_actions(flatten=True))
        assert (shown["version"], shown["files"], shown["rows"], shown["bytes"]) == (
            version, actions.num_rows, pc.sum(actions["num_records"]).as_py() or 0,
            pc.sum(actions["size_bytes"]).as_py() or 0), version
        assert [column["column"] for column in shown["columns"]] == [field.name for field in then.schema().fields]

    for version in (0, 1, 59, 60, 61, 62, 99, 100, 101, newest):
        check(version, "--version", str(version))
    # By the times of `table history`, which delta-rs reads in the same entries.
    committed = {entry["version"]: entry["timestamp"] for entry in DeltaTable(lake.path("t")).history()}
    for moment in (committed[0], committed[30], committed[61], committed[newest] - 1):
        time_text = datetime.datetime.fromtimestamp(moment / 1000, UTC).isoformat()
        check(max(version for version, at in committed.items() if at <= moment), "--as-of", time_text)
    check(newest, "--as-of", "2999-12-31")
    shown = subprocess.run([BINARY, "--set", f"lake.uri={lake.folder}", "table", "describe", "t", "--version", "60"],
                           capture_output=True, text=True, timeout=60).stdout
    assert "version 60 of 20" in shown

    def refused(*arguments: str) -> str:
        return table_command(lake, "describe", "t", *arguments, expect=1)

    assert f"table t has no version {newest + 1}: its newest is version {newest}" in refused("--version",
                                                                                             str(newest + 1))
    # After a clean-up of the log, it is readable from the checkpoint on.
    for version in range(100):
        (lake.folder / "t" / "_delta_log" / f"{version:020}.json").unlink()
    check(100, "--version", "100")
    check(101, "--version", "101")
    begins = "its log begins at version 100 of " + datetime.datetime.fromtimestamp(
        committed[100] / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert f"table t no longer has version 99: {begins}" in refused("--version", "99")
    assert f"table t has no version of 2001-02-03T00:00:00.000Z: {begins}" in refused("--as-of", "2001-02-03")


# --- Maintaining a table -------------------------------------------------------------------------

def age(path: pathlib.Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def orphan(lake: Lake, name: str, hours: float) -> pathlib.Path:
    """A file of a commit that never completed."""
    path = lake.folder / "t" / "region=US" / f"date={DAY}" / name
    path.write_bytes(b"x" * 1000)
    age(path, hours)
    return path


def test_vacuum_lists_first_and_deletes_when_told(lake: Lake) -> None:
    lake.append("t", rows(0, 10), rows(10, 5, "EU"))
    for path in (lake.folder / "t").rglob("*.parquet"):
        age(path, 100)
    old, young = orphan(lake, "old.parquet", 25), orphan(lake, "young.parquet", 23)
    hidden = orphan(lake, "_hidden.parquet", 100)
    listed = table_command(lake, "vacuum", "t")
    assert (listed["deleted"], listed["files"], listed["bytes"], listed["files_seen"]) == (False, 1, 1000, 4)
    assert [path["path"] for path in listed["paths"]] == [f"region=US/date={DAY}/old.parquet"]
    assert old.exists()
    words = subprocess.run([BINARY, "--set", f"lake.uri={lake.folder}", "table", "vacuum", "t"],
                           capture_output=True, text=True, timeout=60).stdout
    assert "Would delete 1 file" in words and "shopstream table vacuum t --delete" in words
    assert table_command(lake, "vacuum", "t", "--delete")["files"] == 1
    assert not old.exists() and young.exists() and hidden.exists()
    assert "files of commits in progress" in table_command(
        lake, "vacuum", "t", "--delete", "--retention-hours", "1", expect=1)
    assert young.exists()
    assert table_command(lake, "vacuum", "t", "--delete", "--retention-hours", "1", "--force")["files"] == 1
    assert not young.exists()
    assert lake.read("t") == expected(rows(0, 10), rows(10, 5, "EU"))
    assert len(DeltaTable(lake.path("t")).to_pyarrow_table()) == 15


def test_vacuum_takes_what_delta_rs_compacted_only_after_its_retention(lake: Lake) -> None:
    lake.append("t", *[rows(n * 10, 10) for n in range(5)])
    small = list((lake.folder / "t" / "region=US").rglob("*.parquet"))
    DeltaTable(lake.path("t")).optimize.compact()
    for path in small:
        age(path, 100)
    assert table_command(lake, "vacuum", "t", "--delete")["files"] == 0
    DeltaTable(lake.path("t")).alter.set_table_properties(
        {"delta.deletedFileRetentionDuration": "interval 0 seconds"})
    assert table_command(lake, "vacuum", "t", "--delete")["files"] == 5
    assert lake.read("t") == expected(*[rows(n * 10, 10) for n in range(5)])


def verify(lake: Lake, *flags: str, expect: int = 0) -> dict:
    done = subprocess.run([BINARY, "--json", "--set", f"lake.uri={lake.folder}", "table", "verify", "t", *flags],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("flags", [[], ["--deep"]])
def test_verify_finds_our_tables_and_theirs_sound(lake: Lake, flags: list[str]) -> None:
    """Every type, nulls, partitions that need escaping; a checkpoint; files and removes of delta-rs."""
    lake.append("t", *[rows(n * 10, 10, [None, "US", "E U/%=ü"][n % 3]) for n in range(101)])
    write_deltalake(lake.path("t"), pa.Table.from_batches([rows(5000, 70, "x:y z")]), mode="append")
    DeltaTable(lake.path("t")).optimize.compact()
    orphan(lake, "orphan.parquet", 0)
    report = verify(lake, *flags)
    assert report["clean"] and report["rows"] == 1080 and report["checkpoints_compared"] == 1
    assert (report["orphan_files"], report["orphan_bytes"]) == (1, 1000)


def test_verify_names_what_is_wrong(lake: Lake) -> None:
    lake.append("t", rows(0, 10), rows(10, 5, "EU"))
    file = next((lake.folder / "t" / "region=EU").rglob("*.parquet"))
    pq.write_table(pq.read_table(file).slice(1), file)
    report = verify(lake, expect=3)
    assert not report["clean"]
    reasons = [found["difference"] for found in report["differences"] if file.name in found["path"]]
    assert any("bytes, the log says" in reason for reason in reasons)
    assert any("it has 4 rows, the log says 5" in reason for reason in reasons)
    file.unlink()
    reasons = [found["difference"] for found in verify(lake, expect=3)["differences"]]
    assert len(reasons) == 1 and "it is missing" in reasons[0]
    DeltaTable(lake.path("t")).repair()
    assert verify(lake)["clean"]
    assert lake.read("t") == expected(rows(0, 10))


def test_readers_of_delta_rs_never_fail_while_the_log_is_cleaned_up(lake: Lake) -> None:
    """They open, follow and read continuously, until only the last entries of the log are left."""
    lake.append("t", *[rows(n, 1) for n in range(105)])
    log = lake.folder / "t" / "_delta_log"
    for path in log.iterdir():
        age(path, 25)
    follower = DeltaTable(lake.path("t"))
    stop, failures, opened = threading.Event(), [], []

    def read() -> None:
        before = 0
        while not stop.is_set():
            try:
                count = DeltaTable(lake.path("t")).to_pyarrow_table(columns=["id"]).num_rows
                opened.append(count)
                if count < before:
                    failures.append(f"{count} rows after {before}")
                before = count
            except Exception as error:  # Any error is what this test looks for.
                failures.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        written = 105
        # A writer that exits stops its clean-up, so each one continues for a while after the checkpoint
        # that starts it; the next one resumes it.
        while (log / f"{99:020}.json").exists():
            assert written < 3000, lake.log("t")
            lake.append("t", *[rows(written + n, 1) for n in range(195)])
            written += 195
    finally:
        stop.set()
        reader.join(60)
    assert not failures and len(opened) > 1
    assert [name for name in lake.log("t") if name[:1] == "0"][0] == f"{100:020}.checkpoint.parquet"
    follower.update_incremental()
    assert follower.to_pyarrow_table(columns=["id"]).num_rows == written
    assert len(lake.read("t")) == written
    assert verify(lake, "--deep")["clean"]
