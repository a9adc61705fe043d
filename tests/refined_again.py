"""Silver, rejects and Gold, recomputed from Bronze by Polars, with Python's decimals for money: what docs/refine.md and
the rules' file promise, without any of our SQL."""

import csv
import datetime
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import polars as pl

Row = dict[str, Any]

COORDINATES = ["kafka_topic_id", "kafka_partition", "kafka_offset"]
COMPUTED = ["event_hour", "amount_usd", "product_category", "late"]
CENT = Decimal("0.01")
MOST_USD = Decimal(100_000_000)
MOST_UNITS = 1_000_000_000


def rounded(value: Decimal, unit: Decimal) -> Decimal:
    """Halves away from zero."""
    with localcontext() as context:
        context.prec = 60
        return value.quantize(unit, rounding=ROUND_HALF_UP)


def product(one: Decimal, other: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return one * other


def exact_amount(amount: float | None) -> Decimal | None:
    if amount is None or math.isnan(amount) or not -1e12 <= amount <= 1e12:
        return None
    return rounded(Decimal(amount * 100), Decimal(1)) * CENT


def round_half_away(value: float) -> float:
    return math.copysign(math.floor(abs(value) + 0.5), value) if abs(value) < 2.0**52 else value


@dataclass(frozen=True)
class Rule:
    name: str
    action: str
    column: str
    kind: str
    parameters: Any


# The conditions that rules of our histories and tests give as SQL.
SQL_CONDITIONS: dict[str, Callable[[Row], bool | None]] = {
    "amount_usd < 100": lambda row: None if row["amount_usd"] is None else row["amount_usd"] < 100,
    "amount_usd < 200": lambda row: None if row["amount_usd"] is None else row["amount_usd"] < 200,
}


class RuleBook:
    """The rules, rates and categories in force. The rules are YAML that is JSON as well."""

    def __init__(self, rules: str, rates: str, categories: str, late_after_seconds: int = 3600) -> None:
        self._rules = [self._rule(item) for item in json.loads(rules)["rules"]]
        self._rates: dict[str, list[tuple[datetime.date, Decimal]]] = {}
        for line in csv.DictReader(io.StringIO(rates)):
            valid_from = datetime.date.fromisoformat(line["valid_from"])
            self._rates.setdefault(line["currency"], []).append((valid_from, Decimal(line["rate"])))
        for known in self._rates.values():
            known.sort(reverse=True)
        self._categories = {line["product_id"]: line["category"] for line in csv.DictReader(io.StringIO(categories))}
        self._late_after = datetime.timedelta(seconds=late_after_seconds)

    @staticmethod
    def _rule(item: Row) -> Rule:
        kind = next(key for key in item if key not in ("name", "owner", "description", "action"))
        parameters = item[kind]
        column = "" if kind == "sql" else parameters["column"]
        return Rule(item["name"], item["action"], column, kind, parameters)

    def rate(self, currency: str | None, date: datetime.date) -> Decimal | None:
        return next((rate for valid_from, rate in self._rates.get(currency or "", []) if valid_from <= date), None)

    def computed(self, row: Row) -> Row:
        """What Silver adds to the row."""
        exact = exact_amount(row["amount"])
        rate = self.rate(row["currency"], row["date"])
        usd = None if exact is None or rate is None else rounded(product(exact, rate), CENT)
        if usd is not None and abs(usd) >= Decimal(10) ** 16:
            usd = None
        sent = row["kafka_timestamp"]
        return {"event_hour": row["timestamp"].replace(minute=0, second=0, microsecond=0),
                "amount_usd": usd,
                "product_category": self._categories.get(row["product_id"]),
                "late": sent is not None and sent > row["timestamp"] + self._late_after}

    def reasons(self, row: Row, computed: Row) -> str:
        """Why the row is rejected, duplicates apart; empty: it is not."""
        names = [] if self._computable(row, computed) else ["not_computable"]
        ruled = {**row, **computed, "raw_amount": row["amount"], "amount": exact_amount(row["amount"])}
        names += [rule.name for rule in self._rules if rule.action != "warn" and not self._fine(rule, ruled)]
        return ",".join(names)

    @staticmethod
    def _computable(row: Row, computed: Row) -> bool:
        usd, quantity = computed["amount_usd"], row["quantity"]
        return (row["event_id"] is not None and usd is not None and abs(usd) <= MOST_USD
                and (quantity is None or abs(quantity) <= MOST_UNITS))

    def _fine(self, rule: Rule, row: Row) -> bool:
        if rule.kind == "sql":
            return SQL_CONDITIONS[rule.parameters](row) is not False
        value = row[rule.column]
        if rule.kind == "not_null":
            return value is not None
        if rule.kind == "two_decimals":
            value = row["raw_amount"] if rule.column == "amount" else value
            return value is None or not math.isfinite(value) or value == round_half_away(value * 100) / 100
        if value is None:
            return True
        if rule.kind == "range":
            bounds = {"least": lambda bound: value >= bound, "above": lambda bound: value > bound,
                      "most": lambda bound: value <= bound, "below": lambda bound: value < bound}
            return all(holds(Decimal(str(rule.parameters[name])))
                       for name, holds in bounds.items() if name in rule.parameters)
        if rule.kind == "allowed":
            return value in rule.parameters["values"]
        if rule.kind == "pattern":
            return re.search(rule.parameters["matches"], value) is not None
        if rule.kind == "reference":
            assert rule.parameters["table"] == "product_categories"
            return value in self._categories
        raise AssertionError(f"no such kind of rule: {rule.kind}")


def copy_order(row: Row) -> tuple[Any, ...]:
    """Which of the copies of a purchase in one pass stays: the first one."""
    sent = row["kafka_timestamp"]
    return (sent is not None, sent.timestamp() if sent else 0, *(row[name] for name in COORDINATES))


def reasons_of_pass(rows: Sequence[Row], book: RuleBook, earlier: set[Any]) -> list[str]:
    """Why each row of a pass is rejected; empty: it is not. `earlier` has the (event_id, date) of the passes before. Of
    several copies in the pass the one that is `chosen` stays, or else the first one in Kafka."""
    reasons = [book.reasons(row, book.computed(row)) for row in rows]
    accepted = [number for number, reason in enumerate(reasons) if not reason]
    seen = set(earlier)
    for number in sorted(accepted, key=lambda number: (not rows[number]["chosen"], copy_order(rows[number]))):
        purchase = purchase_of(rows[number])
        if purchase in seen:
            reasons[number] = "duplicate"
        seen.add(purchase)
    return reasons


def purchase_of(row: Row) -> tuple[Any, ...]:
    return row["event_id"], row["date"]


def cents(values: pl.Series) -> pl.Series:
    return pl.Series("cents", [None if value is None else int(value * 100) for value in values], pl.Int64)


def dollars(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value) * CENT


def total(column: str) -> pl.Expr:
    """As SQL adds up: of nothing but nulls, null."""
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum())


