"""Spark, delta-rs and our own programs take turns changing one table at random; every few steps all of them, and a
model in Python, must agree on every row."""

import dataclasses
import os
import pathlib
import random
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Field, write_deltalake

import soak
from cluster import BINARY
from driven_lake import Lake, stream
from engine_rows import MORE, PARTITION, SCHEMA, Row, Rows, batch, content, difference

TABLE = "t"
STEPS = 2_000 if soak.LONG else 60
SECONDS_OF_CI = 40
COMPARE_EVERY = 3
SPARK_COMPARES_EVERY = 9  # And after each vacuum: Spark is by far the slowest.
MOST_ROWS = 600
SPARK_SETTINGS = {
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
}


@dataclasses.dataclass
class Model:
    """What the table should hold."""
    rows: dict[str, Row]
    schema: pa.Schema

    def copy(self) -> "Model":
        return Model(dict(self.rows), self.schema)


@dataclasses.dataclass
class Condition:
    """One predicate, in each engine's syntax."""
    spark: str
    rust: str
    holds: Callable[[Row], bool]
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)


class World:
    """The table, the model, and each engine's access to it."""

    def __init__(self, lake: Lake, spark: Any, seed: int):
        self.chance = random.Random(seed)
        self.lake, self.spark = lake, spark
        self.path = lake.path(TABLE)
        self.rows = Rows(self.chance)
        self.model = Model({}, SCHEMA)
        self.versions: dict[int, Model] = {}
        self.steps: list[str] = []

    def begin(self) -> None:
        self.ours_append(5)
        DeltaTable(self.path).alter.set_table_properties({"delta.checkpointInterval": "7"})
        self.remember()

    def remember(self) -> None:
        self.versions[self.version()] = self.model.copy()

    def version(self) -> int:
        return DeltaTable(self.path).version()

    def sql(self, text: str, **arguments: Any) -> None:
        self.spark.sql(text.replace("THE_TABLE", f"delta.`{self.path}`"), args=arguments or None).collect()

    def program(self, *arguments: str) -> str:
        done = subprocess.run([BINARY, "--set", f"lake.uri={self.lake.folder}", "table", *arguments],
                              capture_output=True, text=True, timeout=120,
                              env={k: v for k, v in os.environ.items() if not k.startswith("SHOPSTREAM_")})
        assert done.returncode == 0, f"table {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def new_rows(self, count: int) -> tuple[list[Row], pa.Table]:
        rows = self.rows.make(self.model.schema, count)
        return rows, batch(rows, self.model.schema)

    def add(self, rows: list[Row]) -> None:
        self.model.rows |= {row["id"]: row for row in rows}

    def remove(self, doomed: Callable[[Row], bool]) -> None:
        self.model.rows = {key: row for key, row in self.model.rows.items() if not doomed(row)}

    def condition(self) -> Condition:
        """Usually matches existing rows."""
        row = self.chance.choice(list(self.model.rows.values()) or self.rows.make(self.model.schema, 1))
        n, place = self.chance.randrange(3, 12), row[PARTITION]
        kinds = [
            Condition(f"n % {n} = 1", f"n % {n} = 1", lambda r: r["n"] % n == 1),
            Condition("ok = true", "ok = true", lambda r: r["ok"] is True),
            Condition(f"n >= {row['n']}", f"n >= {row['n']}", lambda r: r["n"] >= row["n"]),
            Condition("usd > 3.5", "usd > 3.5", lambda r: r["usd"] is not None and float(r["usd"]) > 3.5),
            # delta-rs would leave out nulls of files by Spark whose footer has no statistics, because of a long text.
            Condition("note IS NULL", "coalesce(note, 'none') = 'none'", lambda r: r["note"] is None),
            Condition("day = DATE'0001-01-01'", "day = DATE '0001-01-01'",
                      lambda r: r["day"] is not None and r["day"].year == 1),
            Condition(f"id = '{row['id']}'", f"id = '{row['id']}'", lambda r: r["id"] == row["id"]),
        ]
        if place is None:
            kinds.append(Condition(f"`{PARTITION}` IS NULL", f'"{PARTITION}" IS NULL', lambda r: r[PARTITION] is None))
        else:
            quoted = place.replace("'", "''")
            kinds.append(Condition(f"`{PARTITION}` = :place", f'"{PARTITION}" = \'{quoted}\'',
                                   lambda r: r[PARTITION] == place, {"place": place}))
        return self.chance.choice(kinds)

    # --- ours ------------------------------------------------------------------------------------

    def ours_append(self, count: int = 0) -> str:
        rows, table = self.new_rows(count or self.chance.randrange(1, 30))
        self.lake.run("append", TABLE, f"{PARTITION},date", stdin=stream(table.combine_chunks().to_batches()))
        self.add(rows)
        return f"{len(rows)} rows"

    def ours_add_column(self) -> str:
        name = self.grow()
        rows, table = self.new_rows(3)
        self.lake.run("extend", TABLE, f"{PARTITION},date", stdin=stream(table.combine_chunks().to_batches()))
        self.add(rows)
        return name

    def ours_remove_file(self) -> str:
        listed = [line.split() for line in self.program("files", TABLE).splitlines()]
        paths = [words[0] for words in listed if words and words[0].endswith(".parquet")]
        if not paths:
            return "nothing to remove"
        path = self.chance.choice(paths)
        gone = set(pq.read_table(pathlib.Path(self.path) / path, columns=["id"], partitioning=None)["id"].to_pylist())
        self.lake.run("remove", TABLE, path)
        self.remove(lambda row: row["id"] in gone)
        return path

    def ours_optimize(self) -> str:
        return self.program("optimize", TABLE).splitlines()[0]

    def ours_repair(self) -> str:
        return self.program("repair", TABLE, "--apply").splitlines()[-1]

    def ours_vacuum(self) -> str:
        self.program("vacuum", TABLE, "--delete", "--retention-hours", "0", "--force")
        self.versions.clear()
        return ""

    # --- Spark -----------------------------------------------------------------------------------

    def spark_append(self) -> str:
        rows, table = self.new_rows(self.chance.randrange(1, 30))
        self.spark.createDataFrame(table).write.format("delta").mode("append").save(self.path)
        self.add(rows)
        return f"{len(rows)} rows"

    def spark_delete(self) -> str:
        condition = self.condition()
        self.sql(f"DELETE FROM THE_TABLE WHERE {condition.spark}", **condition.arguments)
        self.remove(condition.holds)
        return condition.rust

    def spark_update(self) -> str:
        condition, place = self.condition(), self.chance.choice(["US", "R&D", "a=b"])
        self.sql(f"UPDATE THE_TABLE SET small = 7, price = CAST('NaN' AS DOUBLE), `{PARTITION}` = '{place}' "
                 f"WHERE {condition.spark}", **condition.arguments)
        self.update(condition, {"small": 7, "price": float("nan"), PARTITION: place})
        return condition.rust

    def spark_merge(self) -> str:
        rows, table = self.merge_rows()
        self.spark.createDataFrame(table).createOrReplaceTempView("source")
        self.sql("MERGE INTO THE_TABLE t USING source s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * "
                 "WHEN NOT MATCHED THEN INSERT *")
        self.add(rows)
        return f"{len(rows)} rows"

    def spark_optimize(self) -> str:
        self.sql("OPTIMIZE THE_TABLE")
        return ""

    def spark_vacuum(self) -> str:
        self.sql("VACUUM THE_TABLE RETAIN 0 HOURS")
        self.versions.clear()
        return ""

    def spark_restore(self) -> str:
        return self.restore(lambda version: self.sql(f"RESTORE TABLE THE_TABLE TO VERSION AS OF {version}"))

    def spark_add_column(self) -> str:
        name = self.grow()
        kinds = {"text": "STRING", "number": "DOUBLE", "flag": "BOOLEAN", "money": "DECIMAL(10,3)",
                 "moment": "TIMESTAMP", "pair": "STRUCT<a: BIGINT, b: STRING>"}
        self.sql(f"ALTER TABLE THE_TABLE ADD COLUMNS ({name} {kinds[name.split('_')[0]]})")
        return name

    # --- delta-rs --------------------------------------------------------------------------------

    def rust_append(self) -> str:
        rows, table = self.new_rows(self.chance.randrange(1, 30))
        write_deltalake(self.path, table, mode="append")
        self.add(rows)
        return f"{len(rows)} rows"

    def rust_delete(self) -> str:
        condition = self.condition()
        DeltaTable(self.path).delete(condition.rust)
        self.remove(condition.holds)
        return condition.rust

    def rust_update(self) -> str:
        condition = self.condition()
        DeltaTable(self.path).update(predicate=condition.rust, updates={"small": "8", "note": "'it''s'"})
        self.update(condition, {"small": 8, "note": "it's"})
        return condition.rust

    def rust_merge(self) -> str:
        rows, table = self.merge_rows()
        (DeltaTable(self.path).merge(table, predicate="t.id = s.id", source_alias="s", target_alias="t")
         .when_matched_update_all().when_not_matched_insert_all().execute())
        self.add(rows)
        return f"{len(rows)} rows"

    def rust_optimize(self) -> str:
        DeltaTable(self.path).optimize.compact()
        return ""

    def rust_vacuum(self) -> str:
        DeltaTable(self.path).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False, full=True)
        self.versions.clear()
        return ""

    def rust_restore(self) -> str:
        return self.restore(lambda version: DeltaTable(self.path).restore(version))

    def rust_add_column(self) -> str:
        name = self.grow()
        kind = pa.schema([self.model.schema.field(name)])
        DeltaTable(self.path).alter.add_columns([Field(name, _delta_type(kind))])
        return name

    def rust_checkpoint(self) -> str:
        DeltaTable(self.path).create_checkpoint()
        return ""

    # --- shared ----------------------------------------------------------------------------------

    def grow(self) -> str:
        name, kind = self.chance.choice(MORE)
        name += f"_{len(self.model.schema)}_{len(self.steps)}"
        fields = list(self.model.schema)
        # Before the partition columns, as the driver writes them.
        self.model.schema = pa.schema(fields[:-2] + [pa.field(name, kind)] + fields[-2:])
        return name

    def merge_rows(self) -> tuple[list[Row], pa.Table]:
        known = list(self.model.rows)
        rows = self.rows.make(self.model.schema, 8)
        for row, key in zip(rows, self.chance.sample(known, min(4, len(known))), strict=False):
            row["id"] = key
        return rows, batch(rows, self.model.schema)

    def update(self, condition: Condition, values: Row) -> None:
        for key, row in self.model.rows.items():
            if condition.holds(row):
                self.model.rows[key] = {**row, **values}

    def restore(self, engine: Callable[[int], Any]) -> str:
        old = [version for version in self.versions if version < self.version()]
        if not old:
            return "no version to restore"
        version = self.chance.choice(old[-6:])
        engine(version)
        self.model = self.versions[version].copy()
        return f"to {version}"

    # --- what all must agree on ------------------------------------------------------------------

    def compare(self, with_spark: bool = True) -> None:
        schema = self.model.schema
        expected = content(list(self.model.rows.values()), schema)
        readers: dict[str, Callable[[], pa.Table]] = {
            "ours": lambda: pa.ipc.open_stream(self.lake.run("read", TABLE).stdout).read_all(),
            "delta-rs": lambda: pa.table(DeltaTable(self.path).to_pyarrow_table()),
            "spark": lambda: self.spark.read.format("delta").load(self.path).toArrow()}
        if not with_spark:
            del readers["spark"]
        for name, read in readers.items():
            found = read()
            assert set(found.column_names) == set(schema.names), f"{name}: columns {found.column_names}"
            wrong = difference(expected, content(found.to_pylist(), schema))
            assert not wrong, f"{name}: {wrong}"
        self.program("verify", TABLE)


