"""sink.py NAME PARTITION: copies a partition into the table, until its end. Not to be changed."""

import os
import signal
import sys

from committer import commit
from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC
from table import Table

BATCH = 50

name, partition = sys.argv[1], int(sys.argv[2])
table = Table(name)
table.take_lease(partition)
consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-{name}", "enable.auto.commit": False})
end = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=20)[1]
position = table.read().next.get(partition, 0)
frozen = False
while position < end:
    consumer.assign([TopicPartition(TOPIC, partition, position)])
    rows = [message.offset() for message in consumer.consume(min(BATCH, end - position), timeout=20)]
    if os.environ.get("FREEZE") == "before" and not frozen:
        frozen = True
        os.kill(os.getpid(), signal.SIGSTOP)
    if not commit(table, partition, position, rows[-1] + 1, rows):
        print(f"sink {name}: the rows from {position} on are refused, so another sink is at work")
        break
    position = rows[-1] + 1
consumer.close()
