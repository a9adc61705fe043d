"""Sends what the shoppers do."""

import shop
from confluent_kafka import Producer
from settings import BROKERS, TOPIC

producer = Producer({
    "bootstrap.servers": BROKERS,
    "enable.idempotence": True,
    # Records without a key come far apart: each goes to another partition.
    "sticky.partitioning.linger.ms": 0,
})
for user, step in shop.steps():
    producer.produce(TOPIC, value=shop.event(user, step))
if left := producer.flush(60):
    raise SystemExit(f"{left} records are not acknowledged: ./run status")
print("sent")
