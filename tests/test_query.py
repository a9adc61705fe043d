"""`shopstream query` on a lake that needs no broker: what it prints, what it reads, and what it refuses."""

import csv
import datetime
import decimal
import io
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import documented
from cluster import BINARY, ROOT
from driven_lake import Lake
from on_terminal import shown_on_a_terminal
from waiting import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
NOON = datetime.datetime(2025, 10, 24, 12, 0, 0, 123456, tzinfo=datetime.timezone.utc)
REGIONS = ("US", "EU", "ASIA")
DAYS = 5
PER_FILE = 400

EVENTS = pa.schema([
    ("event_id", pa.string()), ("user_id", pa.int64()), ("product_name", pa.string()), ("amount", pa.float64()),
    ("timestamp", pa.timestamp("us", "UTC")), ("kafka_offset", pa.int64()), ("region", pa.string()),
    ("date", pa.date32())])
# One column per type of a table, nested ones included.
VALUES = pa.schema([
    ("id", pa.int64()), ("flag", pa.bool_()), ("tiny", pa.int8()), ("small", pa.int16()), ("number", pa.int32()),
    ("single", pa.float32()), ("name", pa.string()), ("raw", pa.binary()), ("day", pa.date32()),
    ("at", pa.timestamp("us", "UTC")), ("usd", pa.decimal128(18, 2)), ("wide", pa.decimal128(38, 10)),
    ("tags", pa.list_(pa.string())), ("scores", pa.map_(pa.string(), pa.int64())),
    ("place", pa.struct([("city", pa.string()), ("lat", pa.float64())])), ("region", pa.string())])


def events() -> list[dict]:
    rows = []
    for day in range(DAYS):
        for region in REGIONS:
            for _ in range(PER_FILE):
                n = len(rows)
                rows.append({"event_id": f"e-{n:06}", "user_id": n % 97, "amount": n / 100,
                             "product_name": None if n % 10 == 0 else f'Tea, "green" {n % 7}',
                             "timestamp": NOON + datetime.timedelta(days=day, seconds=n % 3600), "kafka_offset": n,
                             "region": region, "date": NOON.date() + datetime.timedelta(days=day)})
    return rows


