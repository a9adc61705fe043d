"""`shopstream refine` on real brokers: processes are killed, run side by side and halted while ingest, replays and
compaction go on, and afterwards Silver and the rejects hold every row of Bronze once, with the values that are
computed here anew."""

import datetime
import decimal
import io
import json
import math
import pathlib
import random
import signal
import struct
import time
from collections import Counter, defaultdict
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from deltalake import DeltaTable

from cluster import ROOT
from shopstream import Shopstream
from waiting import wait_until

SILVER, REJECTS, BRONZE = "silver-events", "silver-rejects", "bronze-events"
SCHEMA = json.loads((ROOT / "schemas/purchase_event.avsc").read_text())
RULES = """
stop_above: {percent: 50, rows: 1000}
rules:
  - {name: quantity_range, owner: shop, description: units of one purchase, action: reject,
     range: {column: quantity, least: 1, most: 1000}}
  - {name: positive_amount, owner: shop, description: nothing is free, action: reject,
     range: {column: amount, above: 0}}
"""
RATES = {"USD": decimal.Decimal("1"), "EUR": decimal.Decimal("1.085"), "JPY": decimal.Decimal("0.0066")}
LATE_AFTER = datetime.timedelta(hours=1)
CENT = decimal.Decimal("0.01")
GARBAGE = [{"amount": math.nan}, {"amount": math.inf}, {"amount": 1e300}, {"amount": -1e300}, {"amount": 1e-16},
           {"quantity": 2**31 - 1}, {"quantity": -2**31}, {"quantity": 0}, {"amount": 0.0}, {"amount": -0.01},
           {"currency": "XXX"}, {"currency": ""}, {"event_id": ""}, {"product_id": ""}, {"amount": 0.145},
           {"amount": 2.675}]


@pytest.fixture
def world(shopstream: Shopstream, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Shopstream:
    """With rules, rates and an index of its own."""
    files = {"rules.yaml": RULES, "categories.yaml": "[]\n",
             "rates.csv": "currency,valid_from,rate\n" + "".join(f"{name},2000-01-01,{rate}\n"
                                                                 for name, rate in RATES.items())}
    settings = {"STATE_FOLDER": str(tmp_path / "state"), "INTERVAL_MS": "200"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        settings[pathlib.Path(name).stem.upper()] = str(tmp_path / name)
    environment = shopstream.environment
    monkeypatch.setattr(shopstream, "environment", lambda **more: environment(
        **{**{f"SHOPSTREAM_REFINE_{name}": value for name, value in settings.items()}, **more}))
    shopstream.run("topics", "setup")
    return shopstream


class Shop:
    """Sends purchases with chosen values."""

    def __init__(self, world: Shopstream):
        self.world, self.chance = world, random.Random(7)
        self.producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "acks": "all", "linger.ms": 5,
                                  "log_level": 0})
        registry = SchemaRegistryClient({"url": world.cluster.registry_url})
        self.schema_id = registry.register_schema(f"{world.topic}-value", Schema(json.dumps(SCHEMA), "AVRO"))
        self.parsed = fastavro.parse_schema(SCHEMA)

    def send(self, *purchases: dict[str, Any]) -> None:
        for purchase in purchases:
            row = {"event_id": f"id-{self.chance.getrandbits(64):x}", "user_id": self.chance.randrange(500),
                   "region": self.chance.choice(["US", "EU", "ASIA"]), "product_id": f"P{self.chance.randrange(50)}",
                   "product_name": "Tea", "quantity": 1, "amount": self.chance.randrange(1, 100_000) / 100,
                   "currency": self.chance.choice(list(RATES)),
                   "timestamp": datetime.datetime.now(datetime.timezone.utc)} | purchase
            body = io.BytesIO()
            fastavro.schemaless_writer(body, self.parsed, row)
            self.producer.produce(self.world.topic, struct.pack(">bI", 0, self.schema_id) + body.getvalue(),
                                  str(row["user_id"]))
            self.producer.poll(0)
        assert self.producer.flush(30) == 0


