"""Lab 6: freezes a sink that uses the student's commit(), in three ways, and reads the table's log."""

import collections
import json
import pathlib
import shutil

from confluent_kafka import Producer

from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

RECORDS = 150  # Of each partition: three batches.
PARTITIONS = 2
TOOLS = ("table.py", "sink.py", "zombie.py")  # The checker uses its own.
POINTS = {"before": "A was frozen before commit()", "inside": "A was frozen at its write, in put_if_absent",
          "side-by-side": "A worked on partition 0, B on partition 1"}


def start(bench: Bench) -> None:
    bench.create_topic(bench.topic, "--partitions", PARTITIONS)
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "enable.idempotence": True})
    for i in range(RECORDS * PARTITIONS):
        producer.produce(bench.topic, value=f"purchase {i}", partition=i % PARTITIONS)
    if producer.flush(60):
        raise LabError("the brokers do not acknowledge records: ./run status")


def check(bench: Bench) -> Finding:
    lease = play(bench, bench.lab.folder / "wrong/lease-first/committer.py", "inside")
    told = {"answer": "b", "evidence": f"We tried it: {lease or 'nothing happened, which is luck: check again'}."}
    for point, words in POINTS.items():
        if example := play(bench, bench.folder / "committer.py", point):
            return failed(f"{words}: {entries(bench)} entries in the table's log",
                          "each offset exactly once in the table", example, **told)
    return passed("a frozen A, before commit() and at its write, and two sinks side by side: each offset is in the table "
                  "exactly once", **told)


def folder(bench: Bench) -> pathlib.Path:
    return bench.folder / ".check"


def play(bench: Bench, committer: pathlib.Path, point: str) -> str:
    """The smallest counter-example; empty if each offset is in the table once."""
    place = folder(bench)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    shutil.copy(bench.folder / "settings.py", place)
    shutil.copy(committer, place / "committer.py")
    bench.run("env", "-C", place, bench.folder / "python", "zombie.py", point)
    writers: dict[tuple[int, int], list[str]] = collections.defaultdict(list)
    for path in sorted((place / "out/log").glob("*.json")):
        entry = json.loads(path.read_text())
        for offset in entry["rows"]:
            writers[entry["partition"], offset].append(f"entry {int(path.stem)} by {entry['by']}")
    for partition in range(PARTITIONS if point == "side-by-side" else 1):
        for offset in range(RECORDS):
            found = writers[partition, offset]
            if len(found) != 1:
                return f"offset {offset} of partition {partition} is " + (
                    f"{'twice' if len(found) == 2 else f'{len(found)} times'} in the table: {', '.join(found)}" if found
                    else "missing")
    return ""


def entries(bench: Bench) -> int:
    return len(list((folder(bench) / "out/log").glob("*.json")))
