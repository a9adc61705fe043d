"""Statistics never hide a row: readers that skip files by them find the same rows as without them.

The rows have every type, extreme values and all nulls in turn. A reader's answer from our table is compared with the
same reader's on the same rows in memory, where nothing can be skipped. Needs no broker."""

import decimal
import itertools
import json
import os
import pathlib
import random
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, QueryBuilder, WriterProperties, write_deltalake

import every_filter
from cluster import BINARY
from driven_lake import stream
from every_filter import Filter

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVER = pathlib.Path(os.environ.get("SHOPSTREAM_LAKE_DRIVER", ROOT / "build/release/src/lake/lake_driver"))
SOAK = "SHOPSTREAM_SOAK" in os.environ
FILTERS = 8000 if SOAK else 500  # For each of four readers, over all stages of the table.
SPARK_FILTERS = 2000 if SOAK else 200
SPARK_PARTS = 40 if SOAK else 4
SEED = 8
STAGES = ["as written", "from a checkpoint", "after the schema grew", "after optimize"]


def drive(command: str, lake: pathlib.Path, batches: list[pa.RecordBatch]) -> None:
    subprocess.run([DRIVER, command, lake, "t"], input=stream(batches), check=True, timeout=120)


def shopstream(lake: pathlib.Path, *arguments: str) -> None:
    subprocess.run([BINARY, "--set", f"lake.uri={lake}", *arguments], check=True, capture_output=True, timeout=120)


def rows_of(table: DeltaTable) -> pa.Table:
    """All rows of the live files, by a reader that ignores statistics."""
    schema = pa.schema(table.schema().to_arrow())
    parts = []
    for uri in table.file_uris():
        stored = pq.read_table(uri, use_threads=False, coerce_int96_timestamp_unit="us")
        parts.append(brought_to(schema, stored))
    return pa.concat_tables(parts).combine_chunks()


def brought_to(schema: pa.Schema, stored: pa.Table) -> pa.Table:
    def to(kind: pa.DataType, values: pa.Array | None, count: int) -> pa.Array:
        if values is None:
            return pa.nulls(count, kind)
        if not pa.types.is_struct(kind):
            return values.cast(kind)
        names = [member.name for member in values.type]
        members = [to(member.type, pc.struct_field(values, member.name) if member.name in names else None, count)
                   for member in kind]
        return pa.StructArray.from_arrays(members, fields=list(kind), mask=values.is_null())

    columns = {name: stored[name].combine_chunks() for name in stored.column_names}
    return pa.Table.from_arrays([to(field.type, columns.get(field.name), stored.num_rows) for field in schema], schema=schema)


# --- Readers: each a function from a filter to the ids it finds, in the table and in memory --------

Answers = tuple[Callable[[Filter], list[int]], Callable[[Filter], list[int]]]


def ids(table: pa.Table) -> list[int]:
    return sorted(pa.table(table)["id"].to_pylist())


def delta_rs(table: DeltaTable, rows: pa.Table) -> Answers:
    memory, dataset = pyarrow.dataset.dataset(rows), table.to_pyarrow_dataset()
    asked = itertools.count()

    def in_table(filter: Filter) -> list[int]:
        # Rebuilding the dataset for each filter takes most of the time.
        if next(asked) % 10 == 0:
            return ids(table.to_pyarrow_table(columns=["id"], filters=filter.triple() or filter.arrow()))
        return ids(dataset.to_table(columns=["id"], filter=filter.arrow()))

    # pyarrow itself evaluates x < NaN as true wherever it knows a bound, with or without Delta.
    return (lambda filter: [] if filter.has_nan() else in_table(filter),
            lambda filter: [] if filter.has_nan() else ids(memory.to_table(columns=["id"], filter=filter.arrow())))


def duckdb_on_delta_rs(table: DeltaTable, rows: pa.Table) -> Answers:
    connection = duckdb.connect()

    def answer(dataset: Any) -> Callable[[Filter], list[int]]:
        def ask(filter: Filter) -> list[int]:
            connection.register("t", dataset)
            return ids(connection.sql(f"SELECT id FROM t WHERE {filter.sql('duckdb')}").to_arrow_table())
        return ask

    # delta-rs's own file system is Python code. Arrow's threads wait for Python's lock in it while they hold locks that
    # DuckDB's threads need: in thousands of queries, one hangs.
    files = pyarrow.fs.SubTreeFileSystem(table.table_uri.removeprefix("file://"), pyarrow.fs.LocalFileSystem())
    return answer(table.to_pyarrow_dataset(filesystem=files)), answer(pyarrow.dataset.dataset(rows))


def with_polars(table: DeltaTable, rows: pa.Table) -> Answers:
    lazy = polars.scan_delta(table)
    memory = polars.from_arrow(rows).lazy()

    def answer(frame: polars.LazyFrame) -> Callable[[Filter], list[int]]:
        return lambda filter: sorted(frame.filter(filter.polars()).select("id").collect()["id"].to_list())

    return answer(lazy), answer(memory)


