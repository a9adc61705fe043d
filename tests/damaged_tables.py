"""A small table with every kind of damage that an engine might reject. Each is a function of the table's folder."""

import contextlib
import json
import pathlib
import shutil
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet
from deltalake import DeltaTable, write_deltalake

Damage = Callable[["Log"], None]
DAMAGES: dict[str, Damage] = {}


def damage(function: Damage) -> Damage:
    DAMAGES[function.__name__] = function
    return function


def make_table(folder: pathlib.Path) -> None:
    """Versions 0 to 3 with two files each, and a checkpoint of version 2."""
    for first in range(0, 16, 4):
        rows = pa.table({"id": pa.array(range(first, first + 4), pa.int64()),
                         "name": [f"name-{i}" for i in range(first, first + 4)],
                         "place": [{"city": "x", "zip": i} for i in range(4)],
                         "region": ["EU", "EU", "US", "US"],
                         "day": pa.array([20000] * 4, pa.date32())})
        write_deltalake(folder, rows, mode="append", partition_by=["region", "day"])
        if first == 8:
            DeltaTable(folder).create_checkpoint()


class Log:
    """The log of one copy of the table."""

    def __init__(self, table: pathlib.Path):
        self.table = table
        self.folder = table / "_delta_log"
        self.hint = self.folder / "_last_checkpoint"

    def entry(self, version: int) -> pathlib.Path:
        return self.folder / f"{version:020}.json"

    def checkpoint(self, version: int = 2) -> pathlib.Path:
        return self.folder / f"{version:020}.checkpoint.parquet"

    def actions(self, version: int) -> list[dict]:
        return [json.loads(line) for line in self.entry(version).read_text().splitlines()]

    def write(self, version: int, actions: list[dict]) -> None:
        self.entry(version).write_text("".join(json.dumps(action) + "\n" for action in actions))

    @contextlib.contextmanager
    def change(self, version: int, kind: str) -> Iterator[dict]:
        """The first action of this kind in an entry."""
        actions = self.actions(version)
        yield next(action[kind] for action in actions if kind in action)
        self.write(version, actions)

    @contextlib.contextmanager
    def schema(self, version: int = 0) -> Iterator[list[dict]]:
        """The fields of the table's schema."""
        with self.change(version, "metaData") as metadata:
            schema = json.loads(metadata["schemaString"])
            yield schema["fields"]
            metadata["schemaString"] = json.dumps(schema)

    def no_checkpoint(self) -> None:
        self.checkpoint().unlink()
        self.hint.unlink()

    def no_entries(self, upto: int = 2) -> None:
        for version in range(upto + 1):
            self.entry(version).unlink()

    def change_checkpoint(self, change: Callable[[list[dict]], list[dict]]) -> None:
        table = pa.parquet.read_table(self.checkpoint())
        pa.parquet.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), self.checkpoint())


# --- The hint -----------------------------------------------------------------------------------------------------------


@damage
def hint_that_is_no_json(log: Log) -> None:
    log.hint.write_text("{")


@damage
def hint_that_is_empty(log: Log) -> None:
    log.hint.write_text("")


@damage
def hint_without_a_version(log: Log) -> None:
    log.hint.write_text('{"size":5}')


@damage
def hint_with_a_text_for_a_version(log: Log) -> None:
    log.hint.write_text('{"version":"2","size":5}')


@damage
def hint_without_a_size(log: Log) -> None:
    log.hint.write_text('{"version":2}')


@damage
def hint_of_a_later_version(log: Log) -> None:
    log.hint.write_text('{"version":9,"size":5}')


@damage
def hint_of_a_negative_version(log: Log) -> None:
    log.hint.write_text('{"version":-2,"size":5}')


@damage
def hint_of_an_earlier_version(log: Log) -> None:
    log.hint.write_text('{"version":1,"size":5}')


@damage
def hint_of_parts_that_are_not_there(log: Log) -> None:
    log.hint.write_text('{"version":2,"size":5,"parts":2}')


@damage
def hint_of_parts_that_is_a_text(log: Log) -> None:
    log.hint.write_text('{"version":2,"size":5,"parts":"x"}')


@damage
def vanished_checkpoint(log: Log) -> None:
    log.checkpoint().unlink()


@damage
def vanished_checkpoint_and_entries(log: Log) -> None:
    log.checkpoint().unlink()
    log.no_entries()


# --- Checkpoints --------------------------------------------------------------------------------------------------------


@damage
def checkpoint_without_protocol(log: Log) -> None:
    log.change_checkpoint(lambda rows: [row for row in rows if row["protocol"] is None])


@damage
def checkpoint_without_metadata(log: Log) -> None:
    log.change_checkpoint(lambda rows: [row for row in rows if row["metaData"] is None])


