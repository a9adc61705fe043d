"""Other writers change the table while ingest runs: ingest rejects, with a message, what it cannot write and
continues after the repair, and merges the rest. Either way every record is in the lake once."""

import contextlib
import json
import os
import uuid
from collections.abc import Callable

import pytest
from deltalake import DeltaTable, Field
from deltalake.schema import PrimitiveType

from shopstream import Running, Shopstream
from waiting import wait_until

BRONZE = "bronze-events"
# Commits are as frequent as possible.
EAGER = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "50"}
EVENTS = 100


class Table:
    """Bronze as another engine sees it."""

    def __init__(self, world: Shopstream):
        self.path = world.lake / BRONZE
        self.log = self.path / "_delta_log"

    def delta_rs(self) -> DeltaTable:
        return DeltaTable(str(self.path))

    def rows(self) -> int:
        if not (self.log / f"{0:020}.json").exists():
            return 0
        files = self.delta_rs().get_add_actions(flatten=True)
        return sum(files.column("num_records").to_pylist())

    def newest(self, action: str) -> dict:
        """The current metaData or protocol. These tests write no checkpoints."""
        found = [json.loads(line) for entry in sorted(self.log.glob("*.json"))
                 for line in entry.read_text().splitlines()]
        return [line[action] for line in found if action in line][-1]

    def commit(self, *actions: dict) -> None:
        """Writes an entry as another engine would, under the next free version."""
        written = self.log / f".{uuid.uuid4()}"
        written.write_text("".join(json.dumps(action) + "\n" for action in (
            {"commitInfo": {"timestamp": 1_700_000_000_000, "operation": "SET TBLPROPERTIES",
                            "engineInfo": "Apache-Spark/3.5.0 Delta-Lake/3.2.0"}}, *actions)))
        for version in range(100_000):
            with contextlib.suppress(FileExistsError):
                os.link(written, self.log / f"{version:020}.json")
                break
        written.unlink()

    def change_metadata(self, **changes: object) -> None:
        self.commit({"metaData": {**self.newest("metaData"), **changes}})

    def set_property(self, name: str, value: str) -> None:
        self.change_metadata(configuration={**self.newest("metaData")["configuration"], name: value})

    def change_fields(self, change: Callable[[list[dict]], list[dict]]) -> None:
        schema = json.loads(self.newest("metaData")["schemaString"])
        schema["fields"] = change(schema["fields"])
        self.change_metadata(schemaString=json.dumps(schema))


def deletion_vectors(table: Table) -> None:
    features = ["deletionVectors"]
    table.commit({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features,
                               "writerFeatures": features}})
    table.set_property("delta.enableDeletionVectors", "true")


def column_mapping(table: Table) -> None:
    table.commit({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}})
    table.set_property("delta.columnMapping.mode", "name")


def row_tracking(table: Table) -> None:
    """Affects only writers: readers of any version continue."""
    table.commit({"protocol": {"minReaderVersion": 1, "minWriterVersion": 7,
                               "writerFeatures": ["domainMetadata", "rowTracking"]}})


def constraint(table: Table) -> None:
    table.delta_rs().alter.add_constraint({"sold": "quantity >= 0"})


def constraint_in_an_old_protocol(table: Table) -> None:
    table.set_property("delta.constraints.sold", "quantity >= 0")


def change_data_feed(table: Table) -> None:
    table.set_property("delta.enableChangeDataFeed", "true")


def forgetting_txns(table: Table) -> None:
    table.delta_rs().alter.set_table_properties({"delta.setTransactionRetentionDuration": "interval 1 days"},
                                                raise_if_not_exists=False)


def invariant(table: Table) -> None:
    rule = {"delta.invariants": json.dumps({"expression": {"expression": "amount > 0"}})}
    table.change_fields(lambda fields: [{**field, "metadata": rule} if field["name"] == "amount" else field
                                        for field in fields])


