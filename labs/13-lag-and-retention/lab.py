"""Lab 13: compares the lost range that the student names with the lake, and plays the weekend with the student's plan."""

import dataclasses
import io
import json
import random
import shutil
import time
import tomllib
import uuid

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
HOUR = 3_600_000  # In milliseconds.
DOWN, RETENTION = 30, 12  # Hours.
PARTITIONS = range(3)
TWO_WORKERS = "workers = 2\nretention_hours = 40\n"  # Of the prediction.
TOOLS = ("weekend.py",)  # The checker uses its own.


def start(bench: Bench) -> None:
    now = int(time.time() * 1000)
    with open(bench.folder / "settings.py", "a") as settings:
        settings.write(f"NOW = {now}  # When the lab began, in milliseconds since 1970.\n")
    create_topic(bench)
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


def create_topic(bench: Bench) -> None:
    """With one copy: otherwise each clean-up waits half a second for the others."""
    admin = bench.admin()
    topic = NewTopic(bench.topic, len(PARTITIONS), 1, config={"min.insync.replicas": "1"})
    admin.create_topics([topic])[bench.topic].result(60)


def keep(bench: Bench, hours: int) -> None:
    admin = bench.admin()
    entry = ConfigEntry("retention.ms", str(hours * HOUR), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, bench.topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)


def check(bench: Bench) -> Finding:
    spans = bench.spans()
    if any(begin == 0 for begin, _ in spans.values()):
        return failed("Kafka still has every record", "the clean-up deletes those that are older than retention.ms: ./python cleanup.py")
    stored: dict[int, set[int]] = {p: set() for p in PARTITIONS}
    for row in bench.rows("bronze-events", "kafka_partition", "kafka_offset"):
        stored[row["kafka_partition"]].add(row["kafka_offset"])
    saw = f"{sum(map(len, stored.values()))} rows in bronze-events; Kafka has offsets " + ", ".join(
        f"{begin} to {end - 1}" for begin, end in spans.values()) + " of partitions 0, 1, 2"
    lost = {}
    for p, (_, end) in spans.items():
        if end - 1 not in stored[p]:
            return failed(saw, "the lake has what Kafka still has: ./shopstream ingest --until-caught-up",
                          f"offset {end - 1} of partition {p} is not in the lake")
        gap = sorted(set(range(end)) - stored[p])
        if not gap:
            return failed(saw, "a range that expired before ingest read it", f"the lake has every offset of partition {p}: ingest was "
                          "started before the clean-up. ./lab reset starts over")
        lost[p] = gap[0], gap[-1]
    listed = audited(bench)
    if listed != lost:
        return failed(saw, f"the audit lists {lost}", f"it lists {listed}")
    if problem := wrongly_named(bench, lost):
        return failed(f"{saw}; lost.toml is not right yet", "the first and the last offset that the lake will never have", problem)
    return weekend(bench, f"you and the audit name the same {sum(last - first + 1 for first, last in lost.values())} lost records")


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


@dataclasses.dataclass(frozen=True)
class Weekend:
    """What weekend.py has left."""
    workers: int
    retention: int  # Hours.
    hour: int  # At which it stopped.
    outcome: str  # What went wrong; empty: nothing.
    checked: set[tuple[int, int]]  # Partition and offset.
    spans: dict[int, tuple[int, int]]  # The log start and the end of each partition.

    def __str__(self) -> str:
        stopped = f"stopped at hour {self.hour}" if self.outcome else f"of {self.hour} hours is over"
        return f"with {self.workers} worker{'s' * (self.workers != 1)} and {self.retention} h of retention, the weekend {stopped}"

    def expired(self) -> str:
        """The smallest counter-example; empty if nothing expired unread."""
        for p, (begin, _) in self.spans.items():
            for offset in range(begin):
                if (p, offset) not in self.checked:
                    return f"offset {offset} of partition {p} has expired unread{self._why(p)}"
        return ""

    def _why(self, partition: int) -> str:
        if self.hour <= DOWN:
            return ": the fraud check was still closed"
        mine = len([p for p in PARTITIONS if p % self.workers == partition % self.workers])
        return f": its worker has {('one', 'two', 'three')[mine - 1]} partition{'s' * (mine > 1)}, and falls behind"

    def unchecked(self) -> str:
        for p, (_, end) in self.spans.items():
            for offset in range(end):
                if (p, offset) not in self.checked:
                    return f"offset {offset} of partition {p} is not checked"
        return ""


def play(bench: Bench, plan: str) -> Weekend:
    place = bench.folder / ".check"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    shutil.copy(bench.folder / "settings.py", place)
    (place / "plan.toml").write_text(plan)
    topic = f"{bench.topic}-weekend-{uuid.uuid4().hex[:8]}"
    bench.run("env", "-C", place, bench.folder / "python", "weekend.py", topic)
    spans = bench.spans(topic)
    bench.delete_topic(topic)
    found, played = tomllib.loads(plan), json.loads((place / "weekend.json").read_text())
    lines = (place / "checked.jsonl").read_text().splitlines()
    checked = {(line["partition"], line["offset"]) for line in map(json.loads, lines)}
    return Weekend(found["workers"], found["retention_hours"], played["hour"], played["outcome"], checked, spans)


def predicted(two: Weekend) -> dict[str, str]:
    """The prediction's result."""
    if not (two.workers == 2 and two.expired() and two.hour > DOWN):
        return {}
    return {"answer": "b", "evidence": f"We tried it: {two}, because {two.expired()}. The other worker has one partition, and catches up."}


def weekend(bench: Bench, saw: str) -> Finding:
    played = play(bench, (bench.folder / "plan.toml").read_text())
    told = predicted(played)
    saw = f"{saw}; {played}"
    if expired := played.expired():
        return failed(saw, "every purchase is checked before it expires", expired, **told)
    if played.outcome:
        return failed(saw, "a retention that the disks can hold", played.outcome)
    if unchecked := played.unchecked():
        return failed(saw, "the fraud check catches up", unchecked)
    return passed(f"{saw}, and all {len(played.checked)} purchases are checked", **predicted(play(bench, TWO_WORKERS)))
