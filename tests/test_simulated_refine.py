"""Refine in whole histories on simulated time and storage (docs/simulator.md): their lakes, read by delta-rs, equal what
Polars computes anew from Bronze."""

import json
import math
import pathlib
import shutil
import subprocess
from typing import Any

import polars as pl
import pytest
import refined_again
import soak
from deltalake import DeltaTable
from refined_again import COMPUTED, COORDINATES, Row, RuleBook

SIMULATE = pathlib.Path(__file__).resolve().parent.parent / "build/release/tests/simulate/simulate"
CHUNK = 25  # Histories of one test.
CHUNKS = soak.steps(20, 200)

# The mistakes of tests/simulate/refine_mistakes.h, and the seed of a history that catches each. After changing the
# meaning of seeds, find new ones with: simulate --refine --mistake NAME --seeds 5000
CAUGHT_BY = {
    "pass-by-at-least": 1,
    "ends-before-rows": 29,
    "gold-regardless": 1,
    "replays-forgotten": 2,
    "finishes-without-rejects": 1,
    "index-ahead-of-silver": 1,
    "power-loss-unnoticed": 1,
    "late-dates-dropped": 1,
}


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SIMULATE, "--refine", *map(str, arguments)], capture_output=True, text=True)


def key_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in COORDINATES)


def same(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, float) and isinstance(other, float)
                            and math.isnan(one) and math.isnan(other))


class RefinedLake:
    """A lake at the end of a history."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._books = {fingerprint: RuleBook(**texts)
                       for fingerprint, texts in json.loads((folder / "books.json").read_text()).items()}
        self.silver = self._read("silver-events")
        self.rejects = self._read("silver-rejects")
        self._bronze = self._read("bronze-events")

    def _read(self, table: str) -> pl.DataFrame:
        return pl.from_arrow(DeltaTable(str(self._folder / table)).to_pyarrow_table())

    def check(self) -> None:
        self._check_rows()
        self._check_gold()

    def _book_of_pass(self, number: int) -> RuleBook:
        properties = DeltaTable(str(self._folder / "silver-rejects")).metadata().configuration
        uses = json.loads(properties["shopstream.refine.fingerprints"])
        return self._books[max((use for use in uses if use["pass"] <= number),
                               key=lambda use: use["pass"])["fingerprint"]]

    def _check_rows(self) -> None:
        bronze = {key_of(row): row for row in self._bronze.to_dicts() if row["kafka_offset"] is not None}
        refined = {key_of(row): row for row in [*self.silver.to_dicts(), *self.rejects.to_dicts()]}
        assert bronze.keys() == refined.keys()
        passes = {row["refine_pass"] for row in refined.values()}
        books = {number: self._book_of_pass(number) for number in passes}
        expected = {}
        for key, row in bronze.items():
            number = refined[key]["refine_pass"]
            expected[key] = row | {"refine_pass": number,
                                   "reasons": books[number].reasons(row, books[number].computed(row))}
        refined_again.without_duplicates(expected.values())
        for key, row in expected.items():
            found = refined[key]
            assert (found.get("reasons") or "") == row["reasons"], (row, found)
            for name in self._bronze.columns:
                column = f"bronze_{name}" if name == "late" else name
                assert same(found[column], row[name]), (name, row, found)
        for number in passes:
            self._check_computed([row for row in self.silver.to_dicts() if row["refine_pass"] == number], bronze)

    def _check_computed(self, rows: list[Row], bronze: dict[tuple[Any, ...], Row]) -> None:
        """All rows of a pass are computed with one book: of the refine that committed it to Silver."""
        assert any(all({name: row[name] for name in COMPUTED} == book.computed(bronze[key_of(row)]) for row in rows)
                   for book in self._books.values()), rows

    def _check_gold(self) -> None:
        for name, rows in refined_again.gold(self.silver, self.rejects).items():
            found = self._read(f"gold-metrics/{name}").to_dicts()
            columns = sorted(found[0]) if found else []
            as_text = [sorted(str([row[column] for column in columns]) for row in table) for table in (found, rows)]
            assert as_text[0] == as_text[1], name


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_lake_equals_its_bronze_refined_again(chunk: int, tmp_path: pathlib.Path) -> None:
    ran = simulate("--seeds", CHUNK, "--from", 1 + chunk * CHUNK, "--export", tmp_path)
    assert ran.returncode == 0, ran.stdout
    lakes = sorted(tmp_path.iterdir())
    assert len(lakes) == CHUNK
    for folder in lakes:
        try:
            RefinedLake(folder).check()
        except AssertionError as error:
            raise AssertionError(f"seed {folder.name}: {error}") from error
        shutil.rmtree(folder)


def test_a_seed_replays_to_the_same_trace() -> None:
    ran = simulate("--seeds", 10, "--twice", 10, "--from", 900)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.soak
@pytest.mark.parametrize("mistake", CAUGHT_BY)
def test_a_mistake_is_caught(mistake: str) -> None:
    chosen = ["--seeds", 5000] if soak.LONG else ["--from", CAUGHT_BY[mistake]]
    ran = simulate("--mistake", mistake, *chosen)
    assert ran.returncode == 1 and "fails:" in ran.stdout, ran.stdout
