"""One worker. This is the file to change."""

from confluent_kafka import Consumer
from settings import TOPIC


def work(settings: dict, do, closing) -> None:
    """do(message): does a task; False if it has failed.
    closing(): whether the crew goes home."""
    consumer = Consumer({**settings, "auto.offset.reset": "earliest",
                         "enable.auto.commit": False})
    consumer.subscribe([TOPIC])
    while not closing():
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            do(message)
            consumer.commit(message)
    consumer.close()
