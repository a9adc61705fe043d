"""Inputs that users of this and other programs had, and the answers that every reader must give; see case_runner.py."""

import json
from typing import Any

import pytest
from deltalake import DeltaTable

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
        run = cases.prepare(name)[0]
        cases.producer.flush(20)
        cases.check(run)
        read = {reader: sorted(map(repr, rows))
                for reader, rows in answers(str(shopstream.lake / run.table), names, spark).items()}
        assert len(set(map(str, read.values()))) == 1 and len(read["spark"]) > 0, (name, read)


def test_a_table_keeps_its_settings_and_old_records_come_back(shopstream: Shopstream) -> None:
    cases = Cases(shopstream)
    run = cases.prepare("before-2000")[0]
    cases.producer.flush(20)
    cases.check(run)

    def rows() -> list[str]:
        found = DeltaTable(str(shopstream.lake / run.table)).to_pyarrow_table(columns=["date"])
        return [str(row["date"]) for row in found.to_pylist()]

    assert rows() == []
    run.settings["ingest.event_time_earliest"] = "1997-01-01"
    for _ in range(2):
        cases.command(run, "quarantine", "replay")
        assert rows() == ["1997-01-01"]
    run.settings["ingest.event_time_field"] = ""
    assert "new rows get their date from Kafka's timestamp" in cases.command(run, "ingest", "--until-caught-up").stderr
    shown = json.loads(cases.command(run, "--json", "table", "describe", run.table).stdout)
    assert (shown["event_time"], shown["rows"]) == ({"field": "at", "unit": ""}, 1)
    assert shown["partition"] == [{"column": "store", "field": "store"}, {"column": "date", "field": None}]
    run.settings["ingest.partition_field"] = ""
    refused = cases.command(run, "ingest", "--until-caught-up", expect=1).stderr
    assert f"table {run.table} is partitioned by store, but ingest.partition_field is date only" in refused


def test_no_case_is_missing() -> None:
    assert len(NAMES) >= 20
