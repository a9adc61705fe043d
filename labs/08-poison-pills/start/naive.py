"""Reads partition 0 of the topic, and continues where it stopped last time. The other partitions have other readers."""

import io
import json
import urllib.request

import fastavro
from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, REGISTRY, TOPIC

schemas = {}


def decode(value: bytes) -> dict:
    """Confluent's format: a zero, four bytes with the schema's number, and Avro."""
    if value[0] != 0:
        raise ValueError(f"it begins with {value[0]}")
    number = int.from_bytes(value[1:5], "big")
    if number not in schemas:
        with urllib.request.urlopen(f"{REGISTRY}/schemas/ids/{number}", timeout=10) as reply:
            schemas[number] = fastavro.parse_schema(json.loads(json.load(reply)["schema"]))
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[number])


consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-naive", "enable.auto.commit": False,
                     "enable.partition.eof": True, "auto.offset.reset": "earliest"})
consumer.assign([TopicPartition(TOPIC, 0)])
read, position = 0, None
try:
    while True:
        message = consumer.poll(10)
        if message is None or message.error():
            print(f"the end: {read} records")
            break
        decode(message.value())
        read, position = read + 1, message.offset() + 1
except Exception as error:
    print(f"{read} records, then offset {message.offset()}: {type(error).__name__}: {error}")
finally:
    if position is not None:
        consumer.commit(offsets=[TopicPartition(TOPIC, 0, position)], asynchronous=False)
    consumer.close()
