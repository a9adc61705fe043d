"""Lab 2: how the records are spread over the partitions, and whether what belongs together is."""

import collections
import json
from typing import Any

from confluent_kafka import Message

from runner.bench import Bench
from runner.finding import Finding, failed, passed

STEPS = ["add", "pay", "cancel"]
HOT = 4711
RECORDS = 6000
PARTITIONS = 6
MOST = 1.3  # The busiest partition's records, in means.


def start(bench: Bench) -> None:
    """The prediction is about the start file, so its run is the oldest one in the topic."""
    bench.create_topic(bench.topic, "--partitions", PARTITIONS)
    bench.run(bench.folder / "python", "produce.py")


def check(bench: Bench) -> Finding:
    runs: dict[int, list[Message]] = collections.defaultdict(list)
    for record in bench.records():
        runs[event(record)["run"]].append(record)
    most = max(load(runs[min(runs)]).values())
    told = {"answer": "c", "evidence": f"Of the {RECORDS:,} records that the shop had sent, {most:,} are in one partition. While its "
            f"worker does these, the others do the rest, so all six are {RECORDS / most:.1f} times faster than one."}
    records = runs[max(runs)]
    if len(records) != RECORDS:
        return failed(f"{len(records):,} records of the newest run", f"{RECORDS:,}: ./python produce.py", **told)
    counts = load(records)
    busiest = max(counts, key=lambda p: counts[p])
    partitions = max(PARTITIONS, 1 + max(counts))  # Somebody may have added some.
    skew = counts[busiest] * partitions / RECORDS
    saw = f"partitions with {', '.join(f'{counts[p]:,}' for p in range(partitions))} records"
    for expected, example in (
            ("each cart's add, pay and cancel in this order in one partition", torn_cart(records)),
            (f"each shopper in one partition, but for the hot one, {HOT}", torn_shopper(records)),
            (f"the busiest partition has less than {MOST} times the mean",
             f"partition {busiest} has {counts[busiest]:,} of {RECORDS:,} records, {skew:.1f} times the mean; "
             f"{keys_of_hot(records, busiest)}" if skew >= MOST else "")):
        if example:
            return failed(saw, expected, example, **told)
    return passed(f"{saw}: the busiest has {skew:.2f} times the mean, so all workers are {RECORDS / counts[busiest]:.1f} times "
                  f"faster than one; each cart is in order, and each shopper but {HOT} is in one partition", **told)


def event(record: Message) -> dict[str, Any]:
    return json.loads(record.value())


def load(records: list[Message]) -> collections.Counter[int]:
    """The records of each partition."""
    return collections.Counter(record.partition() for record in records)


def torn_cart(records: list[Message]) -> str:
    carts: dict[int, list[Message]] = collections.defaultdict(list)
    for record in records:
        carts[event(record)["cart"]].append(record)
    for cart, found in sorted(carts.items()):
        if len({record.partition() for record in found}) > 1 or [event(record)["step"] for record in found] != STEPS:
            places = [f"{event(r)['step']} at partition {r.partition()} offset {r.offset()}" for r in found]
            return f"the records of cart {cart} of shopper {event(found[0])['shopper']} are {', '.join(places)}"
    return ""


def torn_shopper(records: list[Message]) -> str:
    places: dict[int, dict[int, Message]] = collections.defaultdict(dict)
    for record in records:
        places[event(record)["shopper"]].setdefault(record.partition(), record)
    for shopper, firsts in sorted(places.items()):
        if shopper != HOT and len(firsts) > 1:
            carts = [f"cart {event(record)['cart']} is in partition {p}" for p, record in sorted(firsts.items())]
            return f"shopper {shopper} is no hot key, but {' and '.join(carts[:2])}"
    return ""


def keys_of_hot(records: list[Message], partition: int) -> str:
    """Why the partition is busy."""
    keys = collections.Counter(record.key() for record in records
                               if record.partition() == partition and event(record)["shopper"] == HOT)
    if not keys:
        return f"none of them is shopper {HOT}'s"
    named = " and ".join(f"{(key or b'').decode(errors='replace')!r} {count:,}" for key, count in keys.most_common(3))
    return f"shopper {HOT} has {len(keys)} key{'s' if len(keys) > 1 else ''} there, such as {named}"
