"""Sends the purchases of MEA again, now that they are allowed."""

from confluent_kafka import Consumer, Producer, TopicPartition
from settings import BROKERS, GROUP, TOPIC

consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-again", "enable.partition.eof": True})
consumer.assign([TopicPartition(TOPIC, p, 0) for p in range(3)])
producer, ended = Producer({"bootstrap.servers": BROKERS}), 0
while ended < 3:
    message = consumer.poll(10)
    if message.error():
        ended += 1
    elif message.headers() and b"MEA" in (message.value() or b"") and message.value()[0] == 0:
        producer.produce(TOPIC, key=message.key(), value=message.value())
producer.flush(30)
