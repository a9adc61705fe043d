"""One worker of a share group: takes a few tasks, and gives back those that fail."""

from confluent_kafka import AcknowledgeType, ShareConsumer
from settings import TOPIC


def work(settings: dict, do, closing) -> None:
    consumer = ShareConsumer({**settings, "share.acknowledgement.mode": "explicit", "max.poll.records": 2})
    consumer.subscribe([TOPIC])
    while not closing():
        for message in consumer.poll(0.2):
            if message.error() is None:
                consumer.acknowledge(message, AcknowledgeType.ACCEPT if do(message) else AcknowledgeType.RELEASE)
        consumer.commit_sync()
    consumer.close()
