"""The rules of the source tree, checked in the files themselves: who may include whom, where each third-party
library may be used, and where the fields of a purchase may be named."""

import pathlib
import re
import subprocess
from collections.abc import Iterator

import pytest

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

MOST_LINES = 500

# What each folder may include in addition to itself, base and model.
MAY_INCLUDE = {
    "base": set(),
    "model": set(),
    "generate": set(),
    "kafka": set(),
    "avro": set(),
    "lake": set(),
    "tables": {"lake"},
    "sql": {"lake", "tables"},
    "refine": {"lake", "tables", "sql"},
    "lineage": {"lake", "tables", "sql", "refine"},
    "backup": {"kafka", "lake", "tables"},
    "registry": {"avro", "kafka"},
    "produce": {"generate", "avro", "kafka", "registry"},
    "simulate": {"kafka", "registry", "lake"},
    "ingest": {"kafka", "avro", "registry", "lake", "tables"},
    "observe": {"kafka", "registry", "lake", "tables"},
    "records": {"kafka", "avro", "registry", "lake", "tables", "sql", "refine", "ingest"},
    "groups": {"kafka", "ingest", "observe"},
    "security": {"kafka"},
    "console": {"kafka", "avro", "lake", "registry", "tables", "sql", "refine", "ingest", "observe", "records", "groups",
                "lineage"},
    "cli": {"generate", "kafka", "avro", "lake", "registry", "tables", "sql", "refine", "produce",
            "ingest", "observe", "records", "groups", "security", "lineage", "console", "backup"},
}

# The floors of the lake, bottom up; code shared by their tests is next to them.
FLOORS_OF_LAKE = ["store", "parquet", "delta", "upkeep"]

# Source files without a _test.cc, and what tests them. Commands (cli, main.cc) and the doubles of simulate are
# tested by running the program and the simulator.
TESTED_ELSEWHERE = {
    "real servers, tests/": """
        console/api_groups console/api_kafka console/api_labs console/api_quality console/api_schemas console/api_search
        console/pipeline_watch console/quality_look console/record_search console/refine_health refine/revenue
        ingest/table_facts ingest/mirror_log
        groups/reset groups/standing records/decoded_batch records/record_filter records/record_json records/record_matcher
        kafka/absent_topic kafka/access_probe kafka/acl_admin kafka/admin kafka/admin_calls kafka/single_message kafka/cluster_overview kafka/errors kafka/group_admin
        kafka/group_description kafka/group_members kafka/reader kafka/single_log kafka/topic_description registry/client
        registry/kafka_store registry/server lake/store/s3_client lake/store/s3_store lake/upkeep/storage_walk
        observe/audit observe/health_checks observe/progress observe/lag observe/lake_history observe/lake_offsets
        observe/first_records observe/kafka_look observe/quarantine observe/read_ranges observe/record_ages
        observe/registry_look observe/reports observe/sampler base/http_certificate
        produce/produce refine/erase_receipt ingest/pipeline security/check security/setup lake/upkeep/reports""",
    "generate/recorded_source_test.cc, mapping_rules_test.cc, source_mapping_test.cc": """
        base/table_file base/text_file base/yaml_reader generate/purchase_mapper generate/row_filter
        generate/rule_reader generate/source_rows generate/time_order generate/value_reader""",
    "lake/delta/table_test.cc, checkpoint_test.cc, foreign_table_test.cc, foreign_property_test.cc": """
        lake/delta/checkpoint_read lake/delta/checkpointer lake/delta/commit_entry lake/delta/delta_schema
        lake/delta/entry_lander lake/delta/log_entry lake/delta/log_reader
        lake/delta/table_state""",
    "lake/parquet/parquet_file_test.cc, data_file_stream_test.cc, lake/upkeep/foreign_file_test.cc": """
        lake/parquet/column_statistics lake/parquet/file_statistics lake/parquet/json_tree
        lake/parquet/stored_column lake/parquet/value_facts lake/store/store_input""",
    "lake/upkeep/verify_test.cc, repair_test.cc, vacuum_test.cc": """
        lake/upkeep/data_listing lake/upkeep/repair_file lake/upkeep/verify_file lake/upkeep/verify_log""",
    "lake/store/disk_store_test.cc": "lake/store/disk_error",
    "registry/handlers_test.cc": """
        registry/decisions registry/id_handlers registry/request registry/schema_handlers
        registry/setting_handlers registry/subject_handlers""",
    "registry/canonical_test.cc, registration_test.cc": "registry/candidate registry/schema_names",
    "base/http_test.cc": "base/http_client base/http_server",
    "base/users_test.cc": "base/file_stamp",
    "console/gate_test.cc": "console/token_file",
    "console/server_test.cc": "console/api console/api_about console/api_overview console/assets console/live_feed console/reply console/routes",
    "avro/decode_program_test.cc, decoder_test.cc": "avro/decode_code avro/decode_result",
    "ingest/event_time_test.cc, partitioning_test.cc": "ingest/field_choice",
    "ingest/cut_builder_test.cc, table_growth_test.cc": "ingest/bronze_layout ingest/cause ingest/rows_builder",
    "generate/synthetic_source_test.cc": "generate/purchase_columns generate/shoppers",
    "refine/erasure_test.cc, retention_test.cc": "refine/erased_rows refine/refiner_erase refine/refiner_retain",
    "ingest/adopt_test.cc": "ingest/lake_tail ingest/mirror_search ingest/row_hash",
    "ingest/quarantine_replay_test.cc, quarantine_erase_test.cc": "ingest/quarantine_decoder",
    "refine/pass_input_test.cc": "refine/pass_filter refine/row_collector",
    "refine/restate_test.cc": "refine/refiner_tasks refine/refined_rows",
    "refine/fixtures_test.cc": "refine/fixture_gold",
    "refine/judge_test.cc, judge_sql_test.cc": "refine/all_rows refine/dialect refine/lookup_tables",
    "refine/verify_test.cc": "refine/decided_rows refine/verify_report refine/verify_sql",
    "refine/seen_set_test.cc, seen_index_test.cc": "refine/hash_merge",
    "refine/gold_check_test.cc, gold_merge_test.cc": "refine/parsed_sql refine/dates",
    "refine/gold_pass_test.cc, gold_build_test.cc": """
        refine/date_groups refine/distinct_counts refine/gold_scan refine/gold_sources refine/rows_of_pass""",
    "sql/pruning_test.cc, engine_test.cc, session_test.cc": "sql/constant sql/read_only",
    "console/api_lake_test.cc, api_lineage_test.cc": "console/lake_tables",
    "lineage/lineage_test.cc": "lineage/adding_commit lineage/gold_cells lineage/lineage_json",
    "refine/refiner_test.cc": "refine/gold_tables refine/pass_judge refine/status",
    "backup/restore_test.cc": "backup/copy backup/restored_table backup/turn backup/verify",
    "backup/create_test.cc": "backup/pins",
    "backup/archive_test.cc": "tables/archive",
    "tests/test_backup.py": "backup/registry_copy",
    "nothing is decided there": "base/clock base/json base/memory lake/store/uuid model/purchase_event "
                                "tables/columns",
}

