"""`table verify` reports everything that delta-rs or Spark would reject or read differently from the other."""

import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import pytest
from deltalake import DeltaTable, QueryBuilder

import damaged_tables
import soak
from damaged_tables import DAMAGES, Log, make_table

BINARY = pathlib.Path(os.environ.get(
    "SHOPSTREAM_BINARY", pathlib.Path(__file__).resolve().parent.parent / "build/release/shopstream"))
ROWS = 16
TABLE = "t"

# What Spark 4.0 with Delta 4.0 rejects, or reads as other rows, although delta-rs sees nothing wrong. The soak tests
# check all of these; here only a few are checked, since each takes a second or more.
SPARK_ALONE = {
    "column_mapping_without_its_protocol", "commit_info_that_is_a_text", "file_added_and_removed_in_an_entry",
    "protocol_with_a_text_for_a_version", "retention_that_is_no_duration", "unknown_column_mapping", "writer_of_version_8"}
SPARK_ASKED = sorted(DAMAGES) if soak.LONG else ["checkpoint_without_metadata", "file_added_and_removed_in_an_entry"]

# What no engine rejects, but some reader or an older version of the table has trouble with.
REPORTED_AS_WELL = {
    "a_second_metadata_in_an_entry", "a_second_protocol_in_an_entry", "configuration_with_a_number",
    "file_added_twice_in_an_entry", "format_that_is_not_parquet", "gap_before_the_checkpoint",
    "hint_of_a_negative_version", "hint_of_an_earlier_version", "hint_of_parts_that_are_not_there",
    "hint_of_parts_that_is_a_text", "hint_that_is_empty", "hint_that_is_no_json", "hint_with_a_text_for_a_version",
    "hint_without_a_size", "hint_without_a_version", "log_retention_that_is_no_duration", "partition_with_a_number",
    "partition_without_a_key", "statistics_that_are_a_list", "statistics_that_are_no_json",
    "statistics_with_a_negative_count", "statistics_with_a_text_for_a_bound", "statistics_with_a_text_for_a_number",
    "statistics_with_an_object_for_a_bound", "txn_without_a_version", "txn_without_an_app_id",
    "version_0_without_protocol_before_a_checkpoint"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    table = tmp_path_factory.mktemp("sound") / TABLE
    make_table(table)
    return table


@pytest.fixture
def log(sound: pathlib.Path, tmp_path: pathlib.Path) -> Log:
    shutil.copytree(sound, tmp_path / TABLE)
    return Log(tmp_path / TABLE)


def verify(log: Log) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "--json", "--set", f"lake.uri={log.table.parent}", "table", "verify", TABLE],
                          capture_output=True, text=True, timeout=60)


def delta_rs_refuses(log: Log) -> str:
    """The reason; empty if it reads the rows that were written."""
    try:
        table = DeltaTable(str(log.table))
        rows = table.to_pyarrow_table().num_rows
        filtered = QueryBuilder().register("t", table).execute("SELECT * FROM t WHERE id >= 0").read_all().num_rows
    except BaseException as error:  # A Rust panic is not an Exception.
        return f"{type(error).__name__}: {error}"
    return "" if rows == filtered == ROWS else f"{rows} rows, {filtered} of them with an id"


def spark_refuses(spark: Any, log: Log) -> str:
    try:
        rows = spark.read.format("delta").load(str(log.table)).where("id >= 0").count()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "" if rows == ROWS else f"{rows} rows"


def test_the_undamaged_table_is_sound_to_all(log: Log) -> None:
    assert delta_rs_refuses(log) == ""
    done = verify(log)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_verify_reports_what_another_engine_refuses(log: Log, name: str) -> None:
    DAMAGES[name](log)
    refused = delta_rs_refuses(log)
    done = verify(log)
    if not refused and name not in SPARK_ALONE | REPORTED_AS_WELL:
        assert done.returncode == 0, done.stdout
        return
    if done.returncode == 1:  # The whole table is unsupported: not a difference, but reported as well.
        assert TABLE in done.stderr
        return
    assert done.returncode == 3, f"{refused}\n{done.stdout}{done.stderr}"
    for found in json.loads(done.stdout)["differences"]:
        assert found["path"].startswith(f"{TABLE}/"), found
        assert len(found["difference"]) > 10, found


@pytest.mark.soak
@pytest.mark.parametrize("name", SPARK_ASKED)
def test_spark_refuses_what_is_recorded_of_it(log: Log, name: str, spark: Any) -> None:
    DAMAGES[name](log)
    refused = spark_refuses(spark, log)
    known = bool(delta_rs_refuses(log)) or name in SPARK_ALONE
    assert known or not refused, refused
    if name in SPARK_ALONE:
        assert refused


def test_every_damage_is_done() -> None:
    assert set(damaged_tables.DAMAGES) >= SPARK_ALONE | REPORTED_AS_WELL | set(SPARK_ASKED)
