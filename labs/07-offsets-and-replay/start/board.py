"""Reads on from the committed offsets, and shows the revenue of each hour. Not to be changed."""

import collections
import json
import pathlib

from confluent_kafka import Consumer, KafkaException, TopicPartition
from purchases import amount, sent
from settings import BROKERS, GROUP, TOPIC

BOARD = f"{GROUP}-board"
READINGS = pathlib.Path("readings.jsonl")  # What each reading read.


def read_on(wrong_from: float = float("inf")) -> None:
    """wrong_from: the time, in milliseconds, from which the broken version counts a hundred times the dollars."""
    before = readings()
    number = max((row["reading"] for row in before), default=0) + 1
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": BOARD, "enable.auto.commit": False,
                         "enable.partition.eof": True, "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, p) for p in partitions])  # At their committed offsets.
    ended, rows, ends = set(), [], {}
    while len(ended) < len(partitions):
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            ended.add(message.partition())
            continue
        dollars = amount(message) * (100 if message.timestamp()[1] >= wrong_from else 1)
        rows.append({"reading": number, "partition": message.partition(), "offset": message.offset(),
                     "sent": sent(message).isoformat(timespec="milliseconds"), "dollars": round(dollars, 2)})
        ends[message.partition()] = message.offset() + 1
    with open(READINGS, "a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    if ends:
        for done in consumer.commit(offsets=[TopicPartition(TOPIC, p, end) for p, end in ends.items()], asynchronous=False):
            if done.error:
                raise KafkaException(done.error)
    consumer.close()
    print(f"group {BOARD} has read {len(rows)} purchases")


def readings() -> list[dict]:
    return [json.loads(line) for line in READINGS.read_text().splitlines()] if READINGS.exists() else []


def show() -> None:
    newest = {(row["partition"], row["offset"]): row for row in readings()}
    hours = collections.defaultdict(list)
    for row in newest.values():
        hours[row["sent"][:13]].append(row["dollars"])
    print("\nhour (UTC)      purchases       revenue")
    for hour, dollars in sorted(hours.items()):
        print(f"{hour.replace('T', ' ')}:00  {len(dollars):8}  {sum(dollars):12,.2f}")


if __name__ == "__main__":
    read_on()
    show()
