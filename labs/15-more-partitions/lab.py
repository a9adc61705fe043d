"""Lab 15: what a service has handled during the rehearsal, who has moved, and whether the lake has the new partitions."""

import collections
import json

from confluent_kafka import Message

from places import ROOT
from runner.bench import Bench
from runner.finding import Finding, failed, passed

PURCHASES = 200
BEFORE, AFTER = 3, 6
Coordinate = tuple[int, int]  # Partition, offset.


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", ROOT / "schemas/purchase_event.avsc")
    bench.shopstream("generate", "--count", PURCHASES, "--seed", bench.seed)


def check(bench: Bench) -> Finding:
    if not (bench.folder / "handled.json").exists():
        return failed("no rehearsal", "one that is finished: ./python rollout.py")
    played = json.loads((bench.folder / "handled.json").read_text())
    records = bench.records(played["topic"])
    partitions: dict[int, set[int]] = collections.defaultdict(set)  # Of each shopper.
    for record in records:
        partitions[purchase(record)[0]].add(record.partition())
    split = {shopper for shopper, places in partitions.items() if len(places) > 1}
    if (used := 1 + max(record.partition() for record in records)) != AFTER:
        return failed(f"the {len(records)} purchases of the rehearsal are in {used} partitions",
                      f"{AFTER}: at the end the topic has as many, and the shop is open")
    told = {"answer": "b", "evidence": f"In the rehearsal, {len(split)} of {len(partitions)} shoppers have purchases in two "
            "partitions."}
    broken = {shopper: example for shopper in sorted(partitions)
              if (example := out_of_order(shopper, played["handled"]))}
    saw = (f"at the expansion, the service was {played['behind']} purchases behind; {len(broken)} of {len(partitions)} shoppers "
           "were handled in the wrong order")
    if broken:
        return failed(saw, "none of them is", next(iter(broken.values())), **told)
    if len(played["handled"]) != len(records) or {tuple(at[:2]) for at in played["handled"]} != set(map(coordinate, records)):
        return failed(f"{len(played['handled'])} of {len(records)} purchases were handled", "each, once: ./python rollout.py", **told)
    if example := misjudged(forecast(bench, sorted(partitions)), split, partitions):
        return failed(f"{saw}; {len(split)} have moved", "moving() in forecast.py has exactly those", example, **told)
    return own_topic(bench, f"nobody was handled in the wrong order, and you forecast the {len(split)} shoppers who moved; "
                     + share(records), told)


def purchase(record: Message) -> tuple[int, int]:
    """The shopper, and the how-manieth purchase of theirs it is."""
    value = json.loads(record.value())
    return value["shopper"], value["number"]


def coordinate(record: Message) -> Coordinate:
    return record.partition(), record.offset()


def out_of_order(shopper: int, handled: list[list[int]]) -> str:
    mine = [at for at in handled if at[2] == shopper]
    for earlier, later in zip(mine, mine[1:]):
        if earlier[3] > later[3]:
            return (f"shopper {shopper}: purchase {earlier[3]}, at offset {earlier[1]} of partition {earlier[0]}, was handled "
                    f"before purchase {later[3]}, at offset {later[1]} of partition {later[0]}")
    return ""


def forecast(bench: Bench, shoppers: list[int]) -> set[int]:
    said = bench.run(bench.folder / "python", "-c", "import json, forecast; "
                     f"print(json.dumps(sorted(forecast.moving({shoppers}, {BEFORE}, {AFTER}))))")
    return set(json.loads(said.stdout.splitlines()[-1]))


def misjudged(named: set[int], split: set[int], partitions: dict[int, set[int]]) -> str:
    for shopper in sorted(named ^ split):
        return (f"forecast.py says that shopper {shopper} {'moves' if shopper in named else 'stays'}; the purchases are in "
                f"partition {' and '.join(map(str, sorted(partitions[shopper])))}")
    return ""


def share(records: list[Message]) -> str:
    """How much more the workers can do, at most: each shopper's first purchase came before the change, the last one after."""
    first, last = {}, {}
    for record in sorted(records, key=lambda record: purchase(record)[1]):
        first.setdefault(purchase(record)[0], record.partition())
        last[purchase(record)[0]] = record.partition()
    before, after = (max(collections.Counter(places.values()).values()) for places in (first, last))
    return (f"the busiest partition has {after} % of the purchases instead of {before} %, so with a worker for each partition "
            f"the service is {before / after:.1f} times as fast")


def own_topic(bench: Bench, seen: str, told: dict[str, str]) -> Finding:
    ends = bench.ends()
    if len(ends) < AFTER or not all(ends.values()):
        used = sum(end > 0 for end in ends.values())
        return failed(f"{seen}. {bench.topic} has {len(ends)} partitions, of which {used} have purchases",
                      f"{AFTER}, all of them with purchases: step 4 of the page", **told)
    rows = collections.Counter((row["kafka_partition"], row["kafka_offset"])
                               for row in bench.rows("bronze-events", "kafka_partition", "kafka_offset"))
    for partition, end in sorted(ends.items()):
        for offset in range(end):
            if rows[partition, offset] != 1:
                return failed(f"{seen}. bronze-events has {rows.total()} rows of {sum(ends.values())} purchases",
                              "each of them once: ./shopstream ingest --until-caught-up",
                              f"offset {offset} of partition {partition} is there {rows[partition, offset]} times", **told)
    return passed(f"{seen}. bronze-events has each of the {rows.total()} purchases of {len(ends)} partitions once", **told)
