"""`shopstream table erase` on real brokers, beside ingest and refine: whatever is killed, afterwards nothing of a
person is left in any data file, the receipt says so, and the audit finds no difference."""

import datetime
import decimal
import pathlib
import random
import time
from typing import Any

import polars
import pyarrow.parquet
from deltalake import DeltaTable

from shopstream import COMMITS_SOON, Shopstream
from test_refine import BRONZE, REJECTS, SILVER, Shop, expect_gold_adds_up, expect_refined, ingest, rows, world
from waiting import wait_until

__all__ = ["world"]  # The fixture.

QUARANTINE, CUSTOMERS = "bronze-quarantine", "gold-metrics/customer_daily"
PERSON = 471142  # No other user has it.
NAME = "Engraved-for-Wilhelmine"
WHERE = f"user_id = {PERSON}"


def buy(shop: Shop) -> None:
    """Purchases of the person, accepted, rejected, repeated and undecodable, among others. 7 rows of Bronze go, and one
    of quarantine."""
    person = {"user_id": PERSON, "product_name": NAME}
    shop.send(*({} for _ in range(200)))
    shop.send({**person, "event_id": "gift"}, {**person, "amount": -1.0}, {**person, "quantity": 0},
              *({**person} for _ in range(3)))
    shop.send({"event_id": "gift"})  # A copy under another name.
    for key in (str(PERSON), "somebody"):
        shop.producer.produce(shop.world.topic, f"{key} wrote {NAME}".encode(), key)
    assert shop.producer.flush(30) == 0


def erase(world: Shopstream, where: str = WHERE) -> dict[str, Any]:
    return world.json("table", "erase", "--where", where, "--yes", timeout=120)


def of_table(receipt: dict[str, Any], name: str) -> dict[str, Any]:
    return next(table for table in receipt["tables"] if table["table"] == name)


def expect_nothing_left(world: Shopstream, state: pathlib.Path) -> None:
    """In any file but the log, whose clean-up the receipt announces."""
    for table in world.json("table", "list"):
        DeltaTable(str(world.lake / table["table"])).alter.set_table_properties(
            {"delta.deletedFileRetentionDuration": "interval 0 seconds"})  # As if it were over.
        world.run("table", "vacuum", table["table"], "--delete", "--retention-hours", "0", "--force")
    seen = 0
    for path in [*world.lake.rglob("*"), *state.rglob("*")]:
        if not path.is_file() or "_delta_log" in path.parts:
            continue
        seen += 1
        assert NAME.encode() not in path.read_bytes(), path
        if path.suffix != ".parquet":
            continue
        for row in pyarrow.parquet.read_table(path).to_pylist():
            assert PERSON not in row.values() and NAME not in str(row), path
    assert seen > 10


def expect_clean(world: Shopstream, erased: int) -> None:
    report = world.json("audit")
    assert report["clean"], report
    assert sum(partition["erased_rows"] for partition in report["partitions"]) == erased


def test_nothing_of_a_person_is_left(world: Shopstream) -> None:
    shop = Shop(world)
    buy(shop)
    ingest(world)
    world.run("refine")
    assert any(row["user_id"] == PERSON for row in rows(world, CUSTOMERS))
    ingesting, refining = world.start("ingest", **COMMITS_SOON), world.start("refine", "--watch")
    shop.send(*({} for _ in range(100)))
    receipt = erase(world)
    shop.send(*({} for _ in range(100)))
    wait_until(lambda: len(rows(world, BRONZE)) == 400, 60, "ingest goes on")
    assert ingesting.stop() == 0
    assert refining.stop() == 0
    world.run("refine", timeout=120)
    assert (of_table(receipt, BRONZE)["rows"], of_table(receipt, QUARANTINE)["rows"]) == (7, 1)
    assert of_table(receipt, SILVER)["rows"] + of_table(receipt, REJECTS)["rows"] == 7
    assert receipt["quarantine_not_examined"] == 1
    assert of_table(receipt, CUSTOMERS)["files"] == 1
    assert not any(row["user_id"] == PERSON for name in (BRONZE, SILVER, REJECTS, CUSTOMERS)
                   for row in rows(world, name))
    assert not any(row["event_id"] == "gift" for name in (BRONZE, SILVER, REJECTS) for row in rows(world, name))
    expect_refined(world)
    expect_gold_adds_up(world)
    expect_clean(world, 8)


def test_the_files_are_gone_after_a_vacuum(world: Shopstream, tmp_path: pathlib.Path) -> None:
    shop = Shop(world)
    shop.send(*({} for _ in range(100)))
    shop.send(*({"user_id": PERSON, "product_name": NAME} for _ in range(5)))
    ingest(world)
    world.run("refine")
    assert any(NAME.encode() in path.read_bytes() for path in (world.lake / BRONZE).rglob("*.parquet"))
    erase(world)
    expect_nothing_left(world, tmp_path / "state")
    expect_clean(world, 5)


