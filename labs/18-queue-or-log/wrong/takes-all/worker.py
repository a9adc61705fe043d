"""One worker of a share group. (By default, it takes up to 500 tasks at a time.)"""

from confluent_kafka import AcknowledgeType, ShareConsumer
from settings import TOPIC


def work(settings: dict, do, closing) -> None:
    consumer = ShareConsumer({**settings, "share.acknowledgement.mode": "explicit"})
    consumer.subscribe([TOPIC])
    while not closing():
        for message in consumer.poll(0.2):
            if message.error() is None:
                consumer.acknowledge(message, AcknowledgeType.ACCEPT if do(message) else AcknowledgeType.RELEASE)
        consumer.commit_sync()
    consumer.close()
