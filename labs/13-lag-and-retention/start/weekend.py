"""Plays a weekend of the fraud check, three hours in a moment, until it is over or the first purchase is lost.
Not to be changed.

The records, their timestamps, the partitions and the clean-up are real; the hours, the workers' speed and the size of
the disks are not. weekend.py [TOPIC]: on a topic of this name, which then stays."""

import json
import sys
import time
import tomllib
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from settings import BROKERS, TOPIC

HOUR = 3_600_000  # In milliseconds.
STEP = 3
CLOSED, END = 30, 90  # Hours: the check opens again, and the weekend is over.
SOLD, CHECKED = 4, 6  # Purchases an hour: in each partition, and by each worker.
DISK = 40  # The disks have room for the purchases of so many hours.
PARTITIONS = 3

with open("plan.toml", "rb") as file:
    plan = tomllib.load(file)
workers, retention = plan["workers"], plan["retention_hours"]
if not (isinstance(workers, int) and isinstance(retention, int) and workers > 0 and retention > 0):
    sys.exit("plan.toml: both are whole numbers above 0")
topic = sys.argv[1] if len(sys.argv) > 1 else f"{TOPIC}-weekend-{uuid.uuid4().hex[:8]}"
admin = AdminClient({"bootstrap.servers": BROKERS})
# One copy: with more, each clean-up would wait half a second for the others.
admin.create_topics([NewTopic(topic, PARTITIONS, 1, config={"min.insync.replicas": "1"})])[topic].result(60)
producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True, "linger.ms": 0})
consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{topic}-check", "enable.auto.commit": False,
                     "auto.offset.reset": "error", "fetch.wait.max.ms": 10})
friday = int(time.time() * 1000) - END * HOUR
sold = 0  # In each partition.
start, position = [0] * PARTITIONS, [0] * PARTITIONS  # The first offset that Kafka has, and the first unchecked one.
checked = open("checked.jsonl", "w")


def sell(hour: int) -> None:
    """The purchases of the three hours before `hour`."""
    global sold
    for i in range(STEP * SOLD):
        at = friday + (hour - STEP) * HOUR + i * HOUR // SOLD
        for p in range(PARTITIONS):
            producer.produce(topic, value=f"purchase {sold + i}", partition=p, timestamp=at)
    sold += STEP * SOLD
    if producer.flush(60):
        sys.exit("the brokers do not acknowledge records: ./run status")


def check(worker: int) -> None:
    """What one worker does in three hours: always the oldest purchase of its partitions first."""
    mine = [p for p in range(PARTITIONS) if p % workers == worker]
    take = dict.fromkeys(mine, 0)
    for _ in range(STEP * CHECKED if mine else 0):
        p = min(mine, key=lambda p: position[p] + take[p])
        take[p] += position[p] + take[p] < sold
    for p in mine:
        consumer.assign([TopicPartition(topic, p, position[p])])
        left = take[p]
        while left:
            for message in consumer.consume(left, timeout=20):
                if message.error():
                    sys.exit(f"partition {p}: {message.error()}")
                checked.write(json.dumps({"partition": p, "offset": message.offset()}) + "\n")
                position[p], left = message.offset() + 1, left - 1


def clean_up(hour: int) -> None:
    """Kafka's: what is older than the retention goes."""
    expired = max(0, hour - retention) * SOLD
    if expired > start[0]:
        for deleted in admin.delete_records([TopicPartition(topic, p, expired) for p in range(PARTITIONS)]).values():
            deleted.result(30)
        start[:] = [expired] * PARTITIONS


def verdict(hour: int) -> str:
    if sold - start[0] > DISK * SOLD:
        return f"the disks are full at hour {hour}: {sold - start[0]} purchases in each partition, and they hold {DISK * SOLD}"
    for p in range(PARTITIONS):
        if start[p] > position[p]:
            return f"at hour {hour}, offsets {position[p]} to {start[p] - 1} of partition {p} have expired unread"
    return ""


def age(p: int) -> str:
    return f"{(sold - position[p]) / SOLD:.1f} h" if position[p] < sold else "-"


print("hour  check   in Kafka  first unread purchase of partition 0, 1, 2")
outcome = ""
for hour in range(STEP, END + 1, STEP):
    sell(hour)
    if hour > CLOSED:
        for worker in range(workers):
            check(worker)
    clean_up(hour)
    checked.flush()
    outcome = verdict(hour)
    if outcome or hour % 6 == 0:
        state = "closed" if hour <= CLOSED else "open"
        print(f"{hour:4}  {state:6}  {sold - start[0]:8}  {'  '.join(f'{age(p):>8}' for p in range(PARTITIONS))}")
    if outcome:
        break
consumer.close()
if len(sys.argv) == 1:
    admin.delete_topics([topic])[topic].result(30)
print(outcome or f"after {END} hours, nothing is lost; of each partition, {min(position)} of {sold} are checked")
with open("weekend.json", "w") as file:
    json.dump({"hour": hour, "outcome": outcome}, file)
