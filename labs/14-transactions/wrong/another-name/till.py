"""Sells under a new name at each start. (Then nobody ends what a killed till has left open.)"""

import uuid

from confluent_kafka import Producer
from settings import BROKERS, TOPIC
from shop import charge, orders

producer = Producer({"bootstrap.servers": BROKERS, "transactional.id": f"till-{uuid.uuid4()}",
                     "transaction.timeout.ms": 600_000})
producer.init_transactions()
for order in orders():
    producer.begin_transaction()
    for purchase in order.purchases:
        producer.produce(TOPIC, **purchase, on_delivery=order.delivered)
    producer.flush()
    if charge(order):
        producer.commit_transaction()
    else:
        producer.abort_transaction()
