"""The batch SQL that `refine sql` prints, in Apache Spark, in DuckDB and inside the program: equal to the cent, whatever the
values are; and `refine test`."""

import csv
import datetime
import importlib.util
import itertools
import json
import math
import pathlib
import random
import re
import resource
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from cluster import BINARY, ROOT
from settings import set_flags
from test_refine_faults import SILVER, Shop, shop

__all__ = ["shop"]  # The fixture.

# The tables of the shipped Gold files, and their keys.
GOLD = {"gold_customer_daily": ["date", "user_id"], "gold_product_daily": ["date", "product_id"], "gold_quality_daily": ["date"],
        "gold_revenue_hourly": ["date", "region", "event_hour"]}

Row = dict[str, Any]

ROWS = 1_200
ROWS_OF_A_FIXTURE = 60
FIRST_DAY = datetime.datetime(2025, 10, 23, tzinfo=datetime.UTC)
MICROSECOND = pa.timestamp("us", "UTC")
SCHEMA = pa.schema([
    ("event_id", pa.string()), ("user_id", pa.int64()), ("product_id", pa.string()), ("product_name", pa.string()),
    ("quantity", pa.int64()), ("amount", pa.float64()), ("currency", pa.string()), ("timestamp", MICROSECOND),
    ("kafka_topic", pa.string()), ("kafka_topic_id", pa.string()), ("kafka_partition", pa.int32()),
    ("kafka_offset", pa.int64()), ("kafka_timestamp", MICROSECOND), ("schema_id", pa.int32()),
    ("ingested_at", MICROSECOND), ("region", pa.string()), ("date", pa.date32())])

RATES = """currency,valid_from,rate
USD,2000-01-01,1
EUR,2000-01-01,1.085
EUR,2025-10-24,1.5
JPY,2000-01-01,0.00662252
TIN,2000-01-01,0.00000001
BIG,2000-01-01,9999999999.99999999
"""
CATEGORIES = {"first.csv": "product_id,category\nP1,Drinks\nP2,\nP'3,it's\n",
              "second.csv": "id,kind\nP1,Tools\nP2,Books\nP4,Toys\nP4,Toys\n"}
CATEGORY_FILES = """
- {file: first.csv, product_id: product_id, category: category}
- {file: absent.csv, product_id: a, category: b, optional: true}
- {file: second.csv, product_id: id, category: kind}
"""
RULES = r"""
rules:
  - {name: has_user, owner: o, description: "It's a; comment", action: reject, not_null: {column: user_id}}
  - {name: few, owner: o, description: d, action: reject, range: {column: quantity, least: 1, most: 1000}}
  - {name: positive, owner: o, description: d, action: reject, range: {column: amount, above: 0}}
  - {name: cents, owner: o, description: d, action: reject, two_decimals: {column: amount}}
  - {name: region, owner: o, description: d, action: reject, allowed: {column: region, values: [US, "it's", 'back\slash']}}
  - {name: code, owner: o, description: d, action: reject, pattern: {column: product_id, matches: '^[A-Z]''?\d+$'}}
  - {name: known, owner: o, description: d, action: reject,
     reference: {column: product_id, table: product_categories, key: product_id}}
  - {name: rated, owner: o, description: d, action: reject, reference: {column: currency, table: rates, key: currency}}
  - name: late_and_big
    owner: o
    description: d
    action: stop
    sql: |
      NOT (late AND amount_usd >= 100)  -- null passes
      AND unix_seconds(timestamp) % 7 <> 3 AND regexp_like(product_name, 'e|o')
  - {name: warned, owner: o, description: d, action: warn, sql: quantity < 5}
"""

# Values at which two engines may part: halves of a cent as doubles, far ends, and no numbers at all.
AMOUNTS = [0.0, -0.0, 0.005, 0.015, 0.025, 0.125, 0.145, 1.005, 2.675, 10.075, 1e-16, -1e-16, 0.29, 1.15, 4.35, 33.33,
           99999999.99, 100000000.0, 100000000.01, 1e12, -1e12, 1e12 + 0.01, 2.0**53, 2.0**53 + 2, 2.0**63, 9.2e16, 1e18,
           1e300, -1e300, 1.7e308, 5e-324, math.nan, math.inf, -math.inf, None]
