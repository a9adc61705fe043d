"""Refine in whole histories on simulated time and storage (docs/simulator.md): their lakes, read by delta-rs, equal what
Polars recomputes from Bronze."""

import json
import math
import pathlib
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import refined_again
import soak
from deltalake import DeltaTable
from refined_again import COMPUTED, COORDINATES, Row, RuleBook

SIMULATE = pathlib.Path(__file__).resolve().parent.parent / "build/release/tests/simulate/simulate"
CHUNK = 50  # Histories of one test.
CHUNKS = soak.steps(10, 100)

# The mistakes of tests/simulate/refine_mistakes.h, and the seed of a history that catches each. After changing the
# meaning of seeds, find new ones with: simulate --refine --mistake NAME --seeds 5000
CAUGHT_BY = {
    "pass-by-at-least": 5,
    "ends-before-rows": 1,
    "replays-forgotten": 3,
    "finishes-without-rejects": 2,
    "index-ahead-of-silver": 2,
    "late-dates-dropped": 1,
}


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SIMULATE, "--refine", *map(str, arguments)], capture_output=True, text=True)


def key_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in COORDINATES)


def same(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, float) and isinstance(other, float)
                            and math.isnan(one) and math.isnan(other))


def by_seed(rows: Iterable[Row]) -> dict[int, list[Row]]:
    sorted_rows: dict[int, list[Row]] = {}
    for row in rows:
        sorted_rows.setdefault(row["seed"], []).append(row)
    return sorted_rows


