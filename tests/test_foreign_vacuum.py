"""Other engines' VACUUM on our tables deletes what no version needs, and no live file, whatever the partition's
value and the name of its column."""

import os
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from driven_lake import Lake

ASCII = [f"a{chr(code)}b" for code in range(1, 128)]
OTHERS = ["é", "e\u0301", "日本", "😀", "\u00a0", "\u2028", "\u3000x", "\x85", " lead", "trail ", "a  b", ".", "..",
          "../up", "~", "%41", "%25", "100%", "+", "R&D", "\"'", "a/b/c", "a\\b", "_hidden", ".hidden", "=", "a=b",
          "été & \"R&D\" (100 %) + $5!", None]
VALUES = list(dict.fromkeys(ASCII + OTHERS))
# No comma, because the driver splits there.
NAMES = ["R&D", "été", "a'b", "a+b%", "!$()*:@~", "two words", "日本", "a=b", "q?#[]"]


@pytest.fixture
def lake(tmp_path: pathlib.Path) -> Lake:
    return Lake(tmp_path / "lake")


def filled(lake: Lake, table: str, columns: list[str], values: list[str | None]) -> list[dict]:
    """One file per value, which is used for all partition columns; returns the rows."""
    rows = [{"id": f"id-{i:04}", **dict.fromkeys(columns, value)} for i, value in enumerate(values)]
    schema = pa.schema([(name, pa.string()) for name in ["id", *columns]])
    lake.append(table, pa.RecordBatch.from_pylist(rows, schema), partitions=",".join(columns))
    return rows


def orphan(lake: Lake, table: str) -> pathlib.Path:
    """A file next to a live one that no version names, which a vacuum should delete."""
    live = sorted((lake.folder / table).rglob("*.parquet"))[0]
    path = live.with_name("part-orphan.parquet")
    path.write_bytes(live.read_bytes())
    return path


def age(folder: pathlib.Path) -> None:
    for path in folder.rglob("*.parquet"):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def vacuum_of_spark_without_retention(path: str, spark: Any) -> None:
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    spark.sql(f"VACUUM delta.`{path}` RETAIN 0 HOURS").collect()


def vacuum_of_spark_by_the_tables_own_retention(path: str, spark: Any) -> None:
    age(pathlib.Path(path))
    spark.sql(f"VACUUM delta.`{path}`").collect()


def vacuum_of_delta_rs(path: str, spark: Any) -> None:
    DeltaTable(path).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)


@pytest.mark.parametrize("vacuum", [vacuum_of_spark_without_retention, vacuum_of_spark_by_the_tables_own_retention,
                                    vacuum_of_delta_rs])
def test_no_vacuum_deletes_a_live_file_whatever_the_partition(lake: Lake, spark: Any, vacuum: Any) -> None:
    for table, columns, values in (("values", ["v"], VALUES), ("names", NAMES, ["x", "R&D é", None])):
        rows = filled(lake, table, columns, values)
        left_over = orphan(lake, table)
        live = {path for path in (lake.folder / table).rglob("*.parquet") if path != left_over}
        assert len(live) == len(values)
        vacuum(lake.path(table), spark)
        lost = [str(path) for path in live if not path.exists()]
        assert not lost, f"{table}: {len(lost)} of {len(live)} live files are gone: {lost[:5]}"
        assert not left_over.exists(), f"{table}: the vacuum did nothing"
        assert lake.read(table) == rows
        frame = DeltaTable(lake.path(table)).to_pyarrow_table().to_pylist()
        assert sorted(frame, key=lambda row: row["id"]) == rows
        frame = spark.read.format("delta").load(lake.path(table)).orderBy("id").collect()
        assert [row.asDict() for row in frame] == rows
