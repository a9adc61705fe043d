"""Lab 13: compares the lost range that the student names with the lake, and plays the weekend with the student's plan."""

import io
import json
import random
import shutil
import time
import tomllib
import uuid
from typing import Any

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
HOUR = 3_600_000  # In milliseconds.
DOWN, RETENTION = 30, 12  # Hours.
PARTITIONS = range(3)
TOOLS = ("weekend.py",)  # The checker uses its own.


def start(bench: Bench) -> None:
    now = int(time.time() * 1000)
    with open(bench.folder / "settings.py", "a") as settings:
        settings.write(f"NOW = {now}  # When the lab began, in milliseconds since 1970.\n")
    bench.create_topic()
    shop = Shop(bench)
    chance = random.Random(bench.seed)
    read = [chance.randint(30, 60) for _ in PARTITIONS]
    hourly = [chance.randint(15, 25) for _ in PARTITIONS]
    for p in PARTITIONS:
        for i in range(read[p]):
            shop.sell(p, now - (DOWN + 1) * HOUR + i)
    shop.close()
    bench.shopstream("ingest", "--until-caught-up")
    for hour in range(DOWN):  # Half an hour before each full one, so that a minute more or less does not count.
        for p in PARTITIONS:
            for i in range(hourly[p]):
                shop.sell(p, now - (DOWN - hour) * HOUR + HOUR // 2 + i)
    shop.close()
    keep(bench, RETENTION)


class Shop:
    def __init__(self, bench: Bench):
        self.topic = bench.topic
        self.schema = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
        number = bench.registry(f"subjects/{bench.topic}-value/versions", {"schema": SCHEMA.read_text()}, "POST")["id"]
        self.frame = b"\0" + number.to_bytes(4, "big")
        self.producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "enable.idempotence": True})

    def sell(self, partition: int, at: int) -> None:
        value = io.BytesIO()
        fastavro.schemaless_writer(value, self.schema, {
            "event_id": str(uuid.uuid4()), "user_id": 1, "region": "EU", "product_id": "ELE-0001", "product_name": "Radio",
            "quantity": 1, "amount": 9.99, "currency": "EUR", "timestamp": at})
        self.producer.produce(self.topic, value=self.frame + value.getvalue(), partition=partition, timestamp=at)

    def close(self) -> None:
        if self.producer.flush(60):
            raise LabError("the brokers do not acknowledge records: ./run status")


def keep(bench: Bench, hours: int) -> None:
    admin = bench.admin()
    entry = ConfigEntry("retention.ms", str(hours * HOUR), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, bench.topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)


def check(bench: Bench) -> Finding:
    spans = bench.spans()
    if any(begin == 0 for begin, _ in spans.values()):
        return failed("Kafka still has every record", "the clean-up deletes those that are older than retention.ms: ./python cleanup.py")
    oldest = min(record.timestamp()[1] for record in bench.records())
    told = {"answer": "b", "evidence": f"Partition 0 now starts at offset {spans[0][0]}. The oldest record that Kafka has was "
            f"{(now(bench) - oldest) / HOUR:.1f} hours old when you started the lab."}
    stored = {p: set() for p in PARTITIONS}
    for row in bench.rows("bronze-events", "kafka_partition", "kafka_offset"):
        stored[row["kafka_partition"]].add(row["kafka_offset"])
    saw = f"{sum(map(len, stored.values()))} rows in bronze-events; Kafka has offsets " + ", ".join(
        f"{begin} to {end - 1}" for begin, end in spans.values()) + " of partitions 0, 1, 2"
    lost = {}
    for p, (_, end) in spans.items():
        if end - 1 not in stored[p]:
            return failed(saw, "the lake has what Kafka still has: ./shopstream ingest --until-caught-up",
                          f"offset {end - 1} of partition {p} is not in the lake", **told)
        gap = sorted(set(range(end)) - stored[p])
        if not gap:
            return failed(saw, "a range that expired before ingest read it", f"the lake has every offset of partition {p}: ingest was "
                          "started before the clean-up. ./lab reset starts over", **told)
        lost[p] = gap[0], gap[-1]
    listed = audited(bench)
    if listed != lost:
        return failed(saw, f"the audit lists {lost}", f"it lists {listed}", **told)
    if problem := wrongly_named(bench, lost):
        return failed(f"{saw}; lost.toml is not right yet", "the first and the last offset that the lake will never have", problem, **told)
    return weekend(bench, f"you and the audit name the same {sum(last - first + 1 for first, last in lost.values())} lost records", told)