def revenue_hourly(silver: pl.DataFrame) -> list[Row]:
    rows = silver.group_by("seed", "date", "region", "event_hour").agg(
        pl.len().alias("orders"), total("quantity").alias("units"), total("cents").alias("revenue_usd"),
        pl.col("user_id").drop_nulls().n_unique().alias("customers")).to_dicts()
    for row in rows:
        revenue = dollars(row["revenue_usd"])
        row["revenue_usd"] = revenue
        row["average_order_value"] = None if revenue is None else rounded(revenue / row["orders"], CENT)
    return rows


def product_daily(silver: pl.DataFrame) -> list[Row]:
    rows = silver.group_by("seed", "date", "product_id").agg(
        pl.col("product_name").min(), pl.col("product_category").min().alias("category"), pl.len().alias("orders"),
        total("quantity").alias("units"), total("cents").alias("revenue_usd")).to_dicts()
    rows.sort(key=lambda row: (row["seed"], row["date"], row["revenue_usd"] is None, -(row["revenue_usd"] or 0),
                               row["product_id"] is not None, row["product_id"] or ""))
    rank, of = 0, None
    for row in rows:
        rank = rank + 1 if (row["seed"], row["date"]) == of else 1
        of = row["seed"], row["date"]
        row |= {"rank": rank, "revenue_usd": dollars(row["revenue_usd"])}
    return rows


def customer_daily(silver: pl.DataFrame) -> list[Row]:
    rows = silver.group_by("seed", "date", "user_id").agg(
        pl.len().alias("orders"), total("cents").alias("spend_usd"),
        pl.col("timestamp").min().alias("first_purchase_at"), pl.col("timestamp").max().alias("last_purchase_at"))
    return [row | {"spend_usd": dollars(row["spend_usd"])} for row in rows.to_dicts()]


def quality_daily(silver: pl.DataFrame, rejects: pl.DataFrame) -> list[Row]:
    second = [(pl.col(name).dt.epoch("us") // 1_000_000) for name in ("kafka_timestamp", "timestamp")]
    kept = silver.group_by("seed", "date").agg(
        pl.len().alias("silver_rows"), pl.col("late").sum().alias("late_rows"),
        (second[0] - second[1]).max().alias("max_delay_seconds"))
    lost = rejects.group_by("seed", "date").agg(
        (pl.col("reasons") != "duplicate").sum().alias("rejected_rows"),
        (pl.col("reasons") == "duplicate").sum().alias("duplicate_rows"))
    rows = kept.join(lost, on=["seed", "date"], how="full", coalesce=True).with_columns(
        pl.col("silver_rows", "late_rows", "rejected_rows", "duplicate_rows").fill_null(0))
    return [row | {"bronze_rows": row["silver_rows"] + row["rejected_rows"] + row["duplicate_rows"]}
            for row in rows.to_dicts()]


def gold(silver: pl.DataFrame, rejects: pl.DataFrame) -> dict[str, list[Row]]:
    """The rows of each Gold table. The frames have the rows of many lakes, distinguished by the column `seed`."""
    silver = silver.with_columns(cents(silver["amount_usd"]))
    return {"revenue_hourly": revenue_hourly(silver), "product_daily": product_daily(silver),
            "customer_daily": customer_daily(silver), "quality_daily": quality_daily(silver, rejects)}