def datafusion(table: DeltaTable, rows: pa.Table) -> Answers:
    # It cannot hold rows in memory for Python: use a table of one file without any statistics.
    folder = f"{table.table_uri.removeprefix('file://').rstrip('/')}-plain-{table.version()}"
    plain_table(folder, rows)

    def answer(source: DeltaTable) -> Callable[[Filter], list[int]]:
        builder = QueryBuilder().register("t", source)
        return lambda filter: ids(builder.execute(f"SELECT id FROM t WHERE {filter.sql('datafusion')}").read_all())

    return answer(table), answer(DeltaTable(folder))


def plain_table(folder: str, rows: pa.Table) -> None:
    """The rows as a Delta table of one file, with statistics neither in the log nor in the footer."""
    write_deltalake(folder, rows.slice(0, 0))
    pq.write_table(rows, f"{folder}/all.parquet", write_statistics=False)
    add = {"path": "all.parquet", "partitionValues": {}, "size": os.path.getsize(f"{folder}/all.parquet"),
           "modificationTime": 0, "dataChange": True}
    (pathlib.Path(folder) / "_delta_log" / f"{1:020}.json").write_text(json.dumps({"add": add}))


READERS = {"delta-rs": delta_rs, "DuckDB on delta-rs": duckdb_on_delta_rs, "Polars": with_polars,
           "DataFusion": datafusion}


# --- The table at each stage -----------------------------------------------------------------------