def values() -> list[dict]:
    return [{"id": n, "flag": n % 2 == 0, "tiny": n % 100 - 50, "small": -n, "number": n * 1000, "single": n / 4,
             "name": f"café {n}", "raw": bytes([n % 256, 0, 255]), "day": NOON.date() - datetime.timedelta(days=n * 90),
             "at": NOON + datetime.timedelta(microseconds=n), "usd": decimal.Decimal(n * 12345).scaleb(-2),
             "wide": decimal.Decimal(n * 7 + 1).scaleb(-10), "tags": [f"t{i}" if i else None for i in range(n % 4)],
             "scores": [(f"k{i}", None if i == 1 else i) for i in range(n % 3)],
             "place": None if n % 5 == 0 else {"city": f"c{n}", "lat": None if n % 3 == 0 else n / 8},
             "region": REGIONS[n % 3]} if n % 11 else
            {**dict.fromkeys(VALUES.names), "id": n, "region": "US"} for n in range(3000)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Bronze with one file per region and day, and a table of every type."""
    made = Lake(tmp_path_factory.mktemp("query") / "lake")
    rows = events()
    size = PER_FILE * len(REGIONS)
    made.append("bronze-events", *(pa.RecordBatch.from_pylist(rows[i:i + size], EVENTS)
                                   for i in range(0, len(rows), size)))
    made.append("gold-metrics/every-type", pa.RecordBatch.from_pylist(values(), VALUES), partitions="region")
    return made


def run(lake: Lake, *arguments: object, expect: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([BINARY, "--set", f"lake.uri={lake.folder}", "query", *map(str, arguments)],
                          env={**ENVIRONMENT, **environment}, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def statistics(lake: Lake, sql: str) -> dict:
    answer = json.loads(run(lake, sql, "--json").stdout)
    table, = answer["statistics"]["tables"]
    return {**table, "rows": answer["rows"]}


def test_every_format_has_the_same_rows(lake: Lake, tmp_path: pathlib.Path) -> None:
    sql = ("SELECT region, product_name, count(*) AS orders, CAST(sum(amount) AS DECIMAL(18,2)) AS revenue "
           "FROM bronze_events WHERE date = '2025-10-24' GROUP BY region, product_name ORDER BY region, product_name")
    expected: dict[tuple[str, str | None], list] = {}
    for row in events():
        if row["date"] == NOON.date():
            totals = expected.setdefault((row["region"], row["product_name"]), [0, 0])
            totals[0] += 1
            totals[1] += row["kafka_offset"]  # The amount in cents.
    rows = {key: (orders, f"{cents / 100:.2f}") for key, (orders, cents) in expected.items()}

    printed = json.loads(run(lake, sql, "--format", "json").stdout, parse_float=str)
    assert {(row["region"], row["product_name"]): (row["orders"], row["revenue"]) for row in printed} == rows
    whole = json.loads(run(lake, sql, "--json").stdout, parse_float=str)
    assert whole["rows"] == printed
    assert [column["name"] for column in whole["columns"]] == ["region", "product_name", "orders", "revenue"]
    assert [column["type"] for column in whole["columns"]] == ["string", "string", "int64", "decimal128(18, 2)"]

    read = list(csv.reader(io.StringIO(run(lake, sql, "--format", "csv").stdout)))
    assert read[0] == ["region", "product_name", "orders", "revenue"]
    assert {(region, name or None): (int(orders), revenue) for region, name, orders, revenue in read[1:]} == rows

    file = tmp_path / "result.parquet"
    run(lake, sql, "--format", "parquet", "--output", file)
    stored = pq.read_table(file).to_pylist()
    assert {(row["region"], row["product_name"]): (row["orders"], str(row["revenue"])) for row in stored} == rows
    assert [path.name for path in tmp_path.iterdir()] == ["result.parquet"]

    table = run(lake, sql).stdout.splitlines()
    assert table[0].split() == ["region", "product_name", "orders", "revenue"] and len(table) == len(rows) + 1
    assert table[1].startswith("ASIA    Tea, \"green\" 0") and table[1].endswith(rows["ASIA", 'Tea, "green" 0'][1])
    markdown = run(lake, sql, "--format", "markdown").stdout.splitlines()
    assert markdown[:2] == ["| region | product_name | orders | revenue |", "|---|---|---:|---:|"]
    assert len(markdown) == len(rows) + 2 and markdown[9].startswith("| ASIA | - | ")


def test_every_type_is_what_was_written(lake: Lake, tmp_path: pathlib.Path) -> None:
    """Through DuckDB and back, to the bit."""
    file = tmp_path / "values.parquet"
    run(lake, "SELECT * FROM gold_every_type ORDER BY id", "--format", "parquet", "--output", file)
    assert pq.read_table(file).to_pylist() == pa.RecordBatch.from_pylist(values(), VALUES).to_pylist()


def test_the_footer_shows_what_was_read_and_at_which_version(lake: Lake) -> None:
    sql = "SELECT region, max(amount) FROM bronze_events GROUP BY region"
    footer = run(lake, sql).stderr
    assert re.fullmatch(r"3 rows · \d+ ms · 15 of 15 files, \d+(\.\d)? KiB read · bronze_events at version 5\n", footer)
    assert statistics(lake, sql)["version"] == 5


def test_a_count_and_partition_columns_read_no_file(lake: Lake) -> None:
    count = statistics(lake, "SELECT count(*) AS n FROM bronze_events")
    assert count["rows"] == [{"n": DAYS * len(REGIONS) * PER_FILE}]
    assert (count["files"], count["files_read"], count["bytes_read"]) == (15, 0, 0)
    groups = statistics(lake, "SELECT region, count(*) AS n FROM bronze_events WHERE date >= '2025-10-26' "
                              "GROUP BY region ORDER BY region")
    assert groups["rows"] == [{"region": region, "n": 3 * PER_FILE} for region in sorted(REGIONS)]
    assert (groups["files_read"], groups["bytes_read"]) == (0, 0)


@pytest.mark.parametrize(("where", "files", "rows"), [
    ("region = 'EU' AND date = '2025-10-25'", 1, PER_FILE),
    ("date BETWEEN DATE '2025-10-25' AND DATE '2025-10-26'", 6, 6 * PER_FILE),
    ("event_id = 'e-000123'", 1, 1),
    ("event_id IN ('e-000123', 'e-005999')", 2, 2),
    ("timestamp < '2025-10-24T12:00:05Z'", 1, 5),
    ("kafka_offset >= 5990 AND region IS NOT NULL", 1, 10),
    ("kafka_offset = 17 OR kafka_offset = 4711", 2, 2),
    ("length(event_id) = 8 AND region = 'US'", 5, 5 * PER_FILE),
    ("lower(region) = 'us'", 15, 5 * PER_FILE),
])
def test_files_that_cannot_matter_are_not_read(where: str, files: int, rows: int, lake: Lake) -> None:
    found = statistics(lake, f"SELECT count(amount) AS n FROM bronze_events WHERE {where}")
    assert (found["rows"], found["files_read"]) == ([{"n": rows}], files)


def test_an_analyzed_plan_reads_what_its_statement_does(lake: Lake) -> None:
    sql = "EXPLAIN ANALYZE SELECT count(amount) FROM bronze_events WHERE region = 'EU' AND date = '2025-10-25'"
    assert statistics(lake, sql)["files_read"] == 1


def test_a_file_that_is_read_twice_counts_once(lake: Lake) -> None:
    sql = "SELECT (SELECT max(amount) FROM bronze_events) - (SELECT min(amount) FROM bronze_events) AS n"
    assert statistics(lake, sql)["files_read"] == 15


def test_a_count_over_many_files_takes_little_time(tmp_path: pathlib.Path) -> None:
    """CPU time, which other programs at work hardly change."""
    many = Lake(tmp_path / "lake")
    first = events()[0]
    days = [NOON.date() + datetime.timedelta(days=n) for n in range(2000)]
    many.append("bronze-events", pa.RecordBatch.from_pylist([{**first, "date": day} for day in days], EVENTS))
    assert statistics(many, "SELECT count(*) AS n FROM bronze_events")["files"] == 2000
    command = [BINARY, "--set", f"lake.uri={many.folder}", "query", "SELECT count(*) FROM bronze_events"]

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(10)) < 0.2


def test_an_alias_does_not_mislead_it(lake: Lake) -> None:
    """A plan shows these filters by the last name that their column had."""
    for sql in ("SELECT count(*) AS n FROM (SELECT event_id AS region FROM bronze_events) WHERE region = 'e-000123'",
                "SELECT count(*) AS n FROM (SELECT region FROM bronze_events WHERE false UNION ALL SELECT event_id FROM "
                "bronze_events) WHERE region = 'e-000123'"):
        assert statistics(lake, sql)["rows"] == [{"n": 1}]


def test_earlier_versions(lake: Lake) -> None:
    day = PER_FILE * len(REGIONS)
    sql = "SELECT count(*) AS n, max(date) AS last FROM bronze_events"
    second = run(lake, sql, "--version", "bronze_events=2")
    assert second.stdout.split() == ["n", "last", str(2 * day), "2025-10-25"] and "bronze_events at version 2" in second.stderr
    log = lake.folder / "bronze-events/_delta_log"
    times = [next(json.loads(line)["commitInfo"]["timestamp"] for line in (log / f"{version:020}.json").read_text().splitlines()
                  if "commitInfo" in line) for version in range(6)]
    at = datetime.datetime.fromtimestamp(times[3] / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    third = run(lake, sql, "--as-of", at)
    assert int(third.stdout.split()[2]) == day * sum(time <= times[3] for time in times[1:])
    assert "9" in run(lake, sql, "--version", "bronze_events=9", expect=1).stderr
    assert "did you mean 'bronze_events'?" in run(lake, sql, "--version", "bronze_event=1", expect=1).stderr
    assert "is not NAME=VERSION" in run(lake, sql, "--version", "3", expect=2).stderr
    assert "bronze-events" in run(lake, sql, "--as-of", "2020-01-01T00:00:00Z", expect=1).stderr


def test_only_the_needed_columns_are_read(lake: Lake) -> None:
    """Small files are read whole, in one request, so the lake has a large one."""
    wide = Lake(lake.folder.parent / "wide")
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    rows = pa.RecordBatch.from_pylist([{"id": n, "text": os.urandom(100).hex()} for n in range(60_000)], schema)
    wide.append("wide", rows, partitions="")
    size = sum(path.stat().st_size for path in (wide.folder / "wide").glob("*.parquet"))
    assert size > 6_000_000
    assert statistics(wide, "SELECT max(id) AS n FROM wide")["bytes_read"] < size / 8
    assert statistics(wide, "SELECT max(text) AS n FROM wide")["bytes_read"] > size / 2


@pytest.mark.parametrize("columns", [40, 80])
def test_a_table_fits_the_terminal(columns: int, lake: Lake) -> None:
    sql = "SELECT product_name, event_id, user_id, timestamp, amount FROM bronze_events ORDER BY event_id LIMIT 5"
    text = shown_on_a_terminal(columns, [BINARY, "--set", f"lake.uri={lake.folder}", "query", sql], ENVIRONMENT)
    lines = text.splitlines()
    assert lines and max(map(len, lines)) <= columns
    assert "e-000004" in text and "2025-10-24T12:00:04.123456Z" in re.sub(r"\s", "", text)


def test_a_table_for_people_has_an_end(lake: Lake) -> None:
    done = run(lake, "SELECT event_id FROM bronze_events ORDER BY event_id")
    assert len(done.stdout.splitlines()) == 1001
    assert done.stderr.startswith("the first 1,000 rows; --format csv prints all · ")
    assert len(run(lake, "SELECT event_id FROM bronze_events", "--format", "csv").stdout.splitlines()) == 6001


def test_numbers_keep_their_digits(lake: Lake) -> None:
    sql = "SELECT 1234567.89 AS d, 1234567.891::DOUBLE AS f, sum(9223372036854775807) AS h, 'x' AS t, NULL AS n"
    assert run(lake, sql).stdout.split("\n")[1].split() == ["1234567.89", "1234567.891", "9223372036854775807", "x", "-"]
    assert run(lake, "SELECT 1 AS a, 2 AS a", "--format", "json").stdout == '[\n{"a": 1, "a_1": 2}\n]\n'
    assert run(lake, "SELECT 1 AS a WHERE false", "--format", "json").stdout == "[]\n"
    assert run(lake, "SELECT '' AS a, NULL AS b", "--format", "csv").stdout == 'a,b\n"",\n'
    assert run(lake, "SELECT 0::DECIMAL(18,8) AS n", "--format", "csv").stdout == "n\n0.00000000\n"


def test_a_backslash_ends_no_escaped_text(lake: Lake) -> None:
    assert run(lake, r"SELECT E'it\'s; done' AS note; SELECT 2", "--format", "table").stdout.startswith("note\nit's; done\n")


def test_a_file_of_statements(lake: Lake, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "report.sql"
    file.write_text("-- Orders.\nSELECT count(*) AS orders\nFROM bronze_events;\n\nSELECT 'it''s; done' AS note;\n")
    assert run(lake, "-f", file).stdout == "orders\n  6000\n\nnote\nit's; done\n"
    file.write_text("SELECT 1;\nSELECT\n  amout\nFROM bronze_events")
    done = run(lake, "-f", file, expect=1)
    assert done.stdout == ""
    assert f"{file}:3: Binder Error: Referenced column \"amout\" not found" in done.stderr
    assert done.stderr.count("\n") == 1
    file.write_text("SELECT 1; SELECT 2")
    assert "there are 2 statements" in run(lake, "-f", file, "--format", "csv", expect=1).stderr
    assert "cannot read" in run(lake, "-f", tmp_path / "absent.sql", expect=1).stderr
    piped = subprocess.run([BINARY, "--set", f"lake.uri={lake.folder}", "query", "-f", "-"], env=ENVIRONMENT,
                           input="SELECT 7 AS n", capture_output=True, text=True, timeout=30)
    assert piped.stdout == "n\n7\n"


@pytest.mark.parametrize(("arguments", "message"), [
    (["SELECT 1", "-f", "x.sql"], "give a query or a file, not both"),
    (["SELECT 1", "--format", "xml"], "'xml' is not table, csv, json, markdown or parquet"),
    (["SELECT 1", "--format", "parquet"], "--format parquet needs --output FILE"),
])
def test_wrong_usage(arguments: list[str], message: str, lake: Lake) -> None:
    assert message in run(lake, *arguments, expect=2).stderr


def test_a_table_that_does_not_exist_is_named_with_those_that_do(lake: Lake, tmp_path: pathlib.Path) -> None:
    assert "there is no table bronze_event; did you mean 'bronze_events'?" in run(
        lake, "SELECT * FROM bronze_event", expect=1).stderr
    assert "there is no table sales; the lake has bronze_events, gold_every_type" in run(
        lake, "SELECT * FROM sales", expect=1).stderr
    tables = run(lake, "SHOW TABLES").stdout.split()
    assert tables == ["name", "bronze_events", "gold_every_type"]
    assert run(lake, "SELECT 1 AS n", "--set", f"lake.uri={tmp_path}/none").stdout == "n\n1\n"


def test_the_configured_tables_are_bronze_whatever_their_paths(lake: Lake) -> None:
    """bronze_events is the table that ingest fills; the other one is reached by its path."""
    lines = run(lake, 'SELECT count(*) AS n FROM bronze_events UNION ALL SELECT count(*) FROM "bronze-events" ORDER BY n',
                "--set", "lake.bronze_table=gold-metrics/every-type").stdout
    assert lines == "   n\n3000\n6000\n"


def test_the_documents_examples(lake: Lake, tmp_path: pathlib.Path) -> None:
    (tmp_path / "report.sql").write_text("SELECT max(amount) FROM bronze_events; SELECT 1")
    (tmp_path / "shopstream").symlink_to(BINARY)
    newest = {**ENVIRONMENT, "SHOPSTREAM_LAKE_URI": str(lake.folder), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    lines = [line for line, _ in documented.commands((ROOT / "docs/query.md").read_text())]
    assert len(lines) >= 10
    for line in lines:
        # The lake of this test is younger.
        line = line.replace("--as-of 2025-10-24T08:00:00Z", "--as-of 2100-01-01T00:00:00Z")
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=newest, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and (done.stdout or "-o" in line), f"$ {line}\n{done.stdout}{done.stderr}"
    assert pq.read_table(tmp_path / "day.parquet").num_rows == PER_FILE * len(REGIONS)
    assert (tmp_path / "users.csv").read_text().count("\n") == 98


# ---- only reading

def outside(tmp_path: pathlib.Path) -> list[str]:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    return [f"COPY (SELECT 1) TO '{tmp_path}/copy.csv'", f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{tmp_path}/copy.csv'",
            f"ATTACH '{tmp_path}/new.db'", f"EXPORT DATABASE '{tmp_path}/export'", f"SELECT * FROM read_csv('{secret}')",
            f"SELECT * FROM '{secret}'", f"SELECT * FROM read_text('{secret}')", f"SELECT * FROM glob('{tmp_path}/*')",
            f"SELECT * FROM query('FROM ''{secret}''')", "SELECT * FROM query_table('/etc/passwd')", "INSTALL httpfs",
            "LOAD httpfs", "SET threads = 1", "SET enable_external_access = true", "RESET enable_external_access",
            "PRAGMA enable_external_access", "PRAGMA database_list; SET lock_configuration = false",
            "CREATE TABLE t (n INTEGER)", "CREATE TABLE t AS SELECT * FROM bronze_events", "DROP VIEW bronze_events",
            "INSERT INTO bronze_events SELECT * FROM bronze_events", "DELETE FROM bronze_events",
            "SELECT 1; DROP VIEW bronze_events", "CALL enable_logging('QueryLog', storage_path='/tmp/x')",
            "COPY (SELECT 1) TO '/dev/stdout'", "IMPORT DATABASE '/tmp'", "CREATE SECRET (TYPE s3, KEY_ID 'x')",
            f"FROM enable_logging('QueryLog', storage='file', storage_config={{'path': '{tmp_path}/log'}}); SELECT 1",
            "FROM \"Query\"('SELECT 1')", "FROM checkpoint()", "FROM write_log('x')"]


def test_nothing_but_the_lake_is_read_and_nothing_is_written(lake: Lake, tmp_path: pathlib.Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    before = {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()}
    for sql in outside(tmp_path):
        done = run(lake, sql, expect=1, TMPDIR=str(temporary))
        assert done.stdout == "" and done.stderr, sql
    # The folder for spilled rows is known to SQL, and a way out of it.
    folder = "current_setting('temp_directory') || "
    assert "Permission Error" in run(lake, f"SELECT * FROM glob({folder}'/../*')", expect=1, TMPDIR=str(temporary)).stderr
    assert "Permission Error" in run(lake, f"SELECT * FROM read_text({folder}'/../../secret.csv')", expect=1,
                                     TMPDIR=str(temporary)).stderr
    assert {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "tmp"]
    assert list(temporary.iterdir()) == []


def test_a_result_goes_to_files_only_and_a_link_stays(lake: Lake, tmp_path: pathlib.Path) -> None:
    (tmp_path / "target.csv").write_text("earlier")
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    run(lake, "SELECT 1 AS n", "--format", "csv", "-o", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "target.csv").read_text() == "n\n1\n"
    os.mkfifo(tmp_path / "pipe")
    refused = run(lake, "SELECT 1 AS n", "--format", "csv", "-o", tmp_path / "pipe", expect=1).stderr
    assert "is not a regular file" in refused and (tmp_path / "pipe").is_fifo()


def test_a_result_that_fails_leaves_no_file(lake: Lake, tmp_path: pathlib.Path) -> None:
    failing = "SELECT CAST(CASE WHEN i = 90000 THEN 'x' ELSE '1' END AS INTEGER) FROM range(100000) t(i)"
    for form in ("csv", "parquet"):
        done = run(lake, failing, "--format", form, "--output", tmp_path / "out", expect=1)
        assert "Could not convert string 'x'" in done.stderr
    assert "cannot" in run(lake, "SELECT 1", "--format", "csv", "-o", tmp_path / "absent/out", expect=1).stderr.lower()
    assert list(tmp_path.iterdir()) == []


# ---- long and large

def test_ctrl_c_ends_the_query(lake: Lake) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sql = "SELECT count(*) FROM range(100000000) a, range(1000000) b"
        with subprocess.Popen([BINARY, "--set", f"lake.uri={lake.folder}", "query", sql], text=True,
                              env={**ENVIRONMENT, "TMPDIR": folder}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as program:
            wait_until(lambda: os.listdir(folder), 20, "the engine starts")
            program.send_signal(signal.SIGINT)
            begin = time.monotonic()
            output, errors = program.communicate(timeout=20)
            assert time.monotonic() - begin < 10
        assert (program.returncode, output, errors) == (130, "", "shopstream: the query was interrupted\n")
        assert os.listdir(folder) == []


# A child begins with its parent's peak, so that the parent must be small: a Python of its own, not pytest's.
PEAK = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, len(done.stdout.splitlines()), done.returncode)
"""


def peak_memory(lake: Lake, sql: str, limit_mb: int) -> tuple[int, int]:
    """(peak of resident memory in MiB, lines printed)"""
    command = [sys.executable, "-c", PEAK, str(BINARY), "--set", f"lake.uri={lake.folder}", "--set",
               f"query.memory_limit_mb={limit_mb}", "query", "--format", "csv", sql]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=True)
    peak, lines, code = map(int, done.stdout.split())
    assert code == 0, sql
    return peak, lines