# The start of a header's path, and the only folder that may use that library.
ONLY_IN = {"curl/": "base", "librdkafka/": "kafka", "rdkafka": "kafka", "boost/": "base", "CLI/": "cli",
           "nlohmann/json.hpp": "base", "duckdb.h": "sql", "histedit.h": "cli"}

# Fields that only a purchase has. (region and timestamp are the lake's partitioning as well.)
PURCHASE_FIELD = re.compile(
    r'\b(?:event_id|user_id|product_id|product_name)\b|"(?:quantity|amount|currency)"')
MAY_NAME_FIELDS = {"generate", "model", "refine"}


def sources() -> Iterator[tuple[str, pathlib.Path]]:
    """(folder of src/, file)"""
    for path in sorted(SRC.glob("*/**/*")):
        if path.suffix in (".h", ".cc"):
            yield path.relative_to(SRC).parts[0], path


def may_include(folder: str) -> set[str]:
    common = {"base"} if folder in ("base", "model") else {"base", "model"}
    return MAY_INCLUDE[folder] | common | {folder, "simulate"}


def includes(text: str) -> list[str]:
    return INCLUDE.findall(text)


def forbidden_includes(folder: str, text: str) -> list[str]:
    """The project headers in `text` that a file of `folder` must not include."""
    return [header for header in includes(text)
            if (first := header.partition("/")[0]) in MAY_INCLUDE and first not in may_include(folder)]


def forbidden_floors(floor: str, text: str) -> list[str]:
    """The lake headers in `text` that are above `floor`."""
    above = FLOORS_OF_LAKE[FLOORS_OF_LAKE.index(floor) + 1:]
    return [header for header in includes(text) if any(header.startswith(f"lake/{name}/") for name in above)]


def misplaced_libraries(folder: str, text: str) -> list[str]:
    return [header for header in includes(text) for start, home in ONLY_IN.items()
            if header.startswith(start) and folder != home]


def named_fields(text: str) -> list[str]:
    return PURCHASE_FIELD.findall(COMMENT.sub("", text))


