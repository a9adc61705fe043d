"""Sends 60 purchases with the newest version of the schema. Not to be changed."""

import datetime
import io
import json
import random
import urllib.request
import uuid

import fastavro
from confluent_kafka import Producer
from settings import BROKERS, REGISTRY, TOPIC

with urllib.request.urlopen(f"{REGISTRY}/subjects/{TOPIC}-value/versions/latest", timeout=10) as reply:
    registered = json.load(reply)
schema = json.loads(registered["schema"])
parsed = fastavro.parse_schema(schema)
producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True, "partitioner": "murmur2_random"})
for number in range(60):
    purchase = {"event_id": str(uuid.uuid4()), "user_id": number, "region": "EU", "product_id": "ELE-0001",
                "product_name": "Radio", "quantity": 1, "amount": 9.5, "currency": "EUR",
                "timestamp": datetime.datetime.now(datetime.timezone.utc), "coupon": random.choice(["SPRING", "FRIEND", ""])}
    value = io.BytesIO(b"\0" + registered["id"].to_bytes(4, "big"))
    value.seek(5)
    fastavro.schemaless_writer(value, parsed, {field["name"]: purchase[field["name"]] for field in schema["fields"]})
    producer.produce(TOPIC, key=str(number), value=value.getvalue())
if left := producer.flush(60):
    raise SystemExit(f"{left} purchases are not acknowledged: ./run status")
print(f"60 purchases sent with version {registered['version']} of the schema")