def test_memory_is_bounded_and_more_is_spilled(lake: Lake) -> None:
    sql = ("SELECT max(place) AS n FROM (SELECT md5(i::VARCHAR) AS text, row_number() OVER (ORDER BY text) AS place "
           "FROM range(3000000) t(i))")
    peak, lines = peak_memory(lake, sql, 64)
    assert lines == 2 and peak < 300, peak  # In memory alone, 470.
    streamed, lines = peak_memory(lake, "SELECT i, repeat('x', 100) AS x FROM range(1000000) t(i)", 64)
    assert lines == 1_000_001 and streamed < 300, streamed
    refused = run(lake, "SELECT list(md5(i::VARCHAR)) FROM range(20000000) t(i)", "--set", "query.memory_limit_mb=64",
                  expect=1)
    assert "Out of Memory Error" in refused.stderr and "raise query.memory_limit_mb (64)" in refused.stderr


def test_a_file_that_is_missing_is_named(lake: Lake, tmp_path: pathlib.Path) -> None:
    broken = Lake(tmp_path / "lake")
    broken.append("bronze-events", pa.RecordBatch.from_pylist(events()[:10], EVENTS))
    file, = broken.folder.glob("bronze-events/*/*/*.parquet")
    file.unlink()
    done = run(broken, "SELECT max(amount) FROM bronze_events", expect=1)
    assert file.name in done.stderr and "version 1 of bronze-events needs it" in done.stderr
    assert run(broken, "SELECT count(*) AS n FROM bronze_events").stdout == " n\n10\n"
