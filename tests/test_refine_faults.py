"""`shopstream refine` on a lake that needs no broker: broken files, missing files, a full disk and busy readers. Each
fault has an error that names it, leaves no table half-written, and is forgotten once it is repaired."""

import concurrent.futures
import datetime
import decimal
import json
import os
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from cluster import BINARY, ROOT
from settings import set_flags
from shopstream import Running
from small_disk import small_disk
from waiting import wait_until

TOPIC_ID = "shop-topic-id"
DAY = datetime.datetime(2025, 10, 24, tzinfo=datetime.UTC)
MICROSECOND = pa.timestamp("us", "UTC")
SCHEMA = pa.schema([
    ("event_id", pa.string()), ("user_id", pa.int64()), ("product_id", pa.string()), ("product_name", pa.string()),
    ("quantity", pa.int64()), ("amount", pa.float64()), ("currency", pa.string()), ("timestamp", MICROSECOND),
    ("kafka_topic", pa.string()), ("kafka_topic_id", pa.string()), ("kafka_partition", pa.int32()),
    ("kafka_offset", pa.int64()), ("kafka_timestamp", MICROSECOND), ("schema_id", pa.int32()),
    ("ingested_at", MICROSECOND), ("region", pa.string()), ("date", pa.date32())])
BRONZE, SILVER, REJECTS = "bronze-events", "silver-events", "silver-rejects"
RULES = """rules:
  - name: positive_amount
    owner: shop
    description: nothing is free
    action: reject
    range: {column: amount, above: 0}
"""
RATES = "currency,valid_from,rate\nUSD,2000-01-01,1\n"


class Shop:
    """A Bronze, written as ingest would, and a configuration for refine."""

    def __init__(self, lake: pathlib.Path, folder: pathlib.Path):
        self.lake, self.folder, self.offset = lake, folder, 0
        self.started: list[Running] = []
        for name, text in {"rules.yaml": RULES, "rates.csv": RATES, "categories.yaml": "[]\n"}.items():
            (folder / name).write_text(text)
        shutil.copytree(ROOT / "src/refine/sql", folder / "sql")
        self.settings = {"lake.uri": str(lake), "refine.state_folder": str(folder / "state"),
                         "refine.rules": str(folder / "rules.yaml"), "refine.rates": str(folder / "rates.csv"),
                         "refine.categories": str(folder / "categories.yaml"), "refine.sql_folder": str(folder / "sql"),
                         "refine.interval_ms": "100", "metrics.listen": "",
                         "kafka.bootstrap_servers": "127.0.0.1:1", "registry.url": "http://127.0.0.1:1"}

    def sell(self, count: int) -> None:
        """Appends purchases, of which each tenth is rejected."""
        purchases = [{
            "event_id": f"id-{n}", "user_id": n % 97, "product_id": f"P{n % 7}", "product_name": "Tea", "quantity": 1,
            "amount": 0.0 if n % 10 == 0 else n % 1000 / 100, "currency": "USD",
            "timestamp": DAY + datetime.timedelta(seconds=n % 80_000), "kafka_topic": "purchases",
            "kafka_topic_id": TOPIC_ID, "kafka_partition": 0, "kafka_offset": n,
            "kafka_timestamp": DAY + datetime.timedelta(seconds=n % 80_000 + 1), "schema_id": 1,
            "ingested_at": DAY + datetime.timedelta(days=1), "region": ("US", "EU")[n % 2], "date": DAY.date()}
            for n in range(self.offset, self.offset + count)]
        self.offset += count
        progress = Transaction(f"shopstream/{TOPIC_ID}/0", self.offset)
        write_deltalake(self.lake / BRONZE, pa.Table.from_pylist(purchases, SCHEMA), mode="append",
                        partition_by=["region", "date"],
                        commit_properties=CommitProperties(app_transactions=[progress]))

    def command(self, *arguments: object) -> list[str]:
        return [str(BINARY), *set_flags(self.settings), *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}

    def run(self, *arguments: object, expect: int = 0) -> str:
        """What it printed, and its log."""
        done = subprocess.run(self.command(*arguments), env=self.environment(), cwd=ROOT, capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *arguments: object) -> Running:
        folder = self.folder / f"process-{len(self.started)}"
        folder.mkdir()
        self.started.append(Running(self.command(*arguments), self.environment(), folder))
        return self.started[-1]

    def gold(self) -> list[str]:
        return sorted(f"gold-metrics/{path.name}" for path in (self.lake / "gold-metrics").iterdir())

    def versions(self) -> dict[str, int]:
        return {table: DeltaTable(self.lake / table).version() for table in (SILVER, REJECTS, *self.gold())}

    def live_files(self, table: str) -> list[pathlib.Path]:
        return [self.lake / table / path for path in
                DeltaTable(self.lake / table).get_add_actions(flatten=True).column("path").to_pylist()]

    def wait_refined(self, what: str) -> None:
        def is_refined() -> bool:
            status = json.loads(self.run("--json", "refine", "status"))
            return status["complete"] and status["rows_left"] == 0

        wait_until(is_refined, 30, what)

    def expect_all_refined(self) -> None:
        silver = DeltaTable(self.lake / SILVER).to_pyarrow_table().to_pylist()
        rejects = DeltaTable(self.lake / REJECTS).to_pyarrow_table().to_pylist()
        assert sorted(row["kafka_offset"] for row in silver + rejects) == list(range(self.offset))
        assert all((row["kafka_offset"] % 10 == 0) == (row["amount"] == 0.0) for row in silver + rejects)
        hours = DeltaTable(self.lake / "gold-metrics/revenue_hourly").to_pyarrow_table().to_pylist()
        assert sum(row["orders"] for row in hours) == len(silver)
        assert sum(row["revenue_usd"] for row in hours) == sum((row["amount_usd"] for row in silver), decimal.Decimal(0))


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "lake", tmp_path)
    shop.sell(100)
    shop.run("refine")
    yield shop
    for running in shop.started:
        running.kill()