def test_only_tests_use_the_simulated_world() -> None:
    broken = [path.relative_to(SRC) for folder, path in sources()
              if folder != "simulate" and not path.name.endswith(("_test.cc", "testing.h"))
              for header in includes(path.read_text()) if header.startswith("simulate/")]
    assert not broken, broken


def test_every_folder_has_its_rule() -> None:
    assert {folder for folder, _ in sources()} == set(MAY_INCLUDE)


def test_folders_include_only_what_they_may() -> None:
    broken = [f"{path.relative_to(SRC)} includes {header}" for folder, path in sources()
              for header in forbidden_includes(folder, path.read_text())]
    assert not broken, "\n".join(broken)


def test_the_lake_includes_no_floor_above() -> None:
    assert {path.name for path in (SRC / "lake").iterdir() if path.is_dir()} == set(FLOORS_OF_LAKE)
    broken = [f"{path.relative_to(SRC)} includes {header}" for floor in FLOORS_OF_LAKE
              for path in sorted((SRC / "lake" / floor).iterdir()) if not path.stem.endswith("_test")
              for header in forbidden_floors(floor, path.read_text())]
    assert not broken, "\n".join(broken)


def test_what_decides_has_its_test_beside_it() -> None:
    untested = {str(path.relative_to(SRC).with_suffix("")) for folder, path in sources()
                if path.suffix == ".cc" and not path.stem.endswith("_test") and folder not in ("cli", "simulate")
                and not path.with_name(f"{path.stem}_test.cc").exists()}
    listed = [name for names in TESTED_ELSEWHERE.values() for name in names.split()]
    assert untested == set(listed) and len(listed) == len(set(listed))


def test_each_library_is_known_to_one_folder() -> None:
    broken = [f"{path.relative_to(SRC)} includes {header}" for folder, path in sources()
              for header in misplaced_libraries(folder, path.read_text())]
    assert not broken, "\n".join(broken)


def test_only_generate_and_model_name_the_fields_of_a_purchase() -> None:
    broken = [f"{path.relative_to(SRC)} names {sorted(set(found))}" for folder, path in sources()
              if folder not in MAY_NAME_FIELDS and not path.stem.endswith(("_test", "testing"))
              and (found := named_fields(path.read_text()))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(("folder", "line", "caught"), [
    ("kafka", '#include "avro/schema.h"', True),
    ("base", '#include "model/data_file.h"', True),
    ("observe", '#include "ingest/ingest_loop.h"', True),
    ("model", '#include "base/status.h"', False),
    ("ingest", '#include "lake/delta/table.h"', False),
    ("lake", "#include <arrow/type.h>", False),
])
def test_the_include_rule_bites(folder: str, line: str, caught: bool) -> None:
    assert bool(forbidden_includes(folder, line)) == caught


def test_the_other_rules_bite() -> None:
    assert forbidden_floors("parquet", '#include "lake/delta/table.h"')
    assert not forbidden_floors("upkeep", '#include "lake/delta/table.h"')
    assert misplaced_libraries("observe", "#include <librdkafka/rdkafka.h>")
    assert misplaced_libraries("registry", "#include <CLI/CLI.hpp>")
    assert not misplaced_libraries("kafka", "#include <librdkafka/rdkafka.h>")
    assert named_fields('Column("amount")') == ['"amount"']
    assert not named_fields("// user_id keeps its order\nint amount;")


# The macro binds a reference to its expression, which then refers into a vector that is gone.
INTO_A_TEMPORARY = re.compile(r"ARROW_ASSIGN_OR_RAISE\((?:[^;]|\n)*?\)(?:\.(?:front|back|at)\([^()]*\)|\[[^]]*\])\);")


def test_no_result_is_taken_out_of_a_temporary() -> None:
    assert INTO_A_TEMPORARY.search("ARROW_ASSIGN_OR_RAISE(const Span span,\n    admin->Spans(name, {id}).front());")
    assert not INTO_A_TEMPORARY.search("ARROW_ASSIGN_OR_RAISE(const Span span, admin->Span(name));\nf(Spans().front());")
    assert [str(path) for _, path in sources() if INTO_A_TEMPORARY.search(COMMENT.sub("", path.read_text()))] == []


def test_a_file_has_at_most_500_lines() -> None:
    """Tests may have catalogues."""
    code = subprocess.run(["git", "ls-files", "src", "scripts", "labs", "bench", "fuzz"], cwd=SRC.parent, capture_output=True,
                          text=True, check=True).stdout.split()
    long = {name: lines for name in code if name.endswith((".cc", ".h", ".py", ".js", ".css")) and (lines := len((SRC.parent / name).read_text().splitlines())) > MOST_LINES}
    assert not long