def test_a_killed_erase_is_finished_by_the_next(world: Shopstream) -> None:
    shop = Shop(world)
    buy(shop)
    ingest(world)
    world.run("refine")
    chance = random.Random(5)
    for _ in range(5):
        running = world.start("table", "erase", "--where", WHERE, "--yes")
        time.sleep(chance.uniform(0.05, 0.9))
        running.kill()
    receipt = erase(world)
    assert of_table(receipt, BRONZE)["version"] is not None
    assert not any(row["user_id"] == PERSON for name in (BRONZE, SILVER, REJECTS, CUSTOMERS)
                   for row in rows(world, name))
    expect_refined(world)
    expect_gold_adds_up(world)
    expect_clean(world, 8)
    history = world.json("table", "history", REJECTS, "--limit", "100")
    assert sum(version["operation"] == "FORGET TASK" for version in history) >= 1


def test_an_erase_is_asked_for_and_refuses_what_it_cannot_do(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send({"user_id": PERSON}, {})
    ingest(world)
    counts = {row["table"]: row["rows"] for row in world.json("table", "erase", "--where", WHERE, "--dry-run")}
    assert counts == {BRONZE: 1}
    assert len(rows(world, BRONZE)) == 2
    assert "--yes" in world.run("table", "erase", "--where", WHERE, expect=1).stderr
    for where, why in (("user_id", "is not a condition"), ("nobody = 1", "nobody"), ("user_id IN (SELECT 1)", "SELECT")):
        assert why in world.run("table", "erase", "--where", where, "--yes", expect=1).stderr
    assert len(rows(world, BRONZE)) == 2
    words = world.run("table", "erase", "--where", WHERE, "--yes").stdout
    assert "Not covered: Kafka" in words and f"shopstream table vacuum {BRONZE} --delete" in words
    assert len(rows(world, BRONZE)) == 1


def test_old_dates_leave_bronze_once_they_are_refined(world: Shopstream) -> None:
    shop = Shop(world)
    now = datetime.datetime.now(datetime.timezone.utc)
    shop.send(*({"timestamp": now - datetime.timedelta(days=days)} for days in (0, 1, 30, 40) for _ in range(5)))
    shop.producer.produce(world.topic, b"rubbish", b"somebody")
    assert shop.producer.flush(30) == 0
    ingest(world)
    waits = world.json("table", "retain", BRONZE, "10d", expect=3)
    assert waits["dates"] == [] and len(waits["not_refined"]) == 2
    world.run("refine")
    dry = world.json("table", "retain", BRONZE, "10d", "--dry-run")
    assert (dry["rows"], len(dry["dates"]), dry["not_refined"]) == (10, 2, [])
    assert len(rows(world, BRONZE)) == 20
    gold = rows(world, CUSTOMERS)
    assert world.json("table", "retain", BRONZE, "10d")["rows"] == 10
    assert len(rows(world, BRONZE)) == 10
    assert len(rows(world, SILVER)) + len(rows(world, REJECTS)) == 20
    assert sorted(map(str, rows(world, CUSTOMERS))) == sorted(map(str, gold))
    assert world.json("table", "retain", QUARANTINE, "1d")["rows"] == 0, "it was quarantined today"
    expect_clean(world, 10)
    world.run("refine", "--rebuild")
    assert len(rows(world, SILVER)) + len(rows(world, REJECTS)) == 20
    shop.send({"timestamp": now - datetime.timedelta(days=30)})
    ingest(world)
    world.run("refine")
    assert len(rows(world, SILVER)) + len(rows(world, REJECTS)) == 21
    assert world.json("table", "retain", BRONZE, "10d")["rows"] == 1
    expect_clean(world, 11)
    assert "not from" in world.run("table", "retain", CUSTOMERS, "10d", expect=1).stderr
    assert "400d" in world.run("table", "retain", BRONZE, "10", expect=2).stderr


def closed_gold(world: Shopstream, first_open: datetime.date) -> dict[str, list[dict[str, Any]]]:
    """What Gold has of earlier dates, read by Polars."""
    found = {}
    for name in ("customer_daily", "product_daily", "quality_daily", "revenue_hourly"):
        table = polars.read_delta(str(world.lake / "gold-metrics" / name))
        found[name] = table.filter(polars.col("date") < first_open).sort(table.columns).to_dicts()
        assert found[name], name
    return found


def reasons_of(world: Shopstream) -> list[str]:
    return sorted(row["reasons"] for row in rows(world, REJECTS))


def send_days(shop: Shop, *days: int, **purchase: Any) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    shop.send(*({"timestamp": now - datetime.timedelta(days=day), **purchase} for day in days))


def test_silver_loses_old_dates_and_gold_keeps_them(world: Shopstream) -> None:
    shop = Shop(world)
    send_days(shop, *(day for day in (0, 1, 30, 40) for _ in range(5)))
    send_days(shop, 1, 30, 30, user_id=PERSON)
    send_days(shop, 40, amount=-1.0)
    ingest(world)
    world.run("refine")
    would = world.json("table", "retain", SILVER, "10d", "--dry-run")
    assert would["rows"] == 12
    # No row is of these days, so that a midnight in between changes nothing else.
    first_open = datetime.date.fromisoformat(would["first_kept"])
    gold = closed_gold(world, first_open)
    revenue = sum(row["revenue_usd"] for row in gold["revenue_hourly"])
    assert revenue == sum((row["amount_usd"] for row in rows(world, SILVER) if row["date"] < first_open), decimal.Decimal(0))
    refining = world.start("refine", "--watch")
    stays = world.json("table", "retain", REJECTS, "10d", expect=3)
    assert (stays["rows"], len(stays["in_silver"])) == (0, 1)
    removed = world.json("table", "retain", SILVER, "10d", timeout=120)
    assert (removed["rows"], len(removed["dates"])) == (12, 2)
    first_open = datetime.date.fromisoformat(removed["first_kept"])
    assert world.json("table", "retain", REJECTS, "10d", timeout=120)["rows"] == 1
    for name in (SILVER, REJECTS):
        assert DeltaTable(str(world.lake / name)).metadata().configuration["shopstream.horizon"] == str(first_open)
    assert len(rows(world, SILVER)) == 11 and not rows(world, REJECTS) and len(rows(world, BRONZE)) == 24
    # Later rows with an earlier date, one of them a copy, one that a rule would reject.
    copy = next(row for row in rows(world, BRONZE) if row["date"] < first_open)
    send_days(shop, 30, 40, 0)
    send_days(shop, 40, amount=-1.0)
    shop.send({"event_id": copy["event_id"], "timestamp": copy["timestamp"]})
    ingest(world)
    wait_until(lambda: len(rows(world, SILVER)) == 12, 60, "the open date is refined")
    assert refining.stop() == 0
    world.run("refine")
    assert reasons_of(world) == ["closed_date"] * 4
    world.run("refine", "--restate", f"{first_open - datetime.timedelta(days=60)}..{first_open}")
    world.run("refine", "--rebuild")
    assert len(rows(world, SILVER)) == 12 and reasons_of(world) == ["closed_date"] * 4
    assert closed_gold(world, first_open) == gold
    report = world.json("refine", "verify")
    assert report["difference_count"] == 0 and report["rows"] == 12 and not report["left_out"]
    assert report["horizons"][SILVER] == str(first_open)
    expect_clean(world, 0)


def test_a_receipt_names_gold_of_closed_dates(world: Shopstream) -> None:
    shop = Shop(world)
    send_days(shop, *(day for day in (0, 30) for _ in range(20)))
    send_days(shop, 0, 30, 30, user_id=PERSON)
    ingest(world)
    world.run("refine")
    send_days(shop, 30)
    ingest(world)
    for flags in ("--dry-run",), ():
        waits = world.json("table", "retain", SILVER, "10d", *flags, expect=3)
        assert (waits["rows"], waits["dates"], len(waits["not_refined"])) == (0, [], 1), "a pass would reject the row"
    world.run("refine")
    first_open = datetime.date.fromisoformat(world.json("table", "retain", SILVER, "10d")["first_kept"])
    gold = closed_gold(world, first_open)
    receipt = erase(world)
    assert (of_table(receipt, BRONZE)["rows"], of_table(receipt, SILVER)["rows"]) == (3, 1)
    for name in gold:
        table = of_table(receipt, f"gold-metrics/{name}")
        assert table["closed_before"] == str(first_open)
        assert table["closed_rows_erased"] == (1 if name == "customer_daily" else None)
    gold["customer_daily"] = [row for row in gold["customer_daily"] if row["user_id"] != PERSON]
    assert closed_gold(world, first_open) == gold
    assert not any(row["user_id"] == PERSON for name in (BRONZE, SILVER, CUSTOMERS) for row in rows(world, name))
    words = world.run("table", "erase", "--where", "amount > 1e9", "--yes").stdout
    assert f"Not covered: dates before {first_open} of {CUSTOMERS}" in words, words
    assert "Its rows of these dates are unchanged." in words, words
    report = world.json("refine", "verify")
    assert report["difference_count"] == 0
    expect_clean(world, 3)
