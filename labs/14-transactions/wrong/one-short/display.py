"""Reads only what is committed, and continues after the last record. (A marker follows it.)"""

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC
from shop import show, until_end

consumer = Consumer({"bootstrap.servers": BROKERS,
                     "group.id": f"{GROUP}-display",
                     "isolation.level": "read_committed",
                     "auto.offset.reset": "earliest",
                     "enable.auto.commit": False,
                     "enable.partition.eof": True})
consumer.assign([TopicPartition(TOPIC, p) for p in range(3)])
following = {}  # For each partition, the offset to continue at.
for message in until_end(consumer):
    if not message.error():
        show(message)
        following[message.partition()] = message.offset() + 1
if following:
    consumer.commit(offsets=[TopicPartition(TOPIC, p, offset)
                             for p, offset in following.items()],
                    asynchronous=False)
consumer.close()