# Relative frequency of each step.
WEIGHTS = {
    "ours_append": 6, "spark_append": 3, "rust_append": 3, "ours_remove_file": 1, "ours_optimize": 3, "ours_repair": 2,
    "spark_optimize": 1, "rust_optimize": 2, "spark_delete": 2, "rust_delete": 2, "spark_update": 2, "rust_update": 2,
    "spark_merge": 1, "rust_merge": 2, "ours_vacuum": 1, "spark_vacuum": 2, "rust_vacuum": 1, "spark_restore": 1,
    "rust_restore": 1, "ours_add_column": 1, "spark_add_column": 1, "rust_add_column": 1, "rust_checkpoint": 2}


def _delta_type(schema: pa.Schema) -> Any:
    from deltalake import Schema
    return Schema.from_arrow(schema).fields[0].type


@pytest.fixture
def settled(spark: Any) -> Any:
    before = {name: spark.conf.get(name, None) for name in SPARK_SETTINGS}
    for name, value in SPARK_SETTINGS.items():
        spark.conf.set(name, value)
    yield spark
    for name, value in before.items():
        spark.conf.unset(name) if value is None else spark.conf.set(name, value)


@pytest.mark.soak
def test_engines_that_change_one_table_in_turn_agree_on_every_row(tmp_path: pathlib.Path, settled: Any) -> None:
    seed = int(os.environ.get("SHOPSTREAM_SEED", time.time_ns() % 1_000_000))
    world = World(Lake(tmp_path / "lake"), settled, seed)
    begun = time.monotonic()
    try:
        world.begin()
        for step in range(STEPS):
            if not soak.LONG and time.monotonic() - begun > SECONDS_OF_CI:
                break
            name = world.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if len(world.model.rows) > MOST_ROWS:
                name = "rust_delete"
            world.steps.append(name)
            started = time.monotonic()
            world.steps[-1] = f"{name} {getattr(world, name)()}"
            world.steps[-1] += f" -> version {world.version()}, {time.monotonic() - started:.1f} s"
            world.remember()
            if step % COMPARE_EVERY == 0 or name.endswith("vacuum"):
                world.compare(with_spark=step % SPARK_COMPARES_EVERY == 0 or name.endswith("vacuum"))
        world.compare()
        print(f"SHOPSTREAM_SEED={seed}: {len(world.steps)} steps")
    except BaseException:
        print(f"SHOPSTREAM_SEED={seed}", *world.steps, sep="\n")
        raise
