"""How a worker reads the topic. This is the file to change."""

from confluent_kafka import Consumer
from settings import BROKERS, TOPIC


def settings(group: str) -> dict:
    return {"bootstrap.servers": BROKERS, "group.id": group,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "range"}


def begin(consumer: Consumer, on_assign, on_revoke) -> None:
    consumer.subscribe([TOPIC], on_assign=on_assign, on_revoke=on_revoke)
