"""The console's API of quality and quarantine, on real servers."""

import datetime
import io
import json
import struct
import uuid
from typing import Any

import fastavro
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from cluster import ROOT
from shopstream import Shopstream
from test_console_kafka import Console, Json
from waiting import wait_until

PURCHASE = json.loads((ROOT / "schemas/purchase_event.avsc").read_text())
DAY = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.timezone.utc)


def unique_version() -> Json:
    """The schema of purchases with a field that no other test adds."""
    note = {"name": f"note_{uuid.uuid4().hex[:8]}", "type": "string", "default": ""}
    return PURCHASE | {"fields": [*PURCHASE["fields"], note]}


class Till:
    """Sends purchases, framed with any schema id."""

    def __init__(self, world: Shopstream):
        self.world = world
        self.producer = Producer({"bootstrap.servers": world.cluster.bootstrap_servers, "acks": "all", "log_level": 0})
        self.registry = SchemaRegistryClient({"url": world.cluster.registry_url})

    def register(self, schema: Json) -> int:
        return self.registry.register_schema(f"{self.world.topic}-value", Schema(json.dumps(schema), "AVRO"))

    def send(self, schema_id: int, schema: Json, **values: Any) -> None:
        row = {"event_id": str(uuid.uuid4()), "user_id": 7, "region": "EU", "product_id": "P1", "product_name": "Tea",
               "quantity": 1, "amount": 2.5, "currency": "USD", "timestamp": DAY} | values
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(schema), row)
        self.raw(struct.pack(">bI", 0, schema_id) + body.getvalue())

    def raw(self, value: bytes) -> None:
        self.producer.produce(self.world.topic, value, b"7", partition=0, headers={"trace": b"t-1"})
        assert self.producer.flush(30) == 0


class Changing(Console):
    """A console that may change things."""

    def quality(self, pass_number: int) -> Json:
        """Once it shows this pass, with all reasons counted."""
        def known() -> Json | None:
            answer = self.get("/api/quality")
            seen = answer["state"] == "known" and answer.get("pass") == pass_number
            return answer if seen and answer["counted_files"] == answer["rejects_files"] else None
        return wait_until(known, 20, f"the quality of pass {pass_number}")


def day_of(quality: Json) -> Json:
    return next(day for day in quality["days"] if day["date"] == "2026-11-24")


def parts(day: Json) -> dict[str, int | None]:
    return {name.removesuffix("_rows"): day[name] for name in
            ("bronze_rows", "silver_rows", "rejected_rows", "duplicate_rows", "not_refined_rows")}


