"""An earlier program's lake is opened, repaired and continued: every old and new record is there exactly once."""

from typing import Any

import pytest

from earlier_lake import BRONZE, FOLDER, QUARANTINE, SETTINGS, records_of, restored
from every_reader import answers
from shopstream import Shopstream

NAMES = sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_a_lake_of_an_earlier_program_is_healed_and_continued(name: str, shopstream: Shopstream, spark: Any) -> None:
    topic = restored(shopstream, name)
    topic.send(records_of(topic.schema_id, range(100, 120)))
    first = shopstream.run("ingest", "--until-caught-up", **SETTINGS)
    for table in (BRONZE, QUARANTINE):
        needs_repair = shopstream.json("table", "verify", table, expect=None)["needs_repair"]
        assert (f"table repair {table} --apply" in first.stderr) == (needs_repair > 0), first.stderr
        shopstream.run("table", "repair", table, "--apply")
        shopstream.run("table", "verify", table, "--deep")
    topic.send(records_of(topic.schema_id, range(120, 140)))
    again = shopstream.run("ingest", "--until-caught-up", **SETTINGS)
    assert "table repair" not in again.stderr

    bronze = answers(str(shopstream.lake / BRONZE), ["kafka_partition", "kafka_offset", "id", "region"], spark)
    quarantine = answers(str(shopstream.lake / QUARANTINE), ["kafka_partition", "kafka_offset"], spark)
    rows = [(*place, row["id"], row["region"]) for place, row in topic.rows.items() if row]
    for reader in bronze:
        assert sorted(bronze[reader]) == sorted(rows), reader
        assert sorted(quarantine[reader]) == sorted(place for place, row in topic.rows.items() if not row), reader
    for table in (BRONZE, QUARANTINE):
        shopstream.run("table", "verify", table, "--deep")
    audit = shopstream.json("audit", **SETTINGS)
    assert audit["clean"], audit
