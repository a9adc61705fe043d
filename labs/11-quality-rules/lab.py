"""Lab 11: which rows are among the rejects, and whether the fixture would notice that the rule is gone."""

import datetime
import io
import json
import random
import re
import shutil
import uuid
from typing import Any

import fastavro
from confluent_kafka import Producer

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
ORDINARY, CARDS, BROKEN = 2500, 150, 37
ONE = {"USD": 1, "EUR": 0.92, "JPY": 151}  # About a dollar.
FIXTURE = "gift_cards.yaml"


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", SCHEMA)
    frame = b"\0" + bench.registry(f"subjects/{bench.topic}-value/versions/latest")["id"].to_bytes(4, "big")
    schema = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "enable.idempotence": True,
                         "partitioner": "murmur2_random"})
    for event in purchases(bench.seed):
        value = io.BytesIO()
        fastavro.schemaless_writer(value, schema, event)
        producer.produce(bench.topic, key=str(event["user_id"]), value=frame + value.getvalue())
    if producer.flush(60):
        raise LabError("the brokers do not acknowledge records: ./run status")


def purchases(seed: int) -> list[dict[str, Any]]:
    """In random order. The broken gift cards are those that broken_cards() names."""
    chance = random.Random(seed)
    made = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    events = []
    for number in range(ORDINARY + CARDS + BROKEN):
        currency = chance.choice(list(ONE))
        card = number >= ORDINARY
        dollars = chance.randrange(20, 150) if card else chance.randrange(2, 2000)
        amount = round(dollars * ONE[currency] * (100 if number >= ORDINARY + CARDS else 1), 0 if currency == "JPY" else 2)
        events.append({"event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "user_id": chance.randrange(1, 500),
                       "region": {"USD": "US", "EUR": "EU", "JPY": "ASIA"}[currency], "quantity": 1, "amount": amount,
                       "product_id": "GIFT-CARD" if card else "ELE-0001", "product_name": "Gift card" if card else "Radio",
                       "currency": currency, "timestamp": made})
    chance.shuffle(events)
    return events


def broken_card(event: dict[str, Any]) -> bool:
    return event["product_id"] == "GIFT-CARD" and event["amount"] / ONE[event["currency"]] > 1000


def check(bench: Bench) -> Finding:
    bronze = bench.rows("bronze-events", "event_id", "product_id", "amount", "currency", "kafka_partition", "kafka_offset")
    silver, rejects = (bench.rows(name, "event_id") for name in ("silver-events", "silver-rejects"))
    saw = f"{len(bronze)} rows in bronze-events, {len(silver)} in silver-events, {len(rejects)} in silver-rejects"
    if len(bronze) != sum(bench.ends().values()):
        return failed(saw, "every purchase in bronze-events: ./shopstream ingest --until-caught-up")
    told = halted_by_too_strict(bench)
    if len(silver) + len(rejects) != len(bronze):
        status = bench.shopstream("refine", "status", expect=None)
        reason = f"refine is halted: {last_line(status)}" if status.returncode == 3 else ""
        return failed(saw, "bronze-events = silver-events + silver-rejects: ./shopstream refine", reason, **told)
    out = {row["event_id"] for row in rejects}
    expected = f"the {BROKEN} broken gift cards among the rejects, and no other row"
    for row in sorted(bronze, key=lambda row: (row["kafka_partition"], row["kafka_offset"])):
        wrong = ("is broken, and is in silver-events" if broken_card(row) and row["event_id"] not in out else
                 "is rejected, and is a good one" if not broken_card(row) and row["event_id"] in out else "")
        if wrong:
            what = "the gift card" if row["product_id"] == "GIFT-CARD" else "the purchase"
            return failed(saw, expected, f"{what} of {row['amount']:.2f} {row['currency']} (offset {row['kafka_offset']} of "
                          f"partition {row['kafka_partition']}) {wrong}", **told)
    if problem := fixture_problem(bench):
        return failed(f"{saw}, all as they should be", f"{FIXTURE} passes with your rule, and fails without it", problem, **told)
    return passed(f"{saw}; the {BROKEN} broken gift cards are rejected, no other row is, and {FIXTURE} would notice if the "
                  "rule were gone", **told)


def fixture_problem(bench: Bench) -> str:
    tried = bench.shopstream("refine", "test", FIXTURE, expect=None)
    if tried.returncode != 0:
        return f"it fails: {last_line(tried)}"
    without = bench.shopstream("--set", f"refine.rules={bench.lab.folder / 'start/rules.yaml'}", "refine", "test", FIXTURE, expect=None)
    return f"{FIXTURE} passes also without your rule: none of its rows is rejected by it" if without.returncode == 0 else ""


def halted_by_too_strict(bench: Bench) -> dict[str, str]:
    """Tries the prediction on a copy of Bronze."""
    copy = bench.folder / ".check"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bench.lake / "bronze-events", copy / "lake/bronze-events")
    refined = bench.shopstream("--set", f"lake.uri={copy / 'lake'}", "--set", f"refine.state_folder={copy / 'state'}", "--set",
                               f"refine.rules={bench.lab.folder / 'wrong/too-strict/rules.yaml'}", "refine", expect=None)
    reason = re.search(r"rule gift_card_value rejects [^:]*", refined.stderr)
    left = len(list((copy / "lake").glob("silver-*/region=*/**/*.parquet")))
    shutil.rmtree(copy)
    if refined.returncode != 3:
        return {}
    return {"answer": "b", "evidence": f"We tried it on a copy of bronze-events: refine exits with 3, and {left} files are in "
            f"silver-events and silver-rejects, because {reason[0] if reason else 'of the rule'}."}


def last_line(done: Any) -> str:
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else ""
