"""Lab 14: kills the student's till while it charges, starts it again, and reads the topic with both isolation levels."""

import collections
import dataclasses
import json
import pathlib
import shutil
import signal
import subprocess
import uuid
from typing import Any

import duckdb
from confluent_kafka import IsolationLevel, Message, Producer, TopicPartition
from confluent_kafka.admin import OffsetSpec
from deltalake import DeltaTable

from places import ROOT
from runner.bench import Bench, wait_until
from runner.course import LabError
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
PARTITIONS = range(3)
KILLED_AT = 4  # The order that is being charged.
TRANSACTIONS, RECORDS, ABORTED = 3, 10, 1  # Those of the prediction; the second is aborted.
TOOLS = ("shop.py",)  # The checker uses its own.
Coordinate = tuple[int, int]  # Partition, offset.
EVERYTHING = {"isolation.level": "read_uncommitted"}


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.create_topic(counted(bench), "--partitions", 1)
    register(bench, bench.topic)
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "transactional.id": f"{bench.topic}-counted"})
    producer.init_transactions(60)
    for number in range(TRANSACTIONS):
        producer.begin_transaction()
        for i in range(RECORDS):
            producer.produce(counted(bench), value=f"record {i} of transaction {number}")
        producer.flush(60)
        producer.abort_transaction(60) if number == ABORTED else producer.commit_transaction(60)


def counted(bench: Bench) -> str:
    return f"{bench.topic}-counted"


def register(bench: Bench, topic: str) -> None:
    bench.registry(f"subjects/{topic}-value/versions", {"schema": SCHEMA.read_text()}, "POST")


def check(bench: Bench) -> Finding:
    shift = Shift(bench)
    bench.create_topic(shift.topic)
    try:
        shift.sell()
        if wrong := shift.wrong_topic():
            return wrong
        told = count(bench)
        return shift.wrong_display(told) or shift.lake(told)
    finally:
        bench.delete_topic(shift.topic)


def count(bench: Bench) -> dict[str, str]:
    """The prediction's result."""
    def committed() -> int:  # A commit is acknowledged before its marker is in the partition.
        read = len(bench.records(counted(bench)))
        return read if read == (TRANSACTIONS - 1) * RECORDS else 0

    read = wait_until(committed, 30, "the transactions of the lab's start are committed")
    written, end = len(bench.records(counted(bench), **EVERYTHING)), bench.ends(counted(bench))[0]
    return {"answer": str(end), "evidence": f"We tried it: {written} records are in the log, of which a read_committed reader gets {read}; "
            f"the other {end - written} of the {end} offsets have markers, one for each transaction."}


@dataclasses.dataclass(frozen=True)
class Purchase:
    order: str
    at: Coordinate
    of: int  # How many purchases the order has.

    @classmethod
    def read(cls, message: Message) -> "Purchase":
        headers = dict(message.headers() or [])
        try:
            return cls(headers["order"].decode(), (message.partition(), message.offset()), int(headers["purchases"]))
        except (KeyError, ValueError):
            raise LabError(f"{spoken((message.partition(), message.offset()))} is no purchase of shop.py: its headers are {headers}") from None


