"""Lab 18: has a crew of five work with the student's worker.py, and reads who got which record, and how often."""

import collections
import dataclasses
import json
import shutil
import uuid

from confluent_kafka import Producer

from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

MAILS = 40
FULL, NOBODY = (4, 17, 26), 11  # Offsets: a mailbox is full at first; the address does not exist.
CREW, LIMIT = "ABCDE", 5
TOOLS = ("crew.py",)  # The checker uses its own.


@dataclasses.dataclass(frozen=True)
class Delivery:
    worker: str
    offset: int
    number: int  # The first, the second, ...; 0: a consumer group does not count.
    sent: bool


def start(bench: Bench) -> None:
    fill(bench, bench.topic)


def fill(bench: Bench, topic: str) -> None:
    bench.create_topic(topic, "--partitions", 1)
    # Each record is a batch of its own: a share group hands out whole batches.
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "linger.ms": 0, "batch.num.messages": 1})
    for i in range(MAILS):
        whom = "nobody" if i == NOBODY else f"customer {i}" + (", whose mailbox is full" if i in FULL else "")
        producer.produce(topic, value=f"to {whom}", partition=0)
    if producer.flush(60):
        raise LabError("the brokers do not acknowledge records: ./run status")


def check(bench: Bench) -> Finding:
    deliveries, failures = work(bench)
    counts = collections.Counter(one.worker for one in deliveries)
    saw = f"{len({one.offset for one in deliveries})} mails; deliveries: " + ", ".join(f"{name} {counts[name]}" for name in CREW)
    if failures:
        return failed(saw, "five workers that work to the end", failures[0])
    by_mail: dict[int, list[Delivery]] = collections.defaultdict(list)
    for one in deliveries:
        by_mail[one.offset].append(one)
    for offset in range(MAILS):
        if not by_mail[offset]:
            return failed(saw, "every mail is delivered", f"offset {offset} was not")
    if lonely := unshared([by_mail[offset] for offset in range(MAILS)]):
        return failed(saw, "five workers share the mails of one partition", lonely)
    told = given_up(by_mail[NOBODY])
    expected = f"each mail is sent once, and one that fails is tried again, up to {LIMIT} times"
    for offset, tries in sorted(by_mail.items()):
        by = "".join(one.worker for one in tries)
        if sum(one.sent for one in tries) > 1:
            return failed(saw, expected, f"offset {offset} was sent {sum(one.sent for one in tries)} times, by {', '.join(by)}", **told)
        if not tries[-1].sent and offset != NOBODY:
            return failed(saw, expected, f"offset {offset} failed {in_words(len(tries))}, with worker {', '.join(by)}, and nobody tries it "
                          "again: Kafka was told that it is done", **told)
    if len(by_mail[NOBODY]) != LIMIT:
        return failed(saw, expected, f"offset {NOBODY} was delivered {in_words(len(by_mail[NOBODY]))}", **told)
    order = [one.offset for one in deliveries if one.sent]
    overtaken = next(b for a, b in zip(order, order[1:]) if b < a)
    return passed(f"{saw}. All are sent once, except offset {NOBODY}; and not in the order of the log: offset {overtaken} was sent after "
                  f"{max(order[:order.index(overtaken)])}", **told)


def unshared(mails: list[list[Delivery]]) -> str:
    """Who got more than a fair share of the mails; empty if nobody did."""
    first = collections.Counter(tries[0].worker for tries in mails)
    name, most = first.most_common(1)[0]
    if all(one.number == 0 for tries in mails for one in tries):
        return f"worker {name} was delivered {most} of the {MAILS} first: in a consumer group, a partition has one reader at a time"
    if most > MAILS / 2:
        return f"worker {name} took {most} of the {MAILS} mails at a time; the others got what came later, or what it gave back"
    missing = [other for other in CREW if not first[other]]
    return f"worker {missing[0]} got none" if missing else ""


def given_up(tries: list[Delivery]) -> dict[str, str]:
    """The prediction's result, once the workers have released the mail that nobody can send."""
    if len(tries) != LIMIT:
        return {}
    return {"answer": "b", "evidence": f"Offset {NOBODY} failed with worker {', '.join(one.worker for one in tries)}. Then Kafka archived it: "
            "a mail that came later was delivered, and this one was not."}


def in_words(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def work(bench: Bench) -> tuple[list[Delivery], list[str]]:
    """What five workers got, in order; and why some have stopped."""
    place = bench.folder / ".check"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    shutil.copy(bench.folder / "worker.py", place)
    topic = f"{bench.topic}-crew-{uuid.uuid4().hex[:8]}"
    fill(bench, topic)
    (place / "settings.py").write_text((bench.folder / "settings.py").read_text() + f'TOPIC = "{topic}"\n')
    bench.run("env", "-C", place, bench.folder / "python", "crew.py", len(CREW))
    bench.delete_topic(topic)
    events = [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]
    deliveries = [Delivery(event["worker"], event["offset"], event["delivery"], event["sent"]) for event in events if "offset" in event]
    return deliveries, [f"worker {event['worker']}: {event['failed']}" for event in events if "failed" in event]
