"""Writes and reads purchases, in Avro. Not to be changed."""

import io
import json
import random
import urllib.request
import uuid
from datetime import datetime, timezone

import fastavro
from confluent_kafka import Message, Producer
from settings import BROKERS, REGISTRY, TOPIC

with urllib.request.urlopen(f"{REGISTRY}/subjects/{TOPIC}-value/versions/latest", timeout=10) as reply:
    registered = json.load(reply)
SCHEMA = fastavro.parse_schema(json.loads(registered["schema"]))
FRAME = b"\0" + registered["id"].to_bytes(4, "big")


def amount(message: Message) -> float:
    return fastavro.schemaless_reader(io.BytesIO(message.value()[len(FRAME):]), SCHEMA)["amount"]


def sent(message: Message) -> datetime:
    return at(message.timestamp()[1])


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def sell(times: list[int], seed: int) -> None:
    """Sends a purchase at each of these times, in milliseconds."""
    chance = random.Random(seed)
    producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True, "partitioner": "murmur2_random"})
    for time in sorted(times):
        user = chance.randrange(1, 500)
        value = io.BytesIO()
        fastavro.schemaless_writer(value, SCHEMA, {
            "event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "user_id": user,
            "region": chance.choice(["US", "EU", "ASIA"]), "product_id": "ELE-0001", "product_name": "Radio",
            "quantity": 1, "amount": chance.randrange(1000, 9999) / 100, "currency": "USD", "timestamp": at(time)})
        producer.produce(TOPIC, key=str(user), value=FRAME + value.getvalue(), timestamp=time)
    if left := producer.flush(60):
        raise SystemExit(f"{left} purchases are not acknowledged: ./run status")