def test_every_row_of_a_day_is_accounted_for_and_a_replay_is_planned_made_and_seen(shopstream: Shopstream) -> None:
    """The schema of three records is registered after they were quarantined."""
    state = {"SHOPSTREAM_REFINE_STATE_FOLDER": str(shopstream.folder / "state")}
    till = Till(shopstream)
    shopstream.run("topics", "setup")
    first, late = unique_version(), unique_version()
    known = till.register(first)  # A new schema, so that the next one has the next id.
    for number in range(6):
        till.send(known, first, event_id=f"e-{number}")
    till.send(known, first, event_id="e-0")
    till.send(known, first, quantity=0, amount=-1.0)
    for number in range(3):
        till.send(known + 1, late, event_id=f"late-{number}")
    till.raw(b"garbage")
    shopstream.run("ingest", "--until-caught-up")
    shopstream.run("refine", **state)
    console = Changing(shopstream)

    quality = console.quality(1)
    day = day_of(quality)
    assert parts(day) == {"bronze": 8, "silver": 6, "rejected": 1, "duplicate": 1, "not_refined": 0}
    assert day["closes"] and day["difference"] == 0 and day["without_coordinates_rows"] == 0
    assert {r["reason"]: r["rows"] for r in day["reasons"]} == {
        "duplicate": 1, "quantity_range": 1, "positive_amount": 1}
    rules = {rule["name"]: rule for rule in quality["rules"]}
    assert rules["quantity_range"]["rows"] == 1 and rules["quantity_range"]["share"] == 1 / 8
    assert rules["quantity_range"]["owner"] and rules["two_decimals"]["rows"] == 0
    assert quality["rules_since_pass"] == 1 and not quality["other_rules"]

    causes = wait_until(lambda: console.get("/api/quarantine")["all"]["causes"], 20, "the causes are sampled")
    assert causes == [{"cause": "bad_frame", "rows": 1}, {"cause": "unknown_schema", "rows": 3}]
    pages = [console.get("/api/quarantine", limit=3)]
    pages.append(console.get("/api/quarantine", limit=3, before=pages[0]["next"]))
    assert [row["offset"] for page in pages for row in page["rows"]] == [11, 10, 9, 8]
    assert pages[1]["next"] is None and not any(row["replayed"] for page in pages for row in page["rows"])
    assert [row["offset"] for row in console.get("/api/quarantine", cause="bad_frame")["rows"]] == [11]
    assert console.get("/api/quarantine", 400, cause="bad_farm")["error"]["message"].startswith("unknown cause")
    garbage = console.get("/api/quarantine/0/11")["records"][0]
    assert bytes.fromhex(garbage["value_hex"]) == b"garbage" and garbage["key"] == "7"
    assert garbage["headers"] == [{"key": "trace", "value": "t-1"}] and "no frame" in garbage["error"]
    assert not console.get("/api/quarantine/0/0")["exists"]

    assert till.register(late) == known + 1, "the registry numbered otherwise"
    plan = console.post("/api/quarantine/replay/plan", {})
    assert plan["complete"] and (plan["examined"], plan["replayed"], plan["commits"]) == (4, 3, 0)
    assert [(g["cause"], g["schema_id"], g["replayed"], g["unreadable"]) for g in plan["groups"]] == [
        ("bad_frame", None, 0, 1), ("unknown_schema", known + 1, 3, 0)]
    assert console.get("/api/quarantine/0/8")["records"][0]["value"]["event_id"] == "late-0"
    assert console.get("/api/quarantine/replay") == {"exists": False}
    console.post("/api/quarantine/replay", {"cause": "unknown_schema"})
    replay = wait_until(lambda: (now := console.get("/api/quarantine/replay"))["state"] != "running" and now, 20,
                        "the replay ends")
    assert replay["state"] == "done" and replay["summary"]["replayed"] == 3
    assert {row["offset"]: row["replayed"] for row in console.get("/api/quarantine")["rows"]} == {
        11: False, 10: True, 9: True, 8: True}
    assert [change["what"] for change in console.get("/api/changes")["changes"]] == [
        "replayed quarantine, cause unknown_schema"]

    waiting = wait_until(lambda: (now := day_of(console.get("/api/quality")))["bronze_rows"] == 11 and now, 20,
                         "the replayed rows are in Bronze")
    assert waiting["closes"] and waiting["not_refined_rows"] == 3
    shopstream.run("refine", **state)
    assert parts(day_of(console.quality(2))) == {"bronze": 11, "silver": 9, "rejected": 1, "duplicate": 1,
                                                 "not_refined": 0}


def test_masked_fields_hide_what_quarantine_has_of_a_record(shopstream: Shopstream) -> None:
    """Before there is a lake, the console says what is missing."""
    console = Changing(shopstream, SHOPSTREAM_CONSOLE_MASK="user_id")
    missing = wait_until(lambda: (now := console.get("/api/quality"))["state"] == "known" and now, 20, "the first look")
    assert not missing["exists"] and missing["remedy"] == "shopstream ingest"
    assert console.get("/api/quarantine")["exists"] is False
    shopstream.run("topics", "setup")
    till = Till(shopstream)
    known = till.register(PURCHASE)
    till.send(known, PURCHASE, user_id=4711, region="MARS")
    shopstream.run("ingest", "--until-caught-up")
    record = console.get("/api/quarantine/0/0")["records"][0]
    assert record["hidden"] and record["value"]["user_id"] != 4711 and record["value"]["region"] == "MARS"
    assert "4711" not in json.dumps(record) and not {"key", "headers", "value_hex"} & record.keys()