def now(bench: Bench) -> int:
    names: dict[str, Any] = {}
    exec((bench.folder / "settings.py").read_text(), names)
    return names["NOW"]


def audited(bench: Bench) -> dict[int, tuple[int, int]]:
    """The expired range of each partition, according to the audit."""
    return {found["partition"]: (found["first_offset"], found["last_offset"]) for found in bench.json("audit")["differences"]
            if found["difference"] == "expired"}


def wrongly_named(bench: Bench, lost: dict[int, tuple[int, int]]) -> str:
    try:
        found = tomllib.loads((bench.folder / "lost.toml").read_text())
        named = {p: (int(found[f"partition-{p}"]["first"]), int(found[f"partition-{p}"]["last"])) for p in lost}
    except (tomllib.TOMLDecodeError, LookupError, TypeError, ValueError) as error:
        return f"lost.toml cannot be read: {error!r}"
    for p, (first, last) in lost.items():
        mine = range(named[p][0], named[p][1] + 1)
        for offset in sorted({first, last} | {*named[p]}):
            if offset in mine and not first <= offset <= last:
                return f"offset {offset} of partition {p} is in your range, but the lake has it"
            if offset not in mine and first <= offset <= last:
                return f"offset {offset} of partition {p} is in neither your range nor the lake"
    return ""


def weekend(bench: Bench, saw: str, told: dict[str, str]) -> Finding:
    place = bench.folder / ".check"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    for name in ("settings.py", "plan.toml"):
        shutil.copy(bench.folder / name, place)
    topic = f"{bench.topic}-weekend-{uuid.uuid4().hex[:8]}"
    bench.run("env", "-C", place, bench.folder / "python", "weekend.py", topic)
    played = json.loads((place / "weekend.json").read_text())
    checked = {(line["partition"], line["offset"]) for line in map(json.loads, (place / "checked.jsonl").read_text().splitlines())}
    spans = bench.spans(topic)
    bench.delete_topic(topic)
    plan = tomllib.loads((place / "plan.toml").read_text())
    saw += f"; with {plan['workers']} worker{'s' * (plan['workers'] != 1)} and {plan['retention_hours']} h of retention, the weekend "
    saw += f"stopped at hour {played['hour']}" if played["outcome"] else f"of {played['hour']} hours is over"
    for p, (begin, _) in spans.items():
        if gone := [offset for offset in range(begin) if (p, offset) not in checked]:
            return failed(saw, "every purchase is checked before it expires", f"offset {gone[0]} of partition {p} has expired unread"
                          f"{why(plan['workers'], p, played['hour'])}", **told)
    if played["outcome"]:
        return failed(saw, "retention that the disks can hold", played["outcome"], **told)
    for p, (_, end) in spans.items():
        if left := [offset for offset in range(end) if (p, offset) not in checked]:
            return failed(saw, "the fraud check catches up", f"offset {left[0]} of partition {p} is not checked", **told)
    return passed(f"{saw}, and all {len(checked)} purchases are checked", **told)


def why(workers: int, partition: int, hour: int) -> str:
    if hour <= DOWN:
        return ": the fraud check was still closed"
    mine = len([p for p in PARTITIONS if p % workers == partition % workers])
    return f": its worker has {('one', 'two', 'three')[mine - 1]} partition{'s' * (mine > 1)}, and falls behind"
