"""Reads a table with each of the readers in docs/reading-the-lake.md."""

from typing import Any

import duckdb
import polars
from deltalake import DeltaTable


def answers(path: str, columns: list[str], spark: Any) -> dict[str, list[tuple]]:
    """The rows as each reader finds them."""
    table = DeltaTable(path)
    names = ", ".join(columns)
    dataset = table.to_pyarrow_dataset()
    return {
        "delta-rs": [tuple(row.values()) for row in table.to_pyarrow_table(columns=columns).to_pylist()],
        "polars": polars.read_delta(path).select(columns).rows(),
        "duckdb": duckdb.connect().execute(f"SELECT {names} FROM dataset").fetchall(),
        "spark": [tuple(row) for row in spark.read.format("delta").load(path).select(*columns).collect()],
    }