QUANTITIES = [1, 2, 5, 1000, 1001, 0, -1, 10**9, 10**9 + 1, 2**63 - 1, -2**63, None]


def amount(chance: random.Random) -> float | None:
    kind = chance.randrange(6)
    if kind == 0:
        return chance.choice(AMOUNTS)
    if kind == 1:
        return chance.uniform(-10, 10)
    if kind == 2:
        return (2 * chance.randrange(10**chance.randrange(1, 12)) + 1) / 200  # Half a cent, as near as a double gets.
    if kind == 3:
        return -(2 * chance.randrange(10**6) + 1) / 200
    return chance.randrange(1, 10**chance.randrange(1, 9)) / 100


def purchase(chance: random.Random, offset: int) -> Row:
    time = FIRST_DAY + datetime.timedelta(milliseconds=chance.randrange(3 * 86_400_000))
    usual = chance.random() < 0.7  # Otherwise most rows would break some rule.
    sent = chance.choice([0, 1, 3_599_999, 3_600_000, 3_600_001, -5])
    row = {
        "event_id": None if offset % 97 == 5 else f"e{chance.randrange(ROWS * 3 // 4)}",
        "user_id": None if offset % 41 == 7 else chance.randrange(50),
        "product_id": chance.choice(["P1", "P2", "P'3", "P4"] if usual else ["P9", "p1", "", None]),
        "product_name": chance.choice(["Tea", "Tools", "xyz" if offset % 5 == 0 else "Coffee"]),
        "quantity": chance.randrange(1, 9) if usual else chance.choice(QUANTITIES),
        "amount": amount(chance),
        "currency": chance.choice(["USD", "EUR", "JPY"] if usual else ["TIN", "BIG", "CHF", "", None]),
        "timestamp": None if offset % 101 == 9 else time,
        "kafka_topic": "purchases", "kafka_topic_id": chance.choice(["t1", "t2"]), "kafka_partition": chance.randrange(3),
        "kafka_offset": offset,
        "kafka_timestamp": None if offset % 61 == 3 else time + datetime.timedelta(milliseconds=sent),
        "schema_id": 1, "ingested_at": time, "region": chance.choice(["US", "it's", "back\\slash"] if usual else ["EU", None]),
        "date": time.date(),
    }
    return row | {"timestamp": None, "date": None} if row["timestamp"] is None else row


def purchases() -> list[Row]:
    chance = random.Random(12)
    return [purchase(chance, offset) for offset in range(ROWS)]


@pytest.fixture
def settings(tmp_path: pathlib.Path) -> dict[str, str]:
    files = {"rules.yaml": RULES, "rates.csv": RATES, "categories.yaml": CATEGORY_FILES, **CATEGORIES}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return {"lake.uri": str(tmp_path / "lake"), "refine.rules": str(tmp_path / "rules.yaml"),
            "refine.rates": str(tmp_path / "rates.csv"), "refine.categories": str(tmp_path / "categories.yaml")}


