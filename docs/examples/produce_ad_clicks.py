"""Sends clicks with Confluent's own client, half of them of a newer schema; see docs/your-own-events.md."""

import argparse
import copy
import json
import pathlib
import time
import uuid

from confluent_kafka import SerializingProducer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import StringSerializer

SCHEMA = pathlib.Path(__file__).parents[2] / "schemas/examples/ad_click.avsc"


def newer(schema: dict) -> dict:
    """The next version: a click may come from a device, and a placement has a width."""
    changed = copy.deepcopy(schema)
    changed["fields"].append({"name": "device", "type": ["null", "string"], "default": None})
    placement = next(field["type"] for field in changed["fields"] if field["name"] == "placement")
    placement["fields"].append({"name": "width", "type": ["null", "int"], "default": None})
    return changed


def click(number: int) -> dict:
    return {"click_id": str(uuid.uuid4()), "campaign": ("spring", "summer", "brand")[number % 3],
            "clicked_at": int(time.time() * 1000), "visitor": None if number % 4 == 0 else f"v{number % 10}",
            "placement": {"page": f"/page/{number % 5}", "slot": number % 3},
            "tags": [f"tag{n}" for n in range(number % 3)], "cost_cents": number % 50}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", default="127.0.0.1:9094")
    parser.add_argument("--registry", default="http://127.0.0.1:8082")
    parser.add_argument("--topic", default="ad-clicks")
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()

    registry = SchemaRegistryClient({"url": arguments.registry})
    schema = json.loads(SCHEMA.read_text())
    versions = [schema, newer(schema)]
    producers = [SerializingProducer({
        "bootstrap.servers": arguments.bootstrap, "acks": "all",
        "key.serializer": StringSerializer(),
        "value.serializer": AvroSerializer(registry, json.dumps(version)),
    }) for version in versions]
    for number in range(arguments.count):
        value = click(number)
        if number % 2:
            value["device"] = "phone"
            value["placement"]["width"] = 300 + number % 20
        producers[number % 2].produce(arguments.topic, key=value["campaign"], value=value)
        producers[number % 2].poll(0)
    for producer in producers:
        if producer.flush(30):
            raise SystemExit("Not all clicks were delivered; are the brokers up?")
    print(f"{arguments.count} clicks sent to {arguments.topic}")


if __name__ == "__main__":
    main()
