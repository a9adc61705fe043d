"""Sells. This is one of the two files to change."""

from confluent_kafka import Producer
from settings import BROKERS, GROUP, TOPIC
from shop import charge, orders

producer = Producer({"bootstrap.servers": BROKERS})
for order in orders():
    for purchase in order.purchases:
        producer.produce(TOPIC, **purchase, on_delivery=order.delivered)
    producer.flush()
    charge(order)  # True if it is paid, False if it is refused.