def program(settings: dict[str, str], *arguments: str, expected: int = 0) -> str:
    done = subprocess.run([BINARY, *set_flags(settings), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == expected, f"{arguments}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr}"
    return done.stdout


def statements(script: str) -> list[str]:
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    return [text for text in "\n".join(lines).split(";\n") if text.strip()]


def comparable(rows: Iterator[Row], key: Sequence[str] = ("kafka_offset",)) -> list[Row]:
    """In the order of the key, by default offsets, which are unique here; NaN equals NaN."""
    def plain(value: Any) -> Any:
        if isinstance(value, datetime.datetime):
            return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)
        return "NaN" if isinstance(value, float) and math.isnan(value) else value
    return sorted(({name: plain(value) for name, value in row.items()} for row in rows),
                  key=lambda row: [(row[name] is not None, row[name]) for name in key])


def by_duckdb(script: str, rows: pa.Table, tables: Iterable[str]) -> dict[str, list[Row]]:
    with duckdb.connect() as connection:
        connection.register("bronze_events", rows)
        for statement in statements(script):
            connection.execute(statement)
        return {table: comparable(connection.execute(f"SELECT * FROM {table}").to_arrow_table().to_pylist(),
                                  GOLD.get(table, ["kafka_offset"])) for table in tables}


@pytest.fixture
def spark_sql(spark: Any) -> Iterator[Any]:
    """The session, whose settings and views are left as they were."""
    settings = ("spark.sql.session.timeZone", "spark.sql.ansi.enabled", "spark.sql.parser.escapedStringLiterals")
    before = {name: spark.conf.get(name) for name in settings}
    yield spark
    for name, value in before.items():
        spark.conf.set(name, value)
    for view in spark.catalog.listTables():
        if view.isTemporary:
            spark.catalog.dropTempView(view.name)


def by_spark(spark: Any, table: str) -> list[Row]:
    return comparable(spark.sql(f"SELECT * FROM {table}").toArrow().to_pylist(), GOLD.get(table, ["kafka_offset"]))


def yaml_value(value: Any) -> str:
    if value is None:
        return "~"
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if isinstance(value, float) and not math.isfinite(value):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else str(value)


def yaml_row(row: Row) -> str:
    return "  - {" + ", ".join(f"{name}: {yaml_value(value)}" for name, value in row.items()) + "}\n"


def fixture(name: str, rows: list[Row], silver: list[Row], rejects: list[Row]) -> str:
    offsets = {row["kafka_offset"] for row in rows}
    text = f"name: {name}\ninput:\n" + "".join(map(yaml_row, rows))
    for table, expected, columns in (
            ("silver", silver, ["kafka_offset", "amount_usd", "event_hour", "product_category", "late"]),
            ("rejects", rejects, ["kafka_offset", "reasons"])):
        chosen = [{column: row[column] for column in columns} for row in expected if row["kafka_offset"] in offsets]
        text += f"{table}:\n" + "".join(map(yaml_row, chosen)) if chosen else f"{table}: []\n"
    return text


def fixtures(rows: list[Row], silver: list[Row], rejects: list[Row]) -> str:
    """All copies of a purchase are in one fixture."""
    parts: list[list[Row]] = [[]]
    for _, copies in itertools.groupby(sorted(rows, key=copied_by), key=copied_by):
        parts[-1].extend(copies)
        if len(parts[-1]) >= ROWS_OF_A_FIXTURE:
            parts.append([])
    return "---\n".join(fixture(f"part {i}", part, silver, rejects) for i, part in enumerate(parts) if part)


def copied_by(row: Row) -> str:
    return row["event_id"] or ""


@pytest.mark.parametrize("rules", [RULES, "rules: []"], ids=["rules", "no-rules"])
def test_both_engines_and_the_program_agree_on_every_row(spark_sql: Any, settings: dict[str, str], tmp_path: pathlib.Path,
                                                         rules: str) -> None:
    (tmp_path / "rules.yaml").write_text(rules)
    rows = purchases()
    bronze = pa.Table.from_pylist(rows, schema=SCHEMA)
    pq.write_table(bronze, tmp_path / "bronze.parquet")
    spark_sql.read.parquet(str(tmp_path / "bronze.parquet")).createOrReplaceTempView("bronze_events")
    for statement in statements(program(settings, "refine", "sql", "--engine", "spark")):
        spark_sql.sql(statement)
    silver, rejects = by_spark(spark_sql, "silver_events"), by_spark(spark_sql, "silver_rejects")

    assert len(silver) + len(rejects) == ROWS and len(silver) > ROWS / 20
    reasons = {name for row in rejects for name in row["reasons"].split(",")}
    assert reasons == {"not_computable", "duplicate"} | ({"has_user", "few", "positive", "cents", "region", "code", "known",
                                                          "rated", "late_and_big"} if rules == RULES else set())

    by_spark_gold = {table: by_spark(spark_sql, table) for table in GOLD}
    assert all(by_spark_gold.values())
    assert len(by_spark_gold["gold_customer_daily"]) > 100 and sum(
        row["bronze_rows"] for row in by_spark_gold["gold_quality_daily"]) == ROWS
    assert by_duckdb(program(settings, "refine", "sql"), bronze, ["silver_events", "silver_rejects", *GOLD]) == {
        "silver_events": silver, "silver_rejects": rejects, **by_spark_gold}

    (tmp_path / "fixtures.yaml").write_text(fixtures(rows, silver, rejects))
    answer = json.loads(program(settings, "--json", "refine", "test", str(tmp_path / "fixtures.yaml")))
    assert answer["rows"] == ROWS and not answer["differences"]


def test_spark_writes_the_tables_and_finds_every_difference(spark_sql: Any, settings: dict[str, str], tmp_path: pathlib.Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    lake = pathlib.Path(settings["lake.uri"])
    bronze = pa.Table.from_pylist(purchases(), schema=SCHEMA)
    write_deltalake(str(lake / "bronze-events"), bronze, partition_by=["region", "date"])
    (tmp_path / "batch.sql").write_text(program(settings, "refine", "sql", "--engine", "spark"))
    spec = importlib.util.spec_from_file_location("batch", ROOT / "deploy/spark/batch.py")
    assert spec and spec.loader
    batch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(batch)
    arguments = [str(lake), str(tmp_path / "batch.sql")]

    assert batch.main([*arguments, "--write", str(lake)], spark_sql) == 0
    silver = DeltaTable(str(lake / "silver-events"))
    assert silver.metadata().partition_columns == ["region", "date"]
    expected = by_duckdb(program(settings, "refine", "sql"), bronze, ["silver_events", *GOLD])
    assert comparable(silver.to_pyarrow_table().to_pylist()) == expected["silver_events"]
    for table, key in GOLD.items():
        gold = DeltaTable(str(lake / "gold-metrics" / table.removeprefix("gold_")))
        assert gold.metadata().partition_columns == ["date"]
        assert comparable(gold.to_pyarrow_table().to_pylist(), key) == expected[table], table

    assert batch.main([*arguments, "--compare"], spark_sql) == 0
    output = capsys.readouterr().out
    assert all(f"{table}: equal, " in output for table in ["silver_events", "silver_rejects", *GOLD]), output
    one = expected["silver_events"][0]
    silver.update(updates={"amount_usd": "amount_usd + 0.01"}, predicate=f"kafka_offset = {one['kafka_offset']}")
    assert batch.main([*arguments, "--compare"], spark_sql) == 3
    output = capsys.readouterr().out
    assert "silver_events: missing" in output and "silver_events: not expected" in output
    assert "silver_rejects: equal" in output
    assert "gold_revenue_hourly: missing" in output and "gold_quality_daily: equal" in output


def test_a_stream_follows_silver_through_compaction(shop: Shop, spark: Any) -> None:
    """Without options: a compaction changes no rows."""
    followed = shop.folder / "followed"

    def follow() -> list[int]:
        rows = spark.readStream.format("delta").load(str(shop.lake / SILVER)).select("kafka_offset")
        writing = rows.writeStream.format("parquet").option("checkpointLocation", str(shop.folder / "checkpoint"))
        assert writing.trigger(availableNow=True).start(str(followed)).awaitTermination(60)
        return sorted(row.kafka_offset for row in spark.read.parquet(str(followed)).collect())

    for _ in range(3):
        shop.sell(50)
        shop.run("refine")
    assert len(follow()) == 225
    files = len(shop.live_files(SILVER))
    shop.run("table", "optimize", SILVER)
    assert len(shop.live_files(SILVER)) < files
    shop.sell(50)
    shop.run("refine")
    assert follow() == [offset for offset in range(shop.offset) if offset % 10 != 0]


def test_the_shipped_fixtures_are_as_expected_within_a_second(tmp_path: pathlib.Path) -> None:
    def processor_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = processor_seconds()
    assert "all as expected" in program({"lake.uri": str(tmp_path)}, "refine", "test")
    assert processor_seconds() - before < 2  # About 0.7 on an idle machine; other tests slow each other down.


def test_a_fixture_that_differs_is_shown(settings: dict[str, str], tmp_path: pathlib.Path) -> None:
    file = tmp_path / "differs.yaml"
    file.write_text("name: tea\ninput: [{region: US, amount: 2, product_id: P1}]\nsilver: [{amount_usd: 3}]\n")
    output = program(settings, "refine", "test", str(file), expected=3)
    assert f"{file}, line 1: tea, silver\n  expected: amount_usd: 3.00\n  found:    amount_usd: 2.00\n  differs:  amount_usd\n" in output
    assert "1 fixture, 1 row: 1 difference" in output


@pytest.mark.parametrize(("name", "text", "message"), [
    ("rules.yaml", "rules:\n- {name: r, owner: o, description: d, action: warn, not_null: {column: usr_id}}",
     "rules.yaml, line 2: rule r: bronze_events has no column usr_id; did you mean 'user_id'?"),
    ("rules.yaml", "rules:\n- name: r\n  owner: o\n  description: d\n  action: warn\n  sql: |\n    amount >\n    amout",
     "rules.yaml:8: Binder Error"),
    ("rates.csv", "currency,valid_from,rate\nEUR,2025-01-01,1;09\n", "rates.csv, line 2: rate '1;09' is not a number"),
    ("categories.yaml", "- {file: absent.csv, product_id: a, category: b}", "absent.csv"),
])
def test_a_broken_file_is_named_with_its_line(settings: dict[str, str], tmp_path: pathlib.Path, name: str, text: str,
                                              message: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "any.yaml").write_text("{name: any, input: []}")
    done = subprocess.run([BINARY, *set_flags(settings), "refine", "test", str(tmp_path / "any.yaml")], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and message in done.stderr, done.stderr


def test_one_table_is_printed_as_its_select(settings: dict[str, str]) -> None:
    assert program(settings, "refine", "sql", "silver_events").lstrip().startswith("WITH bronze AS (")
    done = subprocess.run([BINARY, *set_flags(settings), "refine", "sql", "silver_event"], cwd=ROOT, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1 and "did you mean 'silver_events'?" in done.stderr


def test_the_examples_of_the_document_are_as_it_says(settings: dict[str, str], tmp_path: pathlib.Path) -> None:
    rules, example = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/refine.md").read_text(), re.DOTALL)
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "example.yaml").write_text(example)
    assert "1 fixture, 2 rows: all as expected" in program(settings, "refine", "test", str(tmp_path / "example.yaml"))
    (tmp_path / "example.yaml").write_text(example.replace("10.86", "10.85"))
    program(settings, "refine", "test", str(tmp_path / "example.yaml"), expected=3)


def test_every_product_of_the_catalogue_has_its_category() -> None:
    catalogue = (ROOT / "src/generate/catalogue.yaml").read_text()
    expected = {}
    for category in re.split(r"\n  - name: ", catalogue)[1:]:
        name, code = category.partition("\n")[0], re.search(r"code: (\w+)", category)
        brands, items = re.search(r"brands: \[(.*?)\]", category, re.DOTALL), re.findall(r"- \{name: ", category)
        assert code and brands and items
        count = len(brands[1].split(",")) * len(items)
        expected |= {f"{code[1]}-{number:04}": name for number in range(1, count + 1)}
    with open(ROOT / "config/refine/categories.csv", newline="") as file:
        found = {row["product_id"]: row["category"] for row in csv.DictReader(file)}
    assert found == expected
