"""Each order is a transaction. (But it is committed before the customer is charged.)"""

from confluent_kafka import Producer
from settings import BROKERS, GROUP, TOPIC
from shop import charge, orders

producer = Producer({"bootstrap.servers": BROKERS, "transactional.id": f"{GROUP}-till"})
producer.init_transactions()
for order in orders():
    producer.begin_transaction()
    for purchase in order.purchases:
        producer.produce(TOPIC, **purchase, on_delivery=order.delivered)
    producer.commit_transaction()
    charge(order)