@damage
def checkpoint_alone_without_protocol(log: Log) -> None:
    checkpoint_without_protocol(log)
    log.no_entries()


@damage
def checkpoint_alone_without_metadata(log: Log) -> None:
    checkpoint_without_metadata(log)
    log.no_entries()


@damage
def checkpoint_that_is_no_parquet(log: Log) -> None:
    log.checkpoint().write_text("no Parquet")


@damage
def checkpoint_that_is_empty(log: Log) -> None:
    log.checkpoint().write_text("")


@damage
def checkpoint_that_names_a_file_twice(log: Log) -> None:
    log.change_checkpoint(lambda rows: rows + [row for row in rows if row["add"] is not None][:1])


@damage
def checkpoint_without_a_file(log: Log) -> None:
    def change(rows: list[dict]) -> list[dict]:
        first = next(row for row in rows if row["add"] is not None)
        return [row for row in rows if row is not first]
    log.change_checkpoint(change)


@damage
def half_a_checkpoint_of_two_parts(log: Log) -> None:
    log.checkpoint().rename(log.folder / f"{2:020}.checkpoint.{1:010}.{2:010}.parquet")
    log.hint.write_text('{"version":2,"size":5,"parts":2}')


@damage
def half_a_checkpoint_of_two_parts_without_a_hint(log: Log) -> None:
    log.checkpoint().rename(log.folder / f"{2:020}.checkpoint.{1:010}.{2:010}.parquet")
    log.hint.unlink()


@damage
def half_a_later_checkpoint(log: Log) -> None:
    shutil.copy(log.checkpoint(), log.folder / f"{3:020}.checkpoint.{1:010}.{2:010}.parquet")


# --- Entries ------------------------------------------------------------------------------------------------------------


@damage
def entry_that_is_no_json(log: Log) -> None:
    log.entry(3).write_text("{")


@damage
def entry_that_is_empty(log: Log) -> None:
    log.entry(3).write_text("")


@damage
def entry_with_a_list(log: Log) -> None:
    log.entry(3).write_text("[]\n")


@damage
def gap_after_the_checkpoint(log: Log) -> None:
    log.entry(3).rename(log.entry(4))


@damage
def gap_before_the_checkpoint(log: Log) -> None:
    log.entry(1).unlink()


@damage
def gap_without_a_checkpoint(log: Log) -> None:
    log.no_checkpoint()
    log.entry(1).unlink()


@damage
def version_0_missing(log: Log) -> None:
    log.no_checkpoint()
    log.entry(0).unlink()


@damage
def version_0_without_protocol(log: Log) -> None:
    log.no_checkpoint()
    log.write(0, [action for action in log.actions(0) if "protocol" not in action])


@damage
def version_0_without_metadata(log: Log) -> None:
    log.no_checkpoint()
    log.write(0, [action for action in log.actions(0) if "metaData" not in action])


@damage
def version_0_without_protocol_before_a_checkpoint(log: Log) -> None:
    log.write(0, [action for action in log.actions(0) if "protocol" not in action])


