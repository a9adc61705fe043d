"""Sells: each order is a transaction."""

from confluent_kafka import Producer
from settings import BROKERS, GROUP, TOPIC
from shop import charge, orders

producer = Producer({"bootstrap.servers": BROKERS, "transactional.id": f"{GROUP}-till"})
producer.init_transactions()  # Aborts what a killed till has left open.
for order in orders():
    producer.begin_transaction()
    for purchase in order.purchases:
        producer.produce(TOPIC, **purchase, on_delivery=order.delivered)
    producer.flush()
    if charge(order):
        producer.commit_transaction()
    else:
        producer.abort_transaction()
