"""Lab 10: runs the student's SQL in a DuckDB of its own, and computes each day again from the records in Kafka."""

import collections
import dataclasses
import datetime
import decimal
import io
import json
from collections.abc import Callable
from typing import Any

import duckdb
import fastavro
from confluent_kafka import Message

from places import ROOT
from runner.bench import Bench
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
PHONE = 40
LATE = datetime.timedelta(hours=1)  # As refine.late_after_seconds.
Revenue = dict[datetime.date, decimal.Decimal]


@dataclasses.dataclass(frozen=True)
class Purchase:
    id: str
    made: datetime.datetime
    received: datetime.datetime
    dollars: decimal.Decimal
    from_phone: bool

    def __str__(self) -> str:
        return f"purchase {self.id[:8]} was made at {self.made:%Y-%m-%d %H:%M} and received at {self.received:%Y-%m-%d %H:%M}"


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", SCHEMA)
    bench.run(bench.folder / "python", "week.py")


def check(bench: Bench) -> Finding:
    first: dict[str, Purchase] = {}
    for purchase in map(read, bench.records()):
        first.setdefault(purchase.id, purchase)  # offline_phone.py may have run twice: Silver keeps the first.
    purchases = list(first.values())
    phone = [purchase for purchase in purchases if purchase.from_phone]
    silver = bench.rows("silver-events", "event_id")
    saw = f"{len(purchases)} purchases in Kafka, {len(silver)} in silver-events"
    if not phone:
        return failed(saw, f"also the {PHONE} of the phone: ./python offline_phone.py")
    if missing := first.keys() - {row["event_id"] for row in silver}:
        oldest = min((p for p in purchases if p.id in missing), key=lambda p: p.made)
        return failed(saw, "all of them: ./shopstream ingest --until-caught-up, then ./shopstream refine", f"{oldest}; it is missing")
    truth = by_day(purchases)
    told = gold_result(bench, truth, phone)
    try:
        dashboard = asked(bench)
    except (OSError, duckdb.Error, ValueError) as error:
        return failed(saw, "dashboard.sql runs on silver_events, and has the columns day and revenue_usd", str(error).strip()[:400], **told)
    expected = "dashboard.sql counts each purchase on the day on which it was made, in UTC"
    for day in sorted(truth | dashboard):
        have, want = dashboard.get(day, decimal.Decimal(0)), truth.get(day, decimal.Decimal(0))
        if have != want:
            return failed(f"{saw}; your dashboard has {have} dollars for {day}, and the purchases of that day sum up to {want}",
                          expected, example(purchases, dashboard, truth), **told)
    return passed(f"{saw}; your dashboard and Gold have the same {len(truth)} days, to the cent", **told)


def example(purchases: list[Purchase], dashboard: Revenue, truth: Revenue) -> str:
    """A purchase on the wrong day, or on none, by whichever usual mistake explains the dashboard to the cent."""
    def explains(day_of: Callable[[Purchase], datetime.date | None]) -> bool:
        return by_day(purchases, day_of) == dashboard

    if explains(lambda p: p.received.date()):
        found = max((p for p in purchases if p.received.date() != p.made.date()), key=lambda p: p.received - p.made)
        return f"{found}; it is counted on the day of its arrival"
    if explains(lambda p: None if p.received - p.made > LATE else p.made.date()):
        return f"{max(purchases, key=lambda p: p.received - p.made)}; it is not counted on any day"
    for hours in range(-14, 15):
        shift = datetime.timedelta(hours=hours)
        if explains(lambda p: (p.made + shift).date()):
            found = next(p for p in purchases if (p.made + shift).date() != p.made.date())
            return f"{found}; it is counted on another day, as if it were {abs(hours)} h {'later' if hours > 0 else 'earlier'}"
    lost = sum(truth.values()) - sum(dashboard.values())
    return f"{lost} dollars are not counted on any day" if lost > 0 else ""


def by_day(purchases: list[Purchase], day_of: Callable[[Purchase], datetime.date | None] = lambda p: p.made.date()) -> Revenue:
    days: Revenue = collections.defaultdict(decimal.Decimal)
    for purchase in purchases:
        if (day := day_of(purchase)) is not None:
            days[day] += purchase.dollars
    return dict(days)


def asked(bench: Bench) -> Revenue:
    """What the student's SQL answers."""
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        for table in ("silver-events", "bronze-events"):
            engine.register(table.replace("-", "_"), bench.table(table))
        engine.execute("CREATE TEMP TABLE answer AS " + (bench.folder / "dashboard.sql").read_text())
        names = [column[0] for column in engine.execute("DESCRIBE answer").fetchall()]
        if names != ["day", "revenue_usd"]:
            raise ValueError(f"it has the columns {', '.join(names)}")
        # Whatever types the student's SQL gives them.
        return dict(engine.execute("SELECT CAST(day AS DATE), CAST(revenue_usd AS DECIMAL(18, 2)) FROM answer "
                                   "WHERE day IS NOT NULL AND revenue_usd IS NOT NULL").fetchall())


def gold_result(bench: Bench, truth: Revenue, phone: list[Purchase]) -> dict[str, str]:
    day = phone[0].made.date()
    rows = bench.rows("gold-metrics/revenue_hourly", "date", "revenue_usd")
    gold = sum((row["revenue_usd"] for row in rows if row["date"] == day), decimal.Decimal(0))
    without = truth[day] - sum(purchase.dollars for purchase in phone)
    if gold != truth[day]:  # Then refine has not run since.
        return {}
    return {"answer": "b", "evidence": f"Without the phone, {day} had {without} dollars; Gold now has {gold} for it."}


def read(record: Message) -> Purchase:
    event: dict[str, Any] = fastavro.schemaless_reader(io.BytesIO(record.value()[5:]), PARSED)
    received = datetime.datetime.fromtimestamp(record.timestamp()[1] / 1000, datetime.timezone.utc)
    return Purchase(event["event_id"], event["timestamp"], received, decimal.Decimal(str(event["amount"])),
                    dict(record.headers() or []).get("sender") == b"phone")


PARSED = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