RULE_ON_A_MISSING_COLUMN = RULES + """  - name: known_colour
    owner: shop
    description: each product has one
    action: reject
    allowed: {column: colour, values: [red]}
"""
GOLD_ON_A_MISSING_COLUMN = """-- key: date
-- colours: add
-- aggregate
SELECT date,
  sum(colour) AS colours
FROM silver_events GROUP BY date
"""


@pytest.mark.parametrize(("name", "text", "words"), [
    ("rules.yaml", RULE_ON_A_MISSING_COLUMN, r"rules\.yaml.*7.*known_colour.*colour"),
    ("rules.yaml", RULES + "    rnge: {}\n", r"rules\.yaml.*7.*rnge"),
    ("rates.csv", RATES + "EUR,2025-01-01,abc\n", r"rates\.csv.*3.*abc"),
    ("rates.csv", None, r"rates\.csv.*refine\.rates|rates\.csv.*directory"),
    ("sql/silver.sql", "SELECT *,\n  colour\nFROM bronze_events\n", r"silver\.sql:2: .*colour"),
    ("sql/gold/colours.sql", GOLD_ON_A_MISSING_COLUMN, r"colours\.sql:5: .*colour"),
    ("sql/gold/colours.sql", "-- key: date\n-- n: ad\n", r"colours\.sql:2: "),
])
def test_a_file_that_cannot_be_used_is_named_and_no_table_changes(shop: Shop, name: str, text: str | None,
                                                                  words: str) -> None:
    path = shop.folder / name
    before = path.read_text() if path.exists() else None
    watching = shop.start("refine", "--watch")
    shop.sell(10)
    shop.wait_refined("it runs")
    versions = shop.versions()
    path.unlink(missing_ok=True)
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    found = shop.run("refine", expect=1)
    assert re.search(words, found, re.DOTALL), found
    assert shop.versions() == versions
    report = json.loads(shop.run("--json", "health", "--timeout-ms", 500, expect=1))  # There is no broker.
    health, = (component for component in report if component["component"] == "refine")
    assert health["state"] == "degraded" and re.search(words, health["detail"], re.DOTALL), health
    wait_until(lambda: watching.says("stays in force"), 30, "the running refine keeps what it read before")
    shop.sell(50)
    shop.wait_refined("it goes on")
    if text is None:
        path.rmdir()
    path.unlink(missing_ok=True)
    if before is not None:
        path.write_text(before)
    shop.sell(50)
    shop.wait_refined("it still goes on")
    assert watching.stop() == 0, watching.words()
    shop.run("refine")
    shop.expect_all_refined()


@pytest.mark.parametrize("table", [BRONZE, "gold-metrics/revenue_hourly"])
def test_a_live_file_that_is_missing_is_named(shop: Shop, table: str) -> None:
    versions = shop.versions()
    shop.sell(50)
    newest = max(shop.live_files(table), key=lambda path: path.stat().st_mtime_ns)
    newest.rename(shop.folder / "aside")
    found = shop.run("refine", expect=1)
    assert newest.name in found, found
    if table == BRONZE:
        assert shop.versions() == versions
    (shop.folder / "aside").rename(newest)
    shop.run("refine")
    shop.expect_all_refined()


def test_a_full_disk_stops_refine_between_two_steps(tmp_path: pathlib.Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shop = Shop(disk.folder / "lake", tmp_path)
        shop.sell(100)
        shop.run("refine")
        shop.sell(5000)
        versions = shop.versions()
        disk.fill()
        running = shop.start("refine")
        wait_until(lambda: running.says("free some space on that disk"), 30, "it says why it waits")
        assert running.running(), running.words()
        assert shop.versions() == versions
        disk.free()
        assert running.wait(60) == 0, running.words()
        shop.expect_all_refined()


def test_readers_beside_refine_always_see_tables_that_add_up(shop: Shop) -> None:
    sql = ("SELECT (SELECT sum(orders) FROM gold_revenue_hourly), (SELECT count(*) FROM silver_events), "
           "(SELECT sum(bronze_rows) FROM gold_quality_daily), "
           "(SELECT count(*) FROM silver_events) + (SELECT count(*) FROM silver_rejects)")
    watching = shop.start("refine", "--watch")

    def read(_: int) -> str:
        done = subprocess.run(shop.command("query", "--format", "csv", sql), env=shop.environment(), capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[1]

    with concurrent.futures.ThreadPoolExecutor(2) as readers:
        seen = set()
        for answer in concurrent.futures.as_completed([readers.submit(read, n) for n in range(200)]):
            seen.add(answer.result())
            shop.sell(20)
    for line in seen:
        orders, silver, counted, refined = map(int, line.split(","))
        assert orders == silver and counted == refined, line
    assert len(seen) > 10, "refine made passes meanwhile"
    assert watching.stop() == 0, watching.words()
    shop.run("refine")
    shop.expect_all_refined()
