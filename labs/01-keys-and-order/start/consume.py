"""Reads the newest run as a service would, and shows shoppers whose steps come in the wrong order."""

import json

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC

consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-consume", "enable.auto.commit": False,
                     "enable.partition.eof": True})
partitions = consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
consumer.assign([TopicPartition(TOPIC, p, 0) for p in partitions])
seen, ended = [], set()
while len(ended) < len(partitions):
    for message in consumer.consume(100, timeout=1):
        if message.error():
            ended.add(message.partition())
        else:
            seen.append((message.partition(), json.loads(message.value())))
newest = max((event["run"] for _, event in seen), default=0)
shoppers: dict[int, list[str]] = {}
for partition, event in seen:
    if event["run"] == newest:
        shoppers.setdefault(event["user"], []).append(f"{event['step']} (partition {partition})")
wrong = 0
for user, steps in sorted(shoppers.items()):
    if [step.split()[0] for step in steps] != ["add", "pay", "cancel"]:
        wrong += 1
        print(f"shopper {user}: {', '.join(steps)}")
print(f"{wrong} of {len(shoppers)} shoppers in the wrong order")
