"""Sends what the shoppers do."""

import shop
from confluent_kafka import Producer
from settings import BROKERS, TOPIC


def key(shopper: int, cart: int) -> str:
    """Six partitions, six keys. (But the hash puts several of them into the same partition.)"""
    return f"{shopper}-{cart % 6}" if shopper == 4711 else str(shopper)


producer = Producer({"bootstrap.servers": BROKERS,
                     "enable.idempotence": True,
                     "partitioner": "murmur2_random"})
for shopper, cart, step in shop.steps():
    producer.produce(TOPIC, key=key(shopper, cart),
                     value=shop.event(shopper, cart, step))
if left := producer.flush(60):
    raise SystemExit(f"{left} records are not acknowledged: ./run status")
print("sent")