@damage
def metadata_without_a_schema(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        del metadata["schemaString"]


@damage
def metadata_without_an_id(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        del metadata["id"]


@damage
def metadata_without_a_format(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        del metadata["format"]


@damage
def metadata_without_partition_columns(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        del metadata["partitionColumns"]


@damage
def metadata_without_a_configuration(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        del metadata["configuration"]


@damage
def configuration_with_a_number(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["configuration"] = {"delta.checkpointInterval": 5}


@damage
def a_second_metadata_in_an_entry(log: Log) -> None:
    log.no_checkpoint()
    actions = log.actions(0)
    log.write(0, actions + [action for action in actions if "metaData" in action])


@damage
def a_second_protocol_in_an_entry(log: Log) -> None:
    log.no_checkpoint()
    actions = log.actions(0)
    log.write(0, actions + [action for action in actions if "protocol" in action])


# --- Files --------------------------------------------------------------------------------------------------------------


@damage
def file_added_twice_in_an_entry(log: Log) -> None:
    actions = log.actions(3)
    log.write(3, actions + [action for action in actions if "add" in action][:1])


@damage
def file_added_and_removed_in_an_entry(log: Log) -> None:
    actions = log.actions(3)
    add = next(action["add"] for action in actions if "add" in action)
    log.write(3, [*actions, {"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}}])


@damage
def file_removed_and_added_in_an_entry(log: Log) -> None:
    actions = log.actions(3)
    add = next(action["add"] for action in actions if "add" in action)
    log.write(3, [{"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}}, *actions])


@damage
def file_removed_twice_in_an_entry(log: Log) -> None:
    add = next(action["add"] for action in log.actions(3) if "add" in action)
    remove = {"remove": {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}}
    log.write(4, [remove, remove])


@damage
def file_without_a_path(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["path"]


@damage
def file_with_an_empty_path(log: Log) -> None:
    with log.change(3, "add") as add:
        add["path"] = ""


@damage
def file_without_a_size(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["size"]


@damage
def file_without_a_modification_time(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["modificationTime"]


@damage
def file_without_data_change(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["dataChange"]


@damage
def file_with_a_text_for_a_size(log: Log) -> None:
    with log.change(3, "add") as add:
        add["size"] = "x"


@damage
def file_with_a_negative_size(log: Log) -> None:
    with log.change(3, "add") as add:
        add["size"] = -1


@damage
def remove_without_a_path(log: Log) -> None:
    log.write(4, [{"remove": {"deletionTimestamp": 1, "dataChange": True}}])


@damage
def remove_without_data_change(log: Log) -> None:
    log.write(4, [{"remove": {"path": log.actions(3)[-1]["add"]["path"], "deletionTimestamp": 1}}])


@damage
def txn_without_an_app_id(log: Log) -> None:
    log.write(4, [{"txn": {"version": 1}}])


@damage
def txn_without_a_version(log: Log) -> None:
    log.write(4, [{"txn": {"appId": "x"}}])


@damage
def commit_info_that_is_a_text(log: Log) -> None:
    log.write(4, [{"commitInfo": "x"}])


def change_path(log: Log, change: Callable[[str], str]) -> None:
    with log.change(3, "add") as add:
        add["path"] = change(add["path"])


@damage
def path_with_a_dot(log: Log) -> None:
    change_path(log, lambda path: f"./{path}")


@damage
def path_with_a_double_slash(log: Log) -> None:
    change_path(log, lambda path: path.replace("/", "//", 1))


@damage
def path_with_two_dots(log: Log) -> None:
    change_path(log, lambda path: f"x/../{path}")


@damage
def path_out_of_the_table(log: Log) -> None:
    change_path(log, lambda path: f"../{log.table.name}/{path}")


@damage
def path_that_is_absolute(log: Log) -> None:
    change_path(log, lambda path: f"{log.table}/{path}")


@damage
def path_with_a_broken_escape(log: Log) -> None:
    change_path(log, lambda path: path.replace("part-", "part%-", 1))


@damage
def path_of_a_missing_file(log: Log) -> None:
    change_path(log, lambda path: path.replace("part-", "part-x", 1))


# --- Partitions ---------------------------------------------------------------------------------------------------------


@damage
def partition_without_a_key(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["partitionValues"]["region"]


@damage
def file_without_partition_values(log: Log) -> None:
    with log.change(3, "add") as add:
        del add["partitionValues"]


@damage
def file_with_null_partition_values(log: Log) -> None:
    with log.change(3, "add") as add:
        add["partitionValues"] = None


@damage
def partition_with_a_key_too_many(log: Log) -> None:
    with log.change(3, "add") as add:
        add["partitionValues"]["x"] = "1"


@damage
def partition_with_a_number(log: Log) -> None:
    with log.change(3, "add") as add:
        add["partitionValues"]["region"] = 5


@damage
def partition_with_a_value_of_another_type(log: Log) -> None:
    with log.change(3, "add") as add:
        add["partitionValues"]["day"] = "yesterday"


@damage
def partition_of_a_year_10000(log: Log) -> None:
    with log.change(3, "add") as add:
        add["partitionValues"]["day"] = "10000-01-01"


@damage
def partition_column_that_the_schema_lacks(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["partitionColumns"] = ["region", "week"]


@damage
def partition_column_in_another_case(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["partitionColumns"] = ["Region", "day"]


@damage
def partition_column_twice(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["partitionColumns"] = ["region", "region", "day"]


@damage
def nested_partition_column(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["partitionColumns"] = ["place"]


# --- Statistics ---------------------------------------------------------------------------------------------------------


def change_statistics(log: Log, text: str) -> None:
    with log.change(3, "add") as add:
        add["stats"] = text


@damage
def statistics_that_are_no_json(log: Log) -> None:
    change_statistics(log, "{")


@damage
def statistics_that_are_a_list(log: Log) -> None:
    change_statistics(log, "[]")


@damage
def statistics_with_a_text_for_a_number(log: Log) -> None:
    change_statistics(log, '{"numRecords":"x","minValues":{"id":"x"},"maxValues":{"id":"y"},"nullCount":{"id":"z"}}')


@damage
def statistics_with_a_text_for_a_bound(log: Log) -> None:
    change_statistics(log, '{"numRecords":2,"minValues":{"id":"x"},"maxValues":{"id":"y"},"nullCount":{"id":0}}')


@damage
def statistics_with_an_object_for_a_bound(log: Log) -> None:
    change_statistics(log, '{"numRecords":2,"minValues":{"id":{"x":1}},"maxValues":{"id":{"x":1}},"nullCount":{"id":0}}')


@damage
def statistics_with_a_value_for_a_struct(log: Log) -> None:
    change_statistics(log, '{"numRecords":2,"minValues":{"place":1},"maxValues":{"place":2},"nullCount":{"place":0}}')


@damage
def statistics_with_a_negative_count(log: Log) -> None:
    change_statistics(log, '{"numRecords":-2,"nullCount":{"id":-1}}')


@damage
def statistics_that_are_an_object(log: Log) -> None:
    with log.change(3, "add") as add:
        add["stats"] = {"numRecords": 2}


# --- Schema -------------------------------------------------------------------------------------------------------------


@damage
def schema_that_is_no_json(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["schemaString"] = "{"


@damage
def schema_without_fields(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["schemaString"] = '{"type":"struct"}'


@damage
def column_twice(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append(dict(fields[0]))


@damage
def column_twice_but_for_case(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": "ID"})


@damage
def member_twice_but_for_case(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        members = next(field for field in fields if field["name"] == "place")["type"]["fields"]
        members.append({**members[0], "name": "CITY"})


@damage
def column_of_an_unknown_type(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": "x", "type": "quaternion"})


@damage
def column_without_a_type(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({"name": "x", "nullable": True, "metadata": {}})


@damage
def column_without_nullable(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        del fields[0]["nullable"]


@damage
def column_without_metadata(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        del fields[0]["metadata"]


@damage
def array_without_contains_null(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": "x", "type": {"type": "array", "elementType": "long"}})


@damage
def decimal_of_39_digits(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": "x", "type": "decimal(39,2)"})


@damage
def decimal_with_more_fraction_than_digits(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": "x", "type": "decimal(2,4)"})


@damage
def column_of_another_type_than_its_files(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields[0]["type"] = "boolean"


@damage
def only_partition_columns(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields[:] = [field for field in fields if field["name"] in ("region", "day")]


@damage
def column_with_an_empty_name(log: Log) -> None:
    log.no_checkpoint()
    with log.schema() as fields:
        fields.append({**fields[0], "name": ""})


# --- Protocol -----------------------------------------------------------------------------------------------------------


def change_protocol(log: Log, protocol: dict) -> None:
    log.write(4, [{"protocol": protocol}])


@damage
def protocol_without_a_reader_version(log: Log) -> None:
    change_protocol(log, {"minWriterVersion": 2})


@damage
def protocol_without_a_writer_version(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1})


@damage
def protocol_of_version_0(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 0, "minWriterVersion": 0})


@damage
def protocol_with_a_text_for_a_version(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": "1", "minWriterVersion": 2})


@damage
def features_in_an_old_protocol(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 2, "readerFeatures": ["columnMapping"],
                          "writerFeatures": ["columnMapping"]})


@damage
def writer_features_in_an_old_protocol(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 2, "writerFeatures": ["appendOnly"]})


@damage
def new_writer_without_features(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 7})


@damage
def new_writer_with_an_unknown_feature(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["timeTravelForCats"]})


@damage
def new_writer_with_a_reader_feature(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["deletionVectors"]})


@damage
def new_writer_with_an_old_reader_that_names_features(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 7, "readerFeatures": [],
                          "writerFeatures": ["appendOnly"]})


@damage
def writer_of_version_8(log: Log) -> None:
    change_protocol(log, {"minReaderVersion": 1, "minWriterVersion": 8})


@damage
def unknown_column_mapping(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["configuration"] = {"delta.columnMapping.mode": "sideways"}


@damage
def column_mapping_without_its_protocol(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["configuration"] = {"delta.columnMapping.mode": "name"}


@damage
def format_that_is_not_parquet(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["format"] = {"provider": "orc", "options": {}}


@damage
def format_without_options(log: Log) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["format"] = {"provider": "parquet"}


# --- Properties ---------------------------------------------------------------------------------------------------------


def change_property(log: Log, name: str, value: str) -> None:
    log.no_checkpoint()
    with log.change(0, "metaData") as metadata:
        metadata["configuration"] = {name: value}


@damage
def append_only_that_is_no_boolean(log: Log) -> None:
    change_property(log, "delta.appendOnly", "yes")


@damage
def change_data_feed_that_is_no_boolean(log: Log) -> None:
    change_property(log, "delta.enableChangeDataFeed", "yes")


@damage
def checkpoint_interval_that_is_no_number(log: Log) -> None:
    change_property(log, "delta.checkpointInterval", "often")


@damage
def retention_that_is_no_duration(log: Log) -> None:
    change_property(log, "delta.deletedFileRetentionDuration", "long")


@damage
def log_retention_that_is_no_duration(log: Log) -> None:
    change_property(log, "delta.logRetentionDuration", "long")
