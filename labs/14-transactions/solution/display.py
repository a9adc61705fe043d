"""Shows what is paid for, and commits how far it has read."""

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
    if message.error():  # The end: behind the last marker.
        following[message.partition()] = message.offset()
    else:
        show(message)
if following:
    consumer.commit(offsets=[TopicPartition(TOPIC, p, offset)
                             for p, offset in following.items()],
                    asynchronous=False)
consumer.close()
