"""Lab 1: where the records of each shopper are, and whether Java would have put them there."""

import json
from typing import Any

from confluent_kafka import Message

from runner.bench import Bench
from runner.finding import Finding, failed, passed

STEPS = ["add", "pay", "cancel"]
SHOPPERS = 50
PARTITIONS = 3


def start(bench: Bench) -> None:
    """The prediction is about the start file, so it runs once, into its own topic."""
    for topic in (bench.topic, keyless(bench)):
        bench.create_topic(topic)
    bench.run(bench.folder / "python", "-c", f"import settings; settings.TOPIC = '{keyless(bench)}'; import produce")


def keyless(bench: Bench) -> str:
    return f"{bench.topic}-keyless"


def check(bench: Bench) -> Finding:
    together = sum(1 for records in shoppers(bench.records(keyless(bench))).values() if len(partitions(records)) == 1)
    told = {"answer": "c", "evidence": f"produce.py, as you were given it, put the three records of {together} of 50 shoppers "
            "into one partition. The chance is 1/3 x 1/3, so 5.6 are to be expected."}
    found = shoppers(newest_run(bench.records()))
    count = sum(map(len, found.values()))
    if count != SHOPPERS * len(STEPS):
        return failed(f"{count} records of a run in {bench.topic}", "150: ./python produce.py")
    saw = f"{count} records of {len(found)} shoppers; {sum(len(partitions(r)) == 1 for r in found.values())} shoppers have one partition"
    expected = "each shopper's add, pay and cancel in this order within one partition, the one that Java chooses"
    for problem in (apart, out_of_order, without_key, elsewhere_than_java):
        for user in sorted(found):
            if example := problem(user, found[user]):
                return failed(saw, expected, example, **told)
    return passed(f"{saw}, in order, each where Java's murmur2 puts it", **told)


def event(record: Message) -> dict[str, Any]:
    return json.loads(record.value())


def newest_run(records: list[Message]) -> list[Message]:
    newest = max((event(record)["run"] for record in records), default=0)
    return [record for record in records if event(record)["run"] == newest]


def shoppers(records: list[Message]) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    for record in records:
        found.setdefault(event(record)["user"], []).append(record)
    return found


def partitions(records: list[Message]) -> set[int]:
    return {record.partition() for record in records}


# What can be wrong with a shopper; empty if it is right.


def apart(user: int, records: list[Message]) -> str:
    if len(partitions(records)) == 1:
        return ""
    places = [f"{event(r)['step']} at partition {r.partition()} offset {r.offset()}" for r in records]
    return f"the records of shopper {user} are in different partitions: {', '.join(places)}"


def out_of_order(user: int, records: list[Message]) -> str:
    steps = [event(record)["step"] for record in records]
    return "" if steps == STEPS else f"in partition {records[0].partition()}, shopper {user} does {', '.join(steps)}"


def without_key(user: int, records: list[Message]) -> str:
    for record in records:
        if record.key() != str(user).encode():
            return (f"the record of shopper {user} at partition {record.partition()} offset {record.offset()} has the key "
                    f"{record.key()!r}, so the Java services cannot meet it in the same partition")
    return ""


def elsewhere_than_java(user: int, records: list[Message]) -> str:
    java = (murmur2(str(user).encode()) & 0x7FFFFFFF) % PARTITIONS
    if java == records[0].partition():
        return ""
    return f"key {user} is in partition {records[0].partition()}; a Java producer sends it to partition {java}"


def murmur2(data: bytes) -> int:
    """As org.apache.kafka.common.utils.Utils has it."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
