"""Sends purchases that were made on one day and received later. Not to be changed."""

import datetime
import io
import json
import random
import urllib.request
import uuid

import fastavro
from confluent_kafka import Producer
from settings import BROKERS, REGISTRY, TOPIC

UTC = datetime.timezone.utc
TODAY = datetime.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day(ago: int) -> datetime.datetime:
    return TODAY - datetime.timedelta(days=ago)


class Shop:
    def __init__(self, seed: int):
        self.chance = random.Random(seed)
        with urllib.request.urlopen(f"{REGISTRY}/subjects/{TOPIC}-value/versions/latest", timeout=10) as reply:
            registered = json.load(reply)
        self.schema = fastavro.parse_schema(json.loads(registered["schema"]))
        self.frame = b"\0" + registered["id"].to_bytes(4, "big")
        self.producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True,
                                  "partitioner": "murmur2_random"})

    def sell(self, made: datetime.datetime, received: datetime.datetime | None = None, sender: str = "till") -> None:
        """received: what Kafka shall have as the record's time; by default now."""
        user = self.chance.randrange(1, 500)
        value = io.BytesIO()
        fastavro.schemaless_writer(value, self.schema, {
            "event_id": str(uuid.UUID(int=self.chance.getrandbits(128), version=4)), "user_id": user,
            "region": self.chance.choice(["US", "EU", "ASIA"]), "product_id": "ELE-0001", "product_name": "Radio",
            "quantity": 1, "amount": self.chance.randrange(100, 9999) / 100, "currency": "USD", "timestamp": made})
        at = {"timestamp": int(received.timestamp() * 1000)} if received else {}
        self.producer.produce(TOPIC, key=str(user), value=self.frame + value.getvalue(),
                              headers={"sender": sender.encode()}, **at)

    def close(self) -> None:
        if left := self.producer.flush(60):
            raise SystemExit(f"{left} purchases are not acknowledged: ./run status")
