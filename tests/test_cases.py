"""Inputs that users of this and other programs had, and the answers that every reader must give; see case_runner.py."""

import json
from typing import Any

import pytest

from case_runner import CASES, Cases
from every_reader import answers
from shopstream import Shopstream

# A few of them share a test, because each of their runs waits for its group most of the time.
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
def test_every_case_has_its_answer(shopstream: Shopstream, part: int) -> None:
    Cases(shopstream).check_all(NAMES[part::PARTS])


def test_every_reader_agrees_on_partitions_and_renamed_columns(shopstream: Shopstream, spark: Any) -> None:
    columns = {"partition-by-every-type": ["gift", "shop", "day", "tax", "size", "date"],
               "partition-by-several": ["store", "head_land", "date"],
               "reserved-names": ["kafka_offset_", "schema_id_", "DATE_", "n", "N_", "date__", "date"],
               "old-dates": ["n", "date"]}
    cases = Cases(shopstream)
    for name, names in columns.items():
        run = cases.prepare(name, json.loads((CASES / f"{name}.json").read_text()))[0]
        cases.producer.flush(20)
        cases.check(run)
        read = {reader: sorted(map(repr, rows))
                for reader, rows in answers(str(shopstream.lake / run.table), names, spark).items()}
        assert len(set(map(str, read.values()))) == 1 and len(read["spark"]) > 0, (name, read)


def test_no_case_is_missing() -> None:
    assert len(NAMES) >= 20
