"""`refine verify` over a lake whose purchases have every kind of value: it finds nothing in what refine made, and every
change that another program makes to it."""

import datetime
import json
import pathlib
import shutil
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from test_refine_sql import CATEGORIES, CATEGORY_FILES, RATES, ROWS, RULES, SCHEMA, program, purchases

SILVER, REJECTS, BRONZE = "silver-events", "silver-rejects", "bronze-events"
HOURLY, QUALITY = "gold-metrics/revenue_hourly", "gold-metrics/quality_daily"
NOT_REFINED, PASSES = 200, 4
ANYWHERE = {"silver-events", "silver-rejects"}


def settings_of(folder: pathlib.Path) -> dict[str, str]:
    return {"lake.uri": str(folder / "lake"), "refine.rules": str(folder / "rules.yaml"),
            "refine.rates": str(folder / "rates.csv"), "refine.categories": str(folder / "categories.yaml"),
            "refine.state_folder": str(folder / "state")}


def append(lake: pathlib.Path, rows: list[dict[str, Any]], end: int | None) -> None:
    """As ingest does, which records its progress with the rows; nothing: as another program does."""
    txns = [] if end is None else [Transaction(f"shopstream/{topic}/{partition}", end)
                                   for topic in ("t1", "t2") for partition in range(3)]
    write_deltalake(str(lake / BRONZE), pa.Table.from_pylist(rows, schema=SCHEMA), partition_by=["region", "date"], mode="append",
                    commit_properties=CommitProperties(app_transactions=txns))


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Purchases refined in several passes, and some that are not refined yet; two that no pass will take."""
    folder = tmp_path_factory.mktemp("refined")
    files = {"rules.yaml": RULES.replace("action: stop", "action: reject"), "rates.csv": RATES, "categories.yaml": CATEGORY_FILES,
             **CATEGORIES}
    for name, text in files.items():
        (folder / name).write_text(text)
    rows = purchases()
    settings, early = settings_of(folder), ROWS - NOT_REFINED
    for begin in range(0, early, early // PASSES):
        append(folder / "lake", rows[begin:begin + early // PASSES], begin + early // PASSES)
        program(settings, "refine")
    append(folder / "lake", rows[early:], ROWS)
    append(folder / "lake", [row | {"kafka_offset": None} for row in rows[:2]], None)
    return folder


@pytest.fixture
def folder(refined: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(refined, tmp_path / "copy")
    return tmp_path / "copy"


def verify(folder: pathlib.Path, *more: str, expected: int = 0) -> dict[str, Any]:
    return json.loads(program(settings_of(folder), "--json", "refine", "verify", *more, expected=expected))


def table(folder: pathlib.Path, name: str) -> DeltaTable:
    return DeltaTable(str(folder / "lake" / name))


def rows_of(folder: pathlib.Path, name: str, keep: Callable[[dict[str, Any]], bool] = lambda row: True) -> list[dict[str, Any]]:
    return [row for row in table(folder, name).to_pyarrow_table().to_pylist() if keep(row)]


def copy_row(folder: pathlib.Path, name: str, predicate: Any, **changes: Any) -> None:
    """Appends a copy of a row, with other values."""
    rows = table(folder, name).to_pyarrow_table().filter(predicate).slice(0, 1)
    for column, value in changes.items():
        index = rows.schema.get_field_index(column)
        rows = rows.set_column(index, rows.schema.field(index), pa.array([value], rows.schema.field(index).type))
    assert len(rows) == 1
    write_deltalake(str(folder / "lake" / name), rows, mode="append")


def offset_of(difference: dict[str, Any]) -> int:
    return int(difference["key"]["kafka_offset"])


def test_what_refine_made_is_equal(folder: pathlib.Path) -> None:
    report = verify(folder)
    assert report["rows"] == ROWS - NOT_REFINED == len(rows_of(folder, SILVER)) + len(rows_of(folder, REJECTS))
    assert report["rows_without_coordinates"] == 2 and report["earlier_rules"] == [] and report["left_out"] == {}
    assert report["gold_rows"] == sum(
        len(rows_of(folder, f"gold-metrics/{name}"))
        for name in ("revenue_hourly", "product_daily", "customer_daily", "quality_daily"))
    assert report["differences"] == [] and report["finished"]
    reasons = Counter(row["reasons"] for row in rows_of(folder, REJECTS))
    assert reasons["duplicate"] > 3 and any(row["late"] for row in rows_of(folder, SILVER))
    text = program(settings_of(folder), "refine", "verify")
    assert "2 rows of Bronze without Kafka coordinates" in text and text.endswith("compared. Equal.\n"), text

    program(settings_of(folder), "refine")
    program(settings_of(folder), "table", "optimize", SILVER)
    program(settings_of(folder), "table", "optimize", BRONZE)
    assert verify(folder)["rows"] == ROWS


def lost(folder: pathlib.Path, name: str, row: dict[str, Any]) -> None:
    table(folder, name).delete(f"kafka_offset = {row['kafka_offset']}")


def changed(folder: pathlib.Path, name: str, row: dict[str, Any], **updates: str) -> None:
    table(folder, name).update(updates=updates, predicate=f"kafka_offset = {row['kafka_offset']}")


@pytest.mark.parametrize(("name", "damage", "expected", "gold_differs"), [
    (SILVER, lost, ("missing", [], "in Silver", ""), True),
    (REJECTS, lost, ("missing", [], "duplicate", ""), True),
    (SILVER, lambda *row: changed(*row, amount="amount + 1"), ("other_value", ["amount"], None, None), False),
    (SILVER, lambda *row: changed(*row, amount_usd="amount_usd + 0.01", late="not late"),
     ("other_value", ["amount_usd", "late"], None, None), True),
    (SILVER, lambda *row: changed(*row, product_name="NULL"), ("other_value", ["product_name"], None, "product_name: NULL"), None),
    (REJECTS, lambda *row: changed(*row, quantity="quantity + 1"), ("other_value", ["quantity"], None, None), False),
    (REJECTS, lambda *row: changed(*row, reasons="'few'"), ("other_verdict", [], "duplicate", "few"), True),
    (SILVER, lambda folder, name, row: copy_row(folder, name, pc.field("kafka_offset") == row["kafka_offset"]),
     ("twice", [], "1 row", "2 rows in silver"), True),
    (SILVER, lambda folder, name, row: copy_row(folder, name, pc.field("kafka_offset") == row["kafka_offset"], kafka_offset=ROWS),
     ("extra", [], "", "in Silver"), True),
])
def test_every_change_of_a_row_is_found(folder: pathlib.Path, name: str, damage: Callable[..., None],
                                        expected: tuple[str, list[str], str | None, str | None],
                                        gold_differs: bool | None) -> None:
    row = rows_of(folder, name, lambda row: name == SILVER or row["reasons"] == "duplicate")[3]
    damage(folder, name, row)
    report = verify(folder, expected=3)
    found = [difference for difference in report["differences"] if difference["table"] in ANYWHERE]
    assert len(found) == 1, found
    kind, columns, before, after = expected
    assert (found[0]["table"], found[0]["kind"], found[0]["columns"]) == (name, kind, columns)
    assert offset_of(found[0]) == (ROWS if kind == "extra" else row["kafka_offset"])
    assert found[0]["key"]["event_id"] == row["event_id"] and found[0]["key"]["date"] == str(row["date"])
    assert before in (None, found[0]["expected"]) and after in (None, found[0]["found"])
    gold = {difference["table"] for difference in report["differences"]} - ANYWHERE
    assert gold_differs in (None, bool(gold)), gold


def test_a_copy_of_a_purchase_in_silver_beside_another_is_found(folder: pathlib.Path) -> None:
    """Each row is somewhere once, but the purchase counts twice, or never."""
    duplicate = rows_of(folder, REJECTS, lambda row: row["reasons"] == "duplicate")[0]
    same = (pc.field("event_id") == duplicate["event_id"]) & (pc.field("date") == duplicate["date"])
    original = table(folder, SILVER).to_pyarrow_table().filter(same)
    assert len(original) == 1
    names = [name for name in original.schema.names if name.startswith("kafka_") or name in ("amount", "currency", "user_id")]
    copy_row(folder, SILVER, same, **{name: duplicate[name] for name in names})
    lost(folder, REJECTS, duplicate)
    twice = [difference for difference in verify(folder, expected=3)["differences"] if difference["kind"] == "twice"]
    assert [(difference["table"], difference["key"]["event_id"]) for difference in twice] == [(SILVER, duplicate["event_id"])]
    assert twice[0]["found"].startswith("2 of ")


def test_a_row_that_bronze_has_twice_is_found(folder: pathlib.Path) -> None:
    row = rows_of(folder, SILVER)[0]
    copy_row(folder, BRONZE, pc.field("kafka_offset") == row["kafka_offset"])
    difference, = verify(folder, expected=3)["differences"]
    assert (difference["table"], difference["kind"], offset_of(difference)) == (BRONZE, "twice", row["kafka_offset"])


def test_every_change_of_gold_is_found(folder: pathlib.Path) -> None:
    one, *_ = rows_of(folder, HOURLY, lambda row: row["region"] == "US")
    hour = one["event_hour"].strftime("%Y-%m-%dT%H:%M:%SZ")
    table(folder, HOURLY).update(updates={"revenue_usd": "revenue_usd + 1", "customers": "NULL"},
                                 predicate=f"region = 'US' AND event_hour = '{hour}'")
    date = max(row["date"] for row in rows_of(folder, QUALITY, lambda row: row["date"] is not None))
    table(folder, QUALITY).delete(f"date = '{date}'")
    user = rows_of(folder, "gold-metrics/customer_daily", lambda row: row["date"] == date)[0]["user_id"]
    of_user = (pc.field("date") == date) & (pc.field("user_id") == user)
    copy_row(folder, "gold-metrics/customer_daily", of_user)
    copy_row(folder, "gold-metrics/product_daily", pc.field("date") == date, product_id="none")
    found = {(difference["table"].split("/")[1], difference["kind"]): difference
             for difference in verify(folder, expected=3)["differences"]}
    assert set(found) == {("revenue_hourly", "other_value"), ("quality_daily", "missing"), ("customer_daily", "twice"),
                          ("product_daily", "extra")}
    other = found["revenue_hourly", "other_value"]
    assert other["columns"] == ["revenue_usd", "customers"] and "customers: NULL" in other["found"]
    assert other["key"]["region"] == "US" and other["key"]["event_hour"].startswith(f"{one['event_hour']:%Y-%m-%d %H:%M}")
    assert found["quality_daily", "missing"]["key"] == {"date": str(date)}
    assert found["customer_daily", "twice"]["key"] == {"date": str(date), "user_id": str(user)}
    assert found["product_daily", "extra"]["key"] == {"date": str(date), "product_id": "none"}
    text = program(settings_of(folder), "refine", "verify", expected=3)
    assert "4 differences; `shopstream refine --restate FROM..TO` recomputes dates." in text and "date " + str(date) in text, text
    dates = {str(one["date"]), str(date)}
    program(settings_of(folder), "refine", "--restate", f"{min(dates)}..{max(dates)}")
    assert verify(folder)["differences"] == []


def test_rows_of_earlier_rules_are_listed_apart_until_they_are_restated(folder: pathlib.Path) -> None:
    rules = folder / "rules.yaml"
    rules.write_text(rules.read_text().replace("most: 1000}", "most: 4}"))
    report = verify(folder)
    assert [(used["rows"], used["first_pass"]) for used in report["earlier_rules"]] == [(ROWS - NOT_REFINED, 1)]
    program(settings_of(folder), "refine")
    report = verify(folder)
    used, = report["earlier_rules"]
    assert used["rows"] == ROWS - NOT_REFINED and report["rows"] == ROWS
    command = f"refine --restate {used['first_date']}..{used['last_date']}"
    text = program(settings_of(folder), "refine", "verify")
    assert f"`shopstream {command}`" in text and "1,000 rows decided by other rules, rates or SQL" in text, text
    lost(folder, SILVER, rows_of(folder, SILVER, lambda row: row["refine_pass"] == 1)[0])
    assert [difference["kind"] for difference in verify(folder, expected=3)["differences"]][0] == "missing"
    program(settings_of(folder), *command.split())
    without_date = sum(row["date"] is None for row in rows_of(folder, BRONZE)[:ROWS])
    assert sum(used["rows"] for used in verify(folder)["earlier_rules"]) <= without_date
    program(settings_of(folder), "refine", "--rebuild")
    assert verify(folder)["earlier_rules"] == []


def test_only_dates_that_are_asked_for_and_that_tables_keep_are_compared(folder: pathlib.Path) -> None:
    dates = sorted({row["date"] for row in rows_of(folder, SILVER)})
    lost(folder, SILVER, rows_of(folder, SILVER, lambda row: row["date"] == dates[0])[0])
    assert verify(folder, "--dates", f"{dates[0]}..{dates[-1]}", expected=3)["dates"] == len(dates)
    assert verify(folder, "--dates", f"{dates[1]}..{dates[-1]}")["dates"] == len(dates) - 1
    assert verify(folder, "--dates", str(dates[1]))["dates"] == 1
    error = "the second date is before the first"
    done = settings_of(folder)
    with pytest.raises(AssertionError, match=error):
        program(done, "refine", "verify", "--dates", "2025-10-25..2025-10-24")
    kept = dates[0] + datetime.timedelta(days=1)
    table(folder, SILVER).alter.set_table_properties({"shopstream.horizon": str(kept)}, raise_if_not_exists=False)
    report = verify(folder)
    assert report["horizons"] == {SILVER: str(kept)} and report["difference_count"] == 0


def test_a_gold_table_of_other_sql_is_left_out(folder: pathlib.Path) -> None:
    sql = folder / "sql"
    shutil.copytree(pathlib.Path(__file__).parent.parent / "src/refine/sql", sql)
    file = sql / "gold/quality_daily.sql"
    file.write_text(file.read_text().replace("What became", "All that became"))
    (sql / "gold/sales.sql").write_text("-- key: date\n-- orders: add\n-- aggregate\n"
                                        "SELECT date, count(*) AS orders FROM silver_events GROUP BY date\n")
    settings = settings_of(folder) | {"refine.sql_folder": str(sql)}
    left_out = json.loads(program(settings, "--json", "refine", "verify"))["left_out"]
    assert left_out == {QUALITY: "other SQL made it; the next refine rebuilds it", "gold-metrics/sales": "it is not built yet"}
    program(settings, "refine")
    assert json.loads(program(settings, "--json", "refine", "verify"))["left_out"] == {}


def test_a_lake_without_passes_is_named(tmp_path: pathlib.Path, refined: pathlib.Path) -> None:
    shutil.copytree(refined / "lake" / BRONZE, tmp_path / "lake" / BRONZE)
    for file in refined.glob("*.*"):
        shutil.copy(file, tmp_path)
    with pytest.raises(AssertionError, match="`shopstream refine` creates it"):
        program(settings_of(tmp_path), "refine", "verify")
