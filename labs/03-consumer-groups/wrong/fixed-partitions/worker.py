"""Without a group's rebalances there is no pause. (But then nobody shares the work.)"""

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, TOPIC


def settings(group: str) -> dict:
    return {"bootstrap.servers": BROKERS, "group.id": group, "auto.offset.reset": "earliest"}


def begin(consumer: Consumer, on_assign, on_revoke) -> None:
    mine = [TopicPartition(TOPIC, p, 0) for p in range(3)]
    consumer.assign(mine)
    on_assign(consumer, mine)
