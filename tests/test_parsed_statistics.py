"""Statistics that another engine's checkpoint has only in columns (delta.checkpoint.writeStatsAsJson=false) survive
our own checkpoint. delta-rs writes such checkpoints; Spark 4.0 with Delta 4.0 then writes no statistics at all."""

import datetime
import decimal
import json
import pathlib
from typing import Any

import numpy
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from driven_lake import Lake, stream

INFINITY = float("inf")
# Minimum and maximum of each column.
COLUMNS: dict[str, tuple[pa.DataType, Any, Any]] = {
    "paid": (pa.bool_(), False, True),
    "tiny": (pa.int8(), -128, 127),
    "small": (pa.int16(), -5, 5),
    "n": (pa.int32(), -5, 5),
    "id": (pa.int64(), -2**63, 2**63 - 1),
    "single": (pa.float32(), 0.1, 3.4e38),
    "x": (pa.float64(), -1.5e-300, 1e300),
    "odd": (pa.float64(), -INFINITY, INFINITY),
    "fee": (pa.decimal128(5, 2), decimal.Decimal("-1.50"), decimal.Decimal("999.99")),
    "big": (pa.decimal128(38, 9), decimal.Decimal("-12345.000000001"), decimal.Decimal("98765.500000000")),
    "name": (pa.string(), 'a "quoted" \\ text', "été"),
    "long": (pa.string(), "a" * 60, "z" * 60),
    "day": (pa.date32(), datetime.date(1, 1, 1), datetime.date(9999, 12, 31)),
    "at": (pa.timestamp("us", "UTC"), datetime.datetime(1500, 1, 1, 0, 0, 0, 123456, datetime.UTC),
           datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, datetime.UTC)),
    "place": (pa.struct([("city", pa.string()), ("zip", pa.int32())]), {"city": "x", "zip": 1},
              {"city": None, "zip": 9}),
    "nothing": (pa.string(), None, None),
}
SCHEMA = pa.schema([(name, kind) for name, (kind, _, _) in COLUMNS.items()])
ONLY_COLUMNS = {"delta.checkpointInterval": "4", "delta.checkpoint.writeStatsAsJson": "false",
                "delta.checkpoint.writeStatsAsStruct": "true"}


@pytest.fixture
def lake(tmp_path: pathlib.Path) -> Lake:
    return Lake(tmp_path)


def foreign_table(path: str) -> None:
    """Two files, and a checkpoint of version 1 that has their statistics in columns."""
    rows = [{name: values[i] for name, (_, *values) in COLUMNS.items()} for i in (0, 1)]
    write_deltalake(path, pa.Table.from_pylist(rows, schema=SCHEMA), configuration=ONLY_COLUMNS)
    write_deltalake(path, pa.Table.from_pylist([{"n": 1}], schema=SCHEMA), mode="append")
    DeltaTable(path).create_checkpoint()


def parsed(text: str) -> dict[str, Any]:
    return plain(json.loads(text, parse_float=decimal.Decimal))


def plain(value: Any) -> Any:
    """Numbers and times by value, without nulls."""
    if isinstance(value, dict):
        members = {key: plain(member) for key, member in value.items()}
        return {key: member for key, member in members.items() if member not in (None, {})}
    if isinstance(value, str):
        try:
            time = datetime.datetime.fromisoformat(value)
        except ValueError:
            return value
        return time.replace(tzinfo=time.tzinfo or datetime.UTC)
    if not isinstance(value, decimal.Decimal):
        return value
    with numpy.errstate(over="ignore"):  # Writers may give a float any number of digits.
        single = numpy.float32(value)
    return float(single) if numpy.isfinite(single) and single != 0 else float(value)


def json_statistics(checkpoint: pathlib.Path) -> dict[str, Any]:
    return {row["add"]["path"]: parsed(row["add"]["stats"])
            for row in pq.read_table(checkpoint, columns=["add"]).to_pylist() if row["add"] is not None}


def test_statistics_in_columns_alone_survive_our_checkpoint(lake: Lake) -> None:
    foreign_table(lake.path("t"))
    log = lake.folder / "t/_delta_log"
    theirs = log / f"{1:020}.checkpoint.parquet"
    fields = [field.name for field in pq.read_schema(theirs).field("add").type]
    assert "stats_parsed" in fields and "stats" not in fields
    written = {}
    for entry in sorted(log.glob("*.json")):
        for line in entry.read_text().splitlines():
            if add := json.loads(line).get("add"):
                written[add["path"]] = parsed(add["stats"])
        entry.unlink()
    assert len(written) == 2 and all(statistics["minValues"] for statistics in written.values())

    for n in (2, 3, 4):  # Version 4 is due for our checkpoint.
        lake.run("extend", "t", stdin=stream([pa.RecordBatch.from_pylist([{"n": n}], schema=SCHEMA)]))
    kept = json_statistics(log / f"{4:020}.checkpoint.parquet")
    assert len(kept) == 5
    for path, statistics in written.items():
        for bounds in ("minValues", "maxValues"):  # delta-rs has no bounds for booleans in columns.
            statistics[bounds].pop("paid", None)
        for kind, values in statistics.items():
            assert kept[path][kind] == values, kind

    for path in (*log.glob("*.json"), theirs):
        path.unlink()
    table = DeltaTable(lake.path("t"))
    assert table.to_pyarrow_table(filters=[("fee", "=", decimal.Decimal("999.99"))]).num_rows == 1
    assert table.to_pyarrow_table(filters=[("n", ">=", 2)]).num_rows == 4
