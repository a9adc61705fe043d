"""The shop's orders and payments, and the display's screen. Not to be changed."""

import dataclasses
import io
import json
import os
import random
import signal
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, Message
from settings import REGISTRY, TOPIC

ORDERS = 10
REFUSED = (2, 5, 9)
KILLED_AT = int(os.environ.get("KILLED_AT", "-1"))  # The checker has the till killed while it charges this order.

run = uuid.uuid4().hex[:4]  # Of the till: orders of another run have other names.


@dataclasses.dataclass
class Order:
    number: int
    purchases: list[dict[str, Any]]  # What produce() needs, except the topic.
    acknowledged: int = 0

    @property
    def name(self) -> str:
        return f"{run}-{self.number}"

    def delivered(self, error: KafkaError | None, _: Message) -> None:
        """The producer's on_delivery."""
        if error:
            raise KafkaException(error)
        self.acknowledged += 1


def orders() -> Iterator[Order]:
    """Each has two to four purchases. Their keys are products, so that they are in different partitions."""
    with urllib.request.urlopen(f"{REGISTRY}/subjects/{TOPIC}-value/versions/latest", timeout=10) as reply:
        registered = json.load(reply)
    schema = fastavro.parse_schema(json.loads(registered["schema"]))
    chance = random.Random(run)
    for number in range(ORDERS):
        order = Order(number, [])
        count = chance.randint(2, 4)
        for i in range(count):
            product = f"ELE-{chance.randrange(1, 100):04}"
            value = io.BytesIO(b"\0" + registered["id"].to_bytes(4, "big"))
            value.seek(0, io.SEEK_END)
            fastavro.schemaless_writer(value, schema, {
                "event_id": f"{order.name}-{i}", "user_id": number, "region": "EU", "product_id": product,
                "product_name": "Radio", "quantity": 1, "amount": chance.randrange(100, 9999) / 100, "currency": "EUR",
                "timestamp": 1_760_000_000_000})
            order.purchases.append({"key": product, "value": value.getvalue(),
                                    "headers": {"order": order.name.encode(), "purchases": str(count).encode()}})
        yield order


def charge(order: Order) -> bool:
    """Whether the customer pays."""
    if order.acknowledged < len(order.purchases):
        raise SystemExit(f"order {order.number}: Kafka has not acknowledged all purchases, so nothing can be charged: flush() first")
    if order.number == KILLED_AT:
        os.kill(os.getpid(), signal.SIGKILL)
    paid = order.number not in REFUSED
    with open("payments.jsonl", "a") as file:
        file.write(json.dumps({"order": order.name, "paid": paid}) + "\n")
    print(f"order {order.number} is {'paid' if paid else 'refused'}")
    return paid


def until_end(consumer: Consumer) -> Iterator[Message]:
    """Every record that the consumer gets. At the end of each partition, one message without a record: its error() says
    that this is the end, and its offset() is where reading would continue."""
    open_partitions = {p.partition for p in consumer.assignment()}
    while open_partitions:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error() and message.error().code() != KafkaError._PARTITION_EOF:
            raise KafkaException(message.error())
        if message.error():
            open_partitions.discard(message.partition())
        yield message


def show(message: Message) -> None:
    """One purchase on the display."""
    name = dict(message.headers())["order"].decode()
    with open("shown.jsonl", "a") as file:
        file.write(json.dumps({"order": name, "partition": message.partition(), "offset": message.offset()}) + "\n")
    print(f"order {name}: offset {message.offset()} of partition {message.partition()}")
