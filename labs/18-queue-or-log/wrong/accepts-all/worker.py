"""Every task is accepted with the next poll, which is the default. (Also those that have failed.)"""

from confluent_kafka import ShareConsumer
from settings import TOPIC


def work(settings: dict, do, closing) -> None:
    consumer = ShareConsumer({**settings, "max.poll.records": 2})
    consumer.subscribe([TOPIC])
    while not closing():
        for message in consumer.poll(0.2):
            if message.error() is None:
                do(message)
    consumer.close()