def ingest(world: Shopstream) -> None:
    world.run("ingest", "--until-caught-up", timeout=150)


def rows(world: Shopstream, name: str) -> list[dict[str, Any]]:
    return DeltaTable(str(world.lake / name)).to_pyarrow_table().to_pylist()


def place(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["kafka_topic_id"], row["kafka_partition"], row["kafka_offset"]


def in_cents(amount: float) -> decimal.Decimal | None:
    if not -1e12 <= amount <= 1e12:  # NaN neither.
        return None
    scaled = amount * 100
    return decimal.Decimal(int(math.copysign(math.floor(abs(scaled) + 0.5), scaled))) * CENT


def judged(row: dict[str, Any], most: int) -> tuple[set[str], decimal.Decimal | None]:
    """What the rules, which allow so many units, and the SQL should make of a row of Bronze."""
    amount = in_cents(row["amount"])
    rate = RATES.get(row["currency"])
    usd = None if amount is None or rate is None else (amount * rate).quantize(CENT, decimal.ROUND_HALF_UP)
    reasons = set()
    if usd is None or abs(usd) > 10**8 or abs(row["quantity"]) > 10**9:
        reasons.add("not_computable")
    if not 1 <= row["quantity"] <= most:
        reasons.add("quantity_range")
    if amount is not None and amount <= 0:
        reasons.add("positive_amount")
    return reasons, usd


def expect_refined(world: Shopstream, most: int = 1000) -> Counter:
    """Every row of Bronze is in one of the two tables, once; the reasons, counted."""
    bronze = {place(row): row for row in rows(world, BRONZE)}
    silver_rows, rejected_rows = rows(world, SILVER), rows(world, REJECTS)
    silver = {place(row): row for row in silver_rows}
    rejects = {place(row): row for row in rejected_rows}
    assert len(silver) == len(silver_rows) and len(rejects) == len(rejected_rows), "a row is there twice"
    assert silver.keys() | rejects.keys() == bronze.keys()
    assert not silver.keys() & rejects.keys()
    copies: dict[tuple, list[bool]] = defaultdict(list)
    reasons: Counter = Counter()
    for at, row in bronze.items():
        wrong, usd = judged(row, most)
        if wrong:
            assert set(rejects[at]["reasons"].split(",")) == wrong, rejects[at]
            reasons.update(wrong)
            continue
        copies[row["event_id"], row["date"]].append(at in silver)
        if at not in silver:
            assert rejects[at]["reasons"] == "duplicate", rejects[at]
            reasons["duplicate"] += 1
            continue
        found = silver[at]
        assert found["amount_usd"] == usd, found
        assert found["event_hour"] == row["timestamp"].replace(minute=0, second=0, microsecond=0)
        assert found["late"] == (row["kafka_timestamp"] > row["timestamp"] + LATE_AFTER)
        assert {name: found[name] for name in row} == row
    assert all(sum(kept) == 1 for kept in copies.values())
    return reasons


def expect_gold_adds_up(world: Shopstream) -> None:
    by_date: dict[Any, Counter] = defaultdict(Counter)
    for row in rows(world, SILVER):
        by_date[row["date"]].update(bronze_rows=1, silver_rows=1)
    for row in rows(world, REJECTS):
        kind = "duplicate_rows" if row["reasons"] == "duplicate" else "rejected_rows"
        by_date[row["date"]].update({"bronze_rows": 1, kind: 1})
    quality = {row["date"]: row for row in rows(world, "gold-metrics/quality_daily")}
    assert quality.keys() == by_date.keys()
    for date, counts in by_date.items():
        for name in ("bronze_rows", "silver_rows", "rejected_rows", "duplicate_rows"):
            assert quality[date][name] == counts[name], (date, name)
    revenue = sum(row["revenue_usd"] for row in rows(world, "gold-metrics/revenue_hourly"))
    assert revenue == sum(row["amount_usd"] for row in rows(world, SILVER))
    report = world.json("refine", "verify")
    assert report["rows"] == len(rows(world, BRONZE)) and report["difference_count"] == 0 and not report["left_out"]


def test_values_that_no_sum_can_contain_are_rejected(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send(*GARBAGE, *({} for _ in range(200)))
    shop.send({"event_id": "twice"}, {"event_id": "twice"})
    ingest(world)
    summary = world.json("refine")
    reasons = expect_refined(world)
    assert reasons["not_computable"] == 8 and reasons["quantity_range"] == 3 and reasons["duplicate"] == 1
    assert summary["rows"] == len(GARBAGE) + 202 and summary["rejected_by_reason"] == dict(reasons)
    expect_gold_adds_up(world)
    assert world.json("refine")["passes"] == 0
    status = world.json("refine", "status")
    assert status["rows_left"] == 0 and status["complete"] and status["halt"] is None
    assert {table["pass"] for table in status["tables"] if table["table"] != BRONZE} == {1}


def test_refines_that_are_killed_lose_and_repeat_nothing(world: Shopstream) -> None:
    shop = Shop(world)
    world.run("generate", "--count", 100_000, "--seed", 5, "--duplicate-share", 0.02, "--late-share", 0.05,
              "--malformed-share", 0.01, timeout=120)
    shop.send(*GARBAGE)
    ingest(world)
    chance = random.Random(3)
    small = {"SHOPSTREAM_REFINE_PASS_ROWS": "10000"}
    for turn in range(8):
        running = world.start("refine", **small)
        time.sleep(chance.uniform(0.05, 1.2))
        running.kill()
        if turn == 3:
            world.run("table", "optimize", BRONZE)
            world.run("table", "vacuum", BRONZE)
            world.run("table", "optimize", SILVER)
    world.run("refine", timeout=120, **small)
    assert expect_refined(world)["duplicate"] > 500
    expect_gold_adds_up(world)


def test_other_rules_are_applied_to_the_past_beside_passes(world: Shopstream, tmp_path: pathlib.Path) -> None:
    shop = Shop(world)
    world.run("generate", "--count", 50_000, "--seed", 6, "--duplicate-share", 0.02, "--late-share", 0.05, timeout=120)
    ingest(world)
    world.run("refine")
    expect_refined(world)
    (tmp_path / "rules.yaml").write_text(RULES.replace("most: 1000", "most: 2").replace("percent: 50", "percent: 95"))
    chance = random.Random(4)
    small = {"SHOPSTREAM_REFINE_PASS_ROWS": "10000"}
    watching = world.start("refine", "--watch", **small)
    for _ in range(6):
        running = world.start("refine", "--rebuild", **small)
        shop.send(*GARBAGE, *({"event_id": f"id-{n}"} for n in range(100)))
        ingest(world)
        time.sleep(chance.uniform(0.05, 1.2))
        running.kill()
    watching.kill()
    world.run("refine", timeout=120)
    dates = sorted({row["date"] for row in rows(world, BRONZE)})
    summary = world.json("refine", "--restate", f"{dates[0]}..{dates[-1]}", timeout=120)
    reasons = expect_refined(world, most=2)
    assert summary["rows"] == len(rows(world, BRONZE)) and summary["rejected_by_reason"] == dict(reasons)
    assert reasons["quantity_range"] > 4_000
    expect_gold_adds_up(world)
    assert world.json("refine", "status")["complete"]
    assert "Nothing was restated" in world.run("refine", "--restate", "1999-01-01").stdout
    assert "not two dates" in world.run("refine", "--restate", "yesterday", expect=2).stderr


def test_two_refines_beside_ingest_share_the_work(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send({})
    ingest(world)
    ingesting = world.start("ingest", SHOPSTREAM_INGEST_BATCH_SIZE="1", SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS="100")
    first, second = world.start("refine", "--watch"), world.start("refine", "--watch")
    for _ in range(20):
        shop.send(*({"event_id": f"id-{shop.chance.randrange(400)}"} for _ in range(50)))
    wait_until(lambda: first.says("Standing by") or second.says("Standing by"), 30, "one of them stands by")
    leader, other = (second, first) if first.says("Standing by") else (first, second)
    leader.kill()
    shop.send(*({} for _ in range(100)))
    wait_until(lambda: world.json("refine", "status")["rows_left"] == 0 and len(rows(world, BRONZE)) == 1101, 60,
               "the other one takes over")
    assert other.running()
    assert ingesting.stop() == 0
    assert other.stop() == 0
    world.run("refine")
    expect_refined(world)
    expect_gold_adds_up(world)


def test_a_replay_from_quarantine_is_refined(world: Shopstream) -> None:
    shop = Shop(world)
    ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)
    shop.send({}, {"event_id": "ahead", "timestamp": ahead}, {"event_id": "ahead", "timestamp": ahead}, {})
    ingest(world)
    world.run("refine")
    assert len(rows(world, SILVER)) == 2
    replay = world.json("quarantine", "replay", SHOPSTREAM_INGEST_EVENT_TIME_AHEAD_HOURS="100")
    assert {row["outcome"]: row["records"] for row in replay if row["records"]} == {"replayed": 2}
    shop.send({})
    ingest(world)
    world.run("refine")
    assert expect_refined(world) == {"duplicate": 1}
    assert len(rows(world, SILVER)) == 4
    expect_gold_adds_up(world)


def test_a_rule_that_rejects_too_many_halts_until_it_is_accepted(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send(*({} for _ in range(1500)))
    ingest(world)
    world.run("refine")
    shop.send(*({"quantity": 0} for _ in range(1200)))
    ingest(world)
    halted = world.run("refine", expect=3)
    assert ("rule quantity_range rejects 1,200 of 1,200 rows (100.0 %): nothing of pass 2 was committed"
            in halted.stderr), halted.stderr
    assert world.run("refine", "status", expect=3).stdout.count("quantity_range") == 2
    health, = (row for row in world.json("health", expect=1) if row["component"] == "refine")
    assert health["state"] == "down" and "rule quantity_range rejects 1,200 of 1,200 rows" in health["detail"], health
    assert "`shopstream refine accept quantity_range`" in health["remedy"], health
    assert len(rows(world, REJECTS)) == 0
    assert "rule other does not halt refining" in world.run("refine", "accept", "other", expect=1).stderr
    watching = world.start("refine", "--watch")
    wait_until(lambda: watching.says("Refining is halted: rule quantity_range"), 30, "it says so")
    world.run("refine", "accept", "quantity_range")
    wait_until(lambda: len(rows(world, REJECTS)) == 1200, 30, "it goes on")
    assert watching.stop() == 0
    assert expect_refined(world) == {"quantity_range": 1200}


def test_messages_name_the_thing_and_the_remedy(world: Shopstream, tmp_path: pathlib.Path) -> None:
    assert "`shopstream ingest` creates it" in world.run("refine", expect=1).stderr
    shop = Shop(world)
    shop.send({})
    ingest(world)
    (tmp_path / "rates.csv").write_text("currency,valid_from,rate\nUSD,2000-01-01,abc\n")
    error = world.run("refine", expect=1).stderr
    assert "rates.csv" in error and "2" in error and "abc" in error
    assert not (world.lake / "gold-metrics").exists()


def test_is_an_hour_final(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send({})
    ingest(world)
    world.run("refine")
    assert world.json("refine", "status", "--final-at", "2099-01-01", expect=3)["final"] is False


def test_a_stopped_leader_is_replaced(world: Shopstream) -> None:
    shop = Shop(world)
    shop.send({})
    ingest(world)
    leader = world.start("refine", "--watch")
    wait_until(lambda: (world.lake / SILVER / "_delta_log").exists() and len(rows(world, SILVER)) == 1, 30, "it works")
    leader.signal(signal.SIGSTOP)
    shop.send({})
    ingest(world)
    other = world.start("refine", "--watch")
    wait_until(lambda: len(rows(world, SILVER)) == 2, 30, "the other one works")
    leader.signal(signal.SIGCONT)
    shop.send({})
    ingest(world)
    wait_until(lambda: len(rows(world, SILVER)) == 3, 30, "one of them works")
    assert leader.stop() == 0 and other.stop() == 0
    expect_refined(world)
