"""Sends what the shoppers do."""

import random

import shop
from confluent_kafka import Producer
from settings import BROKERS, TOPIC

dice = random.Random(1)


def key(shopper: int, cart: int) -> str:
    """Anywhere. (But the records of a cart part.)"""
    return f"{shopper}-{dice.randrange(1000)}" if shopper == 4711 else str(shopper)


producer = Producer({"bootstrap.servers": BROKERS,
                     "enable.idempotence": True,
                     "partitioner": "murmur2_random"})
for shopper, cart, step in shop.steps():
    producer.produce(TOPIC, key=key(shopper, cart),
                     value=shop.event(shopper, cart, step))
if left := producer.flush(60):
    raise SystemExit(f"{left} records are not acknowledged: ./run status")
print("sent")