class RefinedLakes:
    """The lakes at the ends of many histories, as delta-rs finds their files. Each table is one frame, with a column
    `seed`: hundreds of small frames would take longer than the histories."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folders = {int(item.name): item for item in folder.iterdir()}
        self.seeds = sorted(self._folders)
        self._bronze = self._read("bronze-events")
        self._silver = self._read("silver-events")
        rejects = self._tables("silver-rejects")
        self._rejects = self._read("silver-rejects", rejects)
        self._horizons = {seed: self._horizon(folder) for seed, folder in self._folders.items()}
        self._uses = {seed: json.loads(table.metadata().configuration.get("shopstream.refine.fingerprints", "[]"))
                      for seed, table in rejects.items()}
        self._bronze, self._silver, self._rejects = map(self._kept, (self._bronze, self._silver, self._rejects))
        refined = pl.concat([self._silver, self._rejects], how="diagonal")
        self._bronze_rows, self._refined_rows = by_seed(self._bronze.to_dicts()), by_seed(refined.to_dicts())

    @staticmethod
    def _horizon(folder: pathlib.Path) -> str:
        """The first date that all tables keep."""
        return max(DeltaTable(str(folder / name)).metadata().configuration.get("shopstream.horizon", "")
                   for name in ("bronze-events", "silver-events", "silver-rejects"))

    def _kept(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Without dates that one of the tables has lost: RefineWatch and RefineChecker check what is left of them."""
        first = pl.col("seed").replace_strict(self._horizons, return_dtype=pl.String)
        return rows.filter((first == "") | (pl.col("date").cast(pl.String) >= first))

    def _tables(self, name: str) -> dict[int, DeltaTable]:
        return {seed: DeltaTable(str(folder / name)) for seed, folder in self._folders.items()}

    def _read(self, name: str, tables: dict[int, DeltaTable] | None = None) -> pl.DataFrame:
        tables = tables or self._tables(name)
        files = pl.concat([pl.DataFrame(table.get_add_actions(flatten=True)).select(
            pl.lit(seed).alias("seed"), (pl.lit(f"{self._folders[seed] / name}/") + pl.col("path")).alias("file"),
            pl.col("^partition\\..*$")) for seed, table in tables.items()])
        files = files.rename(lambda column: column.removeprefix("partition."))
        # A column that came later is null in the files from before.
        schema: dict[str, pl.DataType] = {}
        for fields in {table.schema().to_json(): table.schema() for table in tables.values()}.values():
            schema |= pl.from_arrow(pa.schema(fields).empty_table()).schema
        of_rows = {column: kind for column, kind in schema.items() if column not in files.columns}
        rows = pl.scan_parquet(files["file"].to_list(), schema=of_rows, missing_columns="insert",
                               include_file_paths="file").collect()
        return rows.join(files, on="file").drop("file")

    def check_rows(self, seed: int) -> None:
        """Every row of Bronze is in Silver or in rejects, once, for the right reason and with the right values."""
        history = json.loads((self._folders[seed] / "history.json").read_text())
        books = {fingerprint: RuleBook(**texts) for fingerprint, texts in history["books"].items()}
        bronze = {key_of(row): row for row in self._bronze_rows.get(seed, []) if row["kafka_offset"] is not None}
        rows = self._refined_rows.get(seed, [])
        refined = {key_of(row): row for row in rows}
        assert bronze.keys() == refined.keys() and len(rows) == len(refined)
        of_pass: dict[int, list[Row]] = {}
        for key, row in bronze.items():
            found = refined[key]
            for name in self._bronze.columns:
                assert same(found["bronze_late" if name == "late" else name], row[name]), (name, row, found)
            # A restate keeps the copy that Silver had, which no later version shows.
            chosen = found["refine_pass"] in history["restates"] and not found["reasons"]
            of_pass.setdefault(found["refine_pass"], []).append(row | {"chosen": chosen, "found": found})
        in_silver: set[Any] = set()
        for number, of_one in sorted(of_pass.items()):
            found_reasons = [row["found"]["reasons"] or "" for row in of_one]
            expected = [refined_again.reasons_of_pass(of_one, books[fingerprint], in_silver)
                        for fingerprint in self._rules_of(seed, number)]
            assert found_reasons in expected, (number, of_one, expected)
            accepted = [row for row in of_one if not row["found"]["reasons"]]
            in_silver.update(map(refined_again.purchase_of, accepted))
            # Computed with one book: that of the refine that committed the pass to Silver.
            assert any(all(book.computed(row) == {name: row["found"][name] for name in COMPUTED} for row in accepted)
                       for book in books.values()), accepted

    def _rules_of(self, seed: int, number: int) -> list[str]:
        """The fingerprints of the rules that may have decided a pass: those in force before it, unless the pass is the
        first with others. These have either decided it, or only finished it in Silver after its refine had died."""
        before = [use["fingerprint"] for use in self._uses[seed] if use["pass"] < number]
        return before[-1:] + [use["fingerprint"] for use in self._uses[seed] if use["pass"] == number]

    def wrong_gold(self) -> list[str]:
        wrong = []
        for name, computed in refined_again.gold(self._silver, self._rejects).items():
            table = self._kept(self._read(f"gold-metrics/{name}"))
            expected, found = by_seed(computed), by_seed(table.to_dicts())
            for seed in self.seeds:
                texts = [sorted(str([row[column] for column in table.columns]) for row in rows.get(seed, []))
                         for rows in (expected, found)]
                if texts[0] != texts[1]:
                    wrong.append(f"seed {seed}: {name}: expected {texts[0]}, found {texts[1]}")
        return wrong


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_lake_equals_its_bronze_refined_again(chunk: int, tmp_path: pathlib.Path) -> None:
    ran = simulate("--seeds", CHUNK, "--from", 1 + chunk * CHUNK, "--export", tmp_path)
    assert ran.returncode == 0, ran.stdout
    lakes = RefinedLakes(tmp_path)
    assert len(lakes.seeds) == CHUNK
    for seed in lakes.seeds:
        try:
            lakes.check_rows(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert lakes.wrong_gold() == []
    shutil.rmtree(tmp_path)


def test_a_seed_replays_to_the_same_trace() -> None:
    ran = simulate("--seeds", 10, "--twice", 10, "--from", 900)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.soak
@pytest.mark.parametrize("mistake", CAUGHT_BY)
def test_a_mistake_is_caught(mistake: str) -> None:
    chosen = ["--seeds", 5000] if soak.LONG else ["--from", CAUGHT_BY[mistake]]
    ran = simulate("--mistake", mistake, *chosen)
    assert ran.returncode == 1 and "fails:" in ran.stdout, ran.stdout