def set_properties(path: pathlib.Path, properties: dict[str, str]) -> None:
    DeltaTable(path).alter.set_table_properties(properties)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], DeltaTable]]:
    """Opens the table at a stage. All stages are versions of one table."""
    lake = tmp_path_factory.mktemp("statistics")
    rng = random.Random(SEED)
    versions = {}
    next_id = 0

    def append(command: str, schema: pa.Schema, count: int) -> int:
        nonlocal next_id
        batches = []
        for _ in range(count):
            batches.append(every_filter.batch(schema, next_id, rng))
            next_id += batches[-1].num_rows
        drive(command, lake, batches)
        return DeltaTable(lake / "t").version()

    every_ten = {"delta.checkpointInterval": "10"}
    versions["as written"] = append("append", every_filter.SCHEMA, 8)
    set_properties(lake / "t", every_ten)
    versions["from a checkpoint"] = append("append", every_filter.SCHEMA, 13)
    assert list((lake / "t/_delta_log").glob("*.checkpoint.parquet"))
    versions["after the schema grew"] = append("extend", every_filter.grown_schema(), 6)
    shopstream(lake, "table", "optimize", "t")
    versions["after optimize"] = append("extend", every_filter.grown_schema(), 6)
    yield lambda stage: DeltaTable(lake / "t", version=versions[stage])


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("reader", READERS)
def test_a_filter_finds_what_it_finds_without_statistics(stages: Callable[[str], DeltaTable], reader: str,
                                                         stage: str) -> None:
    table = stages(stage)
    rows = rows_of(table)
    in_table, in_memory = READERS[reader](table, rows)
    wrong = []
    for filter in every_filter.filters(rows.schema, FILTERS // len(STAGES), SEED + STAGES.index(stage)):
        found, right = in_table(filter), in_memory(filter)
        if found != right:
            wrong.append(f"{filter}: {len(found)} rows, right are {len(right)}")
    assert not wrong, "\n".join([f"{len(wrong)} filters", *wrong[:20]])


# Compiling each query would take most of the time.
QUICK_ON_FEW_ROWS = {
    "spark.databricks.delta.snapshotPartitions": "1", "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}


@pytest.mark.parametrize("part", range(SPARK_PARTS))
def test_spark_finds_what_it_finds_without_statistics(stages: Callable[[str], DeltaTable], spark: Any, part: int) -> None:
    table = stages("after optimize")
    rows = rows_of(table)
    folder = table.table_uri.removeprefix("file://").rstrip("/")
    plain_table(f"{folder}-plain-for-spark-{part}", rows)
    for name, value in QUICK_ON_FEW_ROWS.items():
        spark.conf.set(name, value)
    spark.read.format("delta").load(folder).createOrReplaceTempView("skipping")
    spark.read.format("delta").load(f"{folder}-plain-for-spark-{part}").coalesce(1).cache().createOrReplaceTempView("plain")
    wrong = []
    asked = every_filter.filters(rows.schema, SPARK_FILTERS // SPARK_PARTS, SEED + part)
    # Parquet's Java reader looks up -0 in dictionaries that have 0, with or without statistics.
    for some in chunks([filter for filter in asked if not filter.has_negative_zero()], 50):
        # A predicate in the select list, instead of the filter, skips nothing.
        verdicts = ", ".join(filter.sql("spark") for filter in some)
        answers = spark.sql(f"SELECT id, {verdicts} FROM plain t").collect()
        right = [sorted(row[0] for row in answers if row[i + 1]) for i in range(len(some))]
        for filter, expected in zip(some, right):
            found = spark.sql(f"SELECT id FROM skipping t WHERE {filter.sql('spark')}").collect()
            if sorted(row[0] for row in found) != expected:
                wrong.append(f"{filter}: {len(found)} rows, right are {len(expected)}")
    for name in QUICK_ON_FEW_ROWS:
        spark.conf.unset(name)
    assert not wrong, "\n".join([f"{len(wrong)} filters", *wrong[:20]])


def chunks(values: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(values), size):
        yield values[start:start + size]


@pytest.mark.parametrize("reader", READERS)
def test_a_struct_with_members_that_have_no_bounds_hides_nothing(tmp_path: pathlib.Path, reader: str) -> None:
    rng = random.Random(SEED)
    drive("append", tmp_path, [every_filter.batch(every_filter.MIXED, 10 * n, rng) for n in range(8)])
    table = DeltaTable(tmp_path / "t")
    rows = rows_of(table)
    in_table, in_memory = READERS[reader](table, rows)
    for filter in every_filter.filters(rows.schema, 40, SEED):
        assert in_table(filter) == in_memory(filter), str(filter)


# --- Our own reader --------------------------------------------------------------------------------

def text_of(value: Any) -> str:
    """A value in the form of a partition value."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)


def matched(table: DeltaTable, asked: list[Filter]) -> list[set[int]]:
    """The ids of the rows that our reader reads for each filter, before it looks at any value."""
    rows = [(number, filter.path[0], "=" if filter.operator == "in" else filter.operator, value)
            for number, filter in enumerate(asked) for value in filter.values or ("",)]
    conditions = pa.RecordBatch.from_pydict({"column": [row[1] for row in rows], "sign": [row[2] for row in rows],
                                             "value": [text_of(row[3]) for row in rows]})
    path = pathlib.Path(table.table_uri.removeprefix("file://"))
    done = subprocess.run([DRIVER, "match", path.parent, path.name, str(table.version())],
                          input=stream([conditions]), check=True, capture_output=True, timeout=120)
    found: list[set[int]] = [set() for _ in asked]
    for line in done.stdout.decode().splitlines():
        row, id = line.split()
        found[rows[int(row)][0]].add(int(id))
    return found


def leaves_out_no_row(table: DeltaTable) -> None:
    rows = rows_of(table)
    _, in_memory = duckdb_on_delta_rs(table, rows)
    asked = [filter for filter in every_filter.filters(rows.schema, FILTERS // 2, SEED)
             if len(filter.path) == 1 and filter.operator != "is nan" and "" not in filter.values and
             not pa.types.is_nested(filter.kind) and not pa.types.is_binary(filter.kind)]
    read = matched(table, asked)
    wrong = [f"{filter}: {sorted(missing)[:5]}" for filter, found in zip(asked, read)
             if (missing := set(in_memory(filter)) - found)]
    assert not wrong, "\n".join([f"{len(wrong)} filters", *wrong[:20]])
    share = sum(map(len, read)) / (len(asked) * rows.num_rows)
    print(f"{share:.0%} of the rows are read for {len(asked)} filters")
    assert share < 0.7


def test_our_reader_leaves_out_no_row_of_ours(stages: Callable[[str], DeltaTable]) -> None:
    leaves_out_no_row(stages("after the schema grew"))


def test_our_reader_leaves_out_no_row_of_delta_rs(tmp_path: pathlib.Path) -> None:
    rng = random.Random(SEED)
    few = WriterProperties(max_row_group_size=4)
    for some in chunks([every_filter.batch(every_filter.SCHEMA, 10 * n, rng) for n in range(30)], 3):
        write_deltalake(tmp_path / "t", pa.Table.from_batches(some), mode="append", writer_properties=few)
    leaves_out_no_row(DeltaTable(tmp_path / "t"))


def test_our_reader_leaves_out_no_row_of_spark(tmp_path: pathlib.Path, spark: Any) -> None:
    rng = random.Random(SEED)
    batches = [every_filter.batch(every_filter.SCHEMA, 10 * n, rng) for n in range(16)]
    pq.write_table(pa.Table.from_batches(batches), tmp_path / "all.parquet")
    rows = spark.read.parquet(str(tmp_path / "all.parquet"))
    rows.repartitionByRange(16, "id").write.format("delta").save(str(tmp_path / "t"))
    leaves_out_no_row(DeltaTable(tmp_path / "t"))


def test_the_statistics_let_readers_skip_files(stages: Callable[[str], DeltaTable]) -> None:
    # Otherwise the tests above would pass for a table without any.
    for stage in STAGES:
        actions = pa.table(stages(stage).get_add_actions(flatten=True)).to_pylist()
        bounded = [action for action in actions if action.get("max.id") is not None]
        assert len(bounded) > len(actions) / 4 > 1, stage
