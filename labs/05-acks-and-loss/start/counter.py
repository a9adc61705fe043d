"""The plumbing of a till. Not to be changed.

Reads one purchase per line, sends it to the topic that the first argument
names, and writes a line when Kafka has answered:

    receipt OFFSET PURCHASE    acknowledged
    refused REASON PURCHASE    not acknowledged, and the producer has given up
"""

import os
import select
import sys

from confluent_kafka import Producer
from settings import BROKERS


def sell(settings):
    producer = Producer({"bootstrap.servers": BROKERS, "log_level": 0,
                         "message.timeout.ms": 120000, **settings})
    unread = b""
    while True:
        producer.poll(0)  # Answers arrive here.
        if not select.select([0], [], [], 0.01)[0]:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, unread = (unread + read).split(b"\n")
        for line in lines:
            producer.produce(sys.argv[1], line, on_delivery=answered)
    producer.flush()


def answered(error, message):
    words = (f"refused {error.name()}" if error
             else f"receipt {message.offset()}")
    print(words, message.value().decode(), flush=True)
