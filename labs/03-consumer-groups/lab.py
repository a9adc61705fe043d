"""Lab 3: runs a crew of four with the student's worker.py, and reads the events of the group's members."""

import collections
import dataclasses
import json
import shutil

from confluent_kafka import Producer

from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

RECORDS, PARTITIONS, CREW = 90, 3, 4
TOOLS = ("crew.py",)


@dataclasses.dataclass(frozen=True)
class Event:
    worker: str
    what: str  # assigned, revoked, read.
    joined: int  # How many workers had joined.
    partitions: tuple[int, ...]
    offset: int = -1


def start(bench: Bench) -> None:
    bench.create_topic()
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "enable.idempotence": True})
    for i in range(RECORDS):
        producer.produce(bench.topic, value=f"purchase {i}", partition=i % PARTITIONS)
    if producer.flush(60):
        raise LabError("the brokers do not acknowledge records: ./run status")


def check(bench: Bench) -> Finding:
    events = crew(bench)
    owned: dict[str, set[int]] = collections.defaultdict(set)
    for event in events:
        if event.what == "assigned":
            owned[event.worker] |= set(event.partitions)
        elif event.what == "revoked":
            owned[event.worker] -= set(event.partitions)
    saw = "at the end, " + ", ".join(f"{name} has {sorted(owned[name]) or 'nothing'}" for name in "ABCD")
    readers: dict[tuple[int, int], set[str]] = collections.defaultdict(set)
    for event in events:
        if event.what == "read":
            readers[event.partitions[0], event.offset].add(event.worker)
    for (partition, offset), names in sorted(readers.items()):
        if len(names) > 1:
            return failed(saw, "each record read by one worker", f"offset {offset} of partition {partition} was read by "
                          f"{len(names)} workers: {', '.join(sorted(names))}")
    if len(readers) != RECORDS:
        return failed(f"{saw}; {len(readers)} records were read", f"all {RECORDS} records are read, and each partition has a worker")
    working = sum(1 for partitions in owned.values() if partitions)
    told = {"answer": str(working), "evidence": f"With four workers: {saw}."}
    for before, event in enumerate(events):
        if event.what == "revoked":
            kept = given_back(events[before + 1:], event)
            if kept:
                return failed(saw, "a worker that stays gives up only what moves to another", f"when worker {'ABCD'[event.joined - 1]} "
                              f"joined, worker {event.worker} had to give up {list(event.partitions)}, and got {kept} back", **told)
    return passed(f"{saw}; nobody gave up a partition and got it back", **told)


def given_back(later: list[Event], revoked: Event) -> list[int]:
    """What the same worker gets back in the same rebalance."""
    for event in later:
        if event.joined != revoked.joined:
            return []
        if event.worker == revoked.worker and event.what == "assigned":
            return sorted(set(event.partitions) & set(revoked.partitions))
    return []


def crew(bench: Bench) -> list[Event]:
    place = bench.folder / ".check"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    for name in ("settings.py", "worker.py"):
        shutil.copy(bench.folder / name, place)
    bench.run("env", "-C", place, bench.folder / "python", "crew.py", CREW)
    events = []
    for line in (place / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        partitions = event["partitions"] if "partitions" in event else [event["partition"]]
        events.append(Event(event["worker"], event["what"], event["joined"], tuple(partitions), event.get("offset", -1)))
    return events