class Shift:
    """The student's files at work, on a topic made for this check."""

    def __init__(self, bench: Bench):
        self.bench = bench
        self.admin = bench.admin()
        self.topic = f"{bench.topic}-shift-{uuid.uuid4().hex[:8]}"
        self.group = f"{self.topic}-group"
        self.folder = bench.folder / ".check"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name in TOOLS:
            shutil.copy(bench.lab.folder / "start" / name, self.folder)
        for name in ("till.py", "display.py"):
            shutil.copy(bench.folder / name, self.folder)
        settings = (bench.folder / "settings.py").read_text()
        (self.folder / "settings.py").write_text(f'{settings}TOPIC = "{self.topic}"\nGROUP = "{self.group}"\n')

    def sell(self) -> None:
        """A till is killed while it charges, and another one takes its place."""
        register(self.bench, self.topic)
        killed = self._run("till.py", KILLED_AT=KILLED_AT)
        if killed.returncode != -signal.SIGKILL:
            raise LabError(f"till.py was to be killed while it charges order {KILLED_AT}, and exited with {killed.returncode}:\n"
                           f"{(killed.stdout + killed.stderr)[-1500:]}")
        self._run("till.py", expect=0)
        self.written = [Purchase.read(m) for m in self.bench.records(self.topic, **EVERYTHING)]
        lines = self._lines("payments.jsonl")
        self.paid = {line["order"] for line in lines if line["paid"]}
        charged = [line["order"] for line in lines]
        self.orders = sorted({p.order for p in self.written}, key=lambda name: charged.index(name) if name in charged else KILLED_AT)
        self.killed = next((name for name in self.orders if name not in charged), "")
        wait_until(lambda: self._stuck() or self._settled(), 60, "the markers of all transactions are in their partitions")
        self.committed = [Purchase.read(m) for m in self.bench.records(self.topic)]

    def wrong_topic(self) -> Finding | None:
        """What a read_committed reader gets."""
        saw = (f"two tills, of which the first was killed: of {len(self.orders)} orders, {len(self.paid)} are paid for; {len(self.written)} purchases are in the log, and a "
               f"read_committed reader gets {len(self.committed)}")
        expected = "every purchase of an order that is paid for, and no other"
        if stuck := self._stuck():
            return failed(saw, expected, f"nobody can read {spoken(stuck)}, and what follows it: the transaction of the killed till "
                          "is still open. The till that took its place has not ended it")
        found = collections.Counter(p.order for p in self.committed)
        for name in self.orders:
            one = next(p for p in self.written if p.order == name)
            if name in self.paid and found[name] < one.of:
                return failed(saw, expected, f"order {name}: it is paid for, but missing, with {found[name]} of its {one.of} purchases. "
                              f"The first is {spoken(one.at)}, in a transaction that was aborted")
            if name not in self.paid and found[name]:
                why = "the till was killed before it was paid for" if name == self.killed else "its payment was refused"
                return failed(saw, expected, f"order {name}: {why}, but readers get {found[name]} of its {one.of} purchases, "
                              f"such as {spoken(next(p.at for p in self.committed if p.order == name))}")
        return None

    def wrong_display(self, told: dict[str, str]) -> Finding | None:
        self._run("display.py", expect=0)
        shown = collections.Counter((line["partition"], line["offset"]) for line in self._lines("shown.jsonl"))
        right = {p.at for p in self.committed}
        saw = f"till.py is right; display.py shows {shown.total()} purchases, of {len(right)} that are paid for"
        for place in sorted(shown.keys() | right):
            if shown[place] != (place in right):
                return failed(saw, "each purchase that is paid for, once", f"{spoken(place)} is "
                              f"{'not shown' if not shown[place] else 'shown, but not paid for' if place not in right else 'shown twice'}", **told)
        ends = self.bench.ends(self.topic)
        with self.bench.closing(self.bench.consumer(**{"group.id": f"{self.group}-display"})) as consumer:
            stands = consumer.committed([TopicPartition(self.topic, p) for p in PARTITIONS], timeout=20)
        for one in stands:
            if one.offset < 0:
                return failed(saw, "display.py commits how far it has read", f"it has no offset of partition {one.partition}", **told)
            if one.offset != ends[one.partition]:
                return failed(saw, "a lag of 0 when everything is read", f"partition {one.partition} ends at {ends[one.partition]}, and the "
                              f"display's group is at {one.offset}: a lag of {ends[one.partition] - one.offset}, which never becomes 0, "
                              "as these offsets have no record for it", **told)
        return None

    def lake(self, told: dict[str, str]) -> Finding:
        lake = self.folder / "lake"
        words = ("--set", f"kafka.topic={self.topic}", "--set", f"kafka.group={self.group}", "--set", f"lake.uri={lake}")
        self.bench.shopstream(*words, "ingest", "--until-caught-up")
        files = DeltaTable(str(lake / "bronze-events")).file_uris()
        with duckdb.connect() as engine:
            rows = engine.execute("SELECT kafka_partition, kafka_offset FROM read_parquet(?)", [files]).fetchall()
        offsets, right = sum(self.bench.ends(self.topic).values()), {p.at for p in self.committed}
        saw = (f"{offsets} offsets: {len(self.committed)} purchases of {len(self.paid)} orders that are paid for, "
               f"{len(self.written) - len(self.committed)} aborted ones, and {offsets - len(self.written)} markers")
        if wrong := sorted(set(rows) ^ right) or sorted(place for place, n in collections.Counter(rows).items() if n > 1):
            return failed(f"{saw}; the lake has {len(rows)} rows", "each purchase that is paid for, once", f"{spoken(wrong[0])} is wrong", **told)
        audit = self.bench.shopstream(*words, "audit", expect=None)
        if audit.returncode != 0:
            return failed(saw, "a clean audit", "".join((audit.stdout + audit.stderr).strip().splitlines()[-1:]), **told)
        return passed(f"{saw}. The lake has {len(rows)} rows, the display has no lag, and the audit is clean", **told)

    def _stuck(self) -> Coordinate | None:
        """The first offset of the killed till's transaction, while that is open."""
        stable = self._offsets(IsolationLevel.READ_COMMITTED)
        return next((p.at for p in self.written if p.order == self.killed and stable[p.at[0]] == p.at[1]), None)

    def _settled(self) -> bool:
        """No transaction is open."""
        return self._offsets(IsolationLevel.READ_COMMITTED) == self._offsets(IsolationLevel.READ_UNCOMMITTED)

    def _offsets(self, level: IsolationLevel) -> dict[int, int]:
        """Where each partition ends for such a reader."""
        asked = {TopicPartition(self.topic, p): OffsetSpec.latest() for p in PARTITIONS}
        answers = self.admin.list_offsets(asked, isolation_level=level)
        return {partition.partition: answer.result(20).offset for partition, answer in answers.items()}

    def _run(self, script: str, expect: int | None = None, **variables: object) -> subprocess.CompletedProcess[str]:
        return self.bench.run("env", "-C", self.folder, *(f"{name}={value}" for name, value in variables.items()),
                              self.bench.folder / "python", script, expect=expect)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path: pathlib.Path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def spoken(place: Coordinate) -> str:
    return f"offset {place[1]} of partition {place[0]}"