def dropped_column(table: Table) -> None:
    table.change_fields(lambda fields: [field for field in fields if field["name"] != "amount"])


def renamed_column(table: Table) -> None:
    table.change_fields(lambda fields: [{**field, "name": "price"} if field["name"] == "amount" else field
                                        for field in fields])


def changed_type(table: Table) -> None:
    table.change_fields(lambda fields: [{**field, "type": "string"} if field["name"] == "amount" else field
                                        for field in fields])


def required_column(table: Table) -> None:
    table.change_fields(lambda fields: [{"name": "must", "type": "long", "nullable": False, "metadata": {}},
                                        *fields])


def other_partitioning(table: Table) -> None:
    table.change_metadata(partitionColumns=["region"])


@pytest.fixture
def ingesting(shopstream: Shopstream) -> tuple[Shopstream, Running, Table]:
    """An ingest that has committed everything and waits for more."""
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", EVENTS, "--seed", 1)
    running = shopstream.start("ingest", **EAGER)
    table = Table(shopstream)
    wait_until(lambda: table.rows() == EVENTS, 90, "the first events are committed")
    return shopstream, running, table


@pytest.mark.parametrize("change, words", [
    (deletion_vectors, "deletionVectors"),
    (column_mapping, "columnMapping"),
    (row_tracking, "rowTracking"),
    (constraint, "writer version"),
    (constraint_in_an_old_protocol, "drop the constraint"),
    (change_data_feed, "change data feed"),
    (forgetting_txns, "unset the property"),
    (invariant, "delta.invariants"),
    (dropped_column, "has no column amount"),
    (renamed_column, "has no column amount"),
    (changed_type, "column amount is string in the table"),
    (required_column, "make the column nullable"),
    (other_partitioning, "partitioned by (region)"),
])
def test_what_ingest_does_not_write_stops_it_in_words(ingesting: tuple[Shopstream, Running, Table],
                                                      change: Callable[[Table], None], words: str) -> None:
    world, running, table = ingesting
    metadata, protocol = table.newest("metaData"), table.newest("protocol")
    change(table)
    version = len(list(table.log.glob("*.json")))
    world.run("generate", "--count", EVENTS, "--seed", 2)
    assert running.wait(60) == 1, running.words()
    assert running.says(words), running.words()
    again = world.run("ingest", "--until-caught-up", expect=1)
    assert words in again.stderr
    assert len(list(table.log.glob("*.json"))) == version, "nothing was committed in spite of it"
    table.commit({"protocol": protocol}, {"metaData": metadata})  # The last step of dropping the feature.
    expect_every_record_once(world, table)


def new_column(table: Table) -> None:
    table.delta_rs().alter.add_columns([Field("note", PrimitiveType("string"), nullable=True)])


def append_only(table: Table) -> None:
    table.delta_rs().alter.set_table_properties({"delta.appendOnly": "true"})


def another_interval(table: Table) -> None:
    table.set_property("delta.checkpointInterval", "7")


@pytest.mark.parametrize("change", [new_column, append_only, another_interval])
def test_what_appends_can_bear_is_built_upon(ingesting: tuple[Shopstream, Running, Table],
                                             change: Callable[[Table], None]) -> None:
    world, running, table = ingesting
    change(table)
    world.run("generate", "--count", EVENTS, "--seed", 2)
    wait_until(lambda: table.rows() == 2 * EVENTS, 60, "ingest goes on")
    assert running.stop() == 0, running.words()
    expect_every_record_once(world, table)
    if change is new_column:
        notes = table.delta_rs().to_pyarrow_table(columns=["note"])["note"]
        assert notes.null_count == 2 * EVENTS


def expect_every_record_once(world: Shopstream, table: Table) -> None:
    world.run("ingest", "--until-caught-up", timeout=120)
    report = world.json("audit")
    assert report["clean"], report
    assert table.rows() == 2 * EVENTS
    assert world.json("table", "verify", BRONZE, "--deep")["clean"]
