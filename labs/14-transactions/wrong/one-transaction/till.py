"""One transaction for the whole day. (A refused order takes the paid ones before it along.)"""

from confluent_kafka import Producer
from settings import BROKERS, GROUP, TOPIC
from shop import charge, orders

producer = Producer({"bootstrap.servers": BROKERS, "transactional.id": f"{GROUP}-till"})
producer.init_transactions()
producer.begin_transaction()
for order in orders():
    for purchase in order.purchases:
        producer.produce(TOPIC, **purchase, on_delivery=order.delivered)
    producer.flush()
    if not charge(order):
        producer.abort_transaction()
        producer.begin_transaction()
producer.commit_transaction()
