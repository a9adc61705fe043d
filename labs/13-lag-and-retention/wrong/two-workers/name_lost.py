"""Writes lost.toml: what is between the lake's progress and the log start. You can do it by hand, with hours.py."""

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC

consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": GROUP})
with open("lost.toml", "w") as file:
    for one in consumer.committed([TopicPartition(TOPIC, p) for p in range(3)], timeout=20):
        start, _ = consumer.get_watermark_offsets(TopicPartition(TOPIC, one.partition), timeout=20)
        file.write(f"[partition-{one.partition}]\nfirst = {one.offset}\nlast = {start - 1}\n\n")
consumer.close()
