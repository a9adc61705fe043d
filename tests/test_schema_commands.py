"""The schema commands with references, strategies of subjects, and what the registry says about compatibility."""

import json
import pathlib
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.schema_registry import (Schema, SchemaRegistryClient, record_subject_name_strategy,
                                             topic_record_subject_name_strategy)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from deltalake import DeltaTable

from shopstream import Shopstream

NO_FIELDS = {"SHOPSTREAM_INGEST_PARTITION_FIELD": "", "SHOPSTREAM_INGEST_EVENT_TIME_FIELD": ""}


def record(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "namespace": "shop",
            "fields": [{"name": field, "type": kind} for field, kind in fields.items()]}


def file(folder: pathlib.Path, name: str, schema: dict[str, Any]) -> pathlib.Path:
    path = folder / f"{name}.avsc"
    path.write_text(json.dumps(schema))
    return path


def test_references_two_deep_are_registered_compared_and_ingested(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    land, line, order = (f"{shopstream.topic}-{name}" for name in ("land", "line", "order"))
    subject = f"{shopstream.topic}-value"
    shopstream.run("schema", "register", file(tmp_path, "land", record("Land", code="string")), "--subject", land)
    parts = file(tmp_path, "line", record("Line", sku="string", origin="shop.Land"))
    alone = shopstream.run("schema", "register", parts, "--subject", line, expect=1)
    assert 'unknown type "shop.Land"' in alone.stderr and "--reference NAME=SUBJECT:VERSION" in alone.stderr
    shopstream.run("schema", "register", parts, "--subject", line, "--reference", f"shop.Land={land}:latest")
    # Both name Land: a diamond.
    whole = file(tmp_path, subject.removesuffix("-value"), record("Order", line="shop.Line", to="shop.Land"))
    both = ("--reference", f"shop.Line={line}:1", "--reference", f"shop.Land={land}:-1")
    assert "first version" in shopstream.run("schema", "check", whole, *both).stdout
    registered = shopstream.json("schema", "register", whole, *both)
    assert registered["version"] == 1
    for wrong in ("shop.Line", "=s:1", "a=b", "a=b:", "a=b:x", "a=b:0"):
        assert "NAME=SUBJECT:VERSION" in shopstream.run("schema", "check", whole, "--reference", wrong, expect=1).stderr

    out = tmp_path / "out.avsc"
    shown = shopstream.run("schema", "show", subject, "--version", 1, "-o", out)
    assert shown.stdout == "" and subject in shown.stderr
    assert json.loads(shopstream.run("schema", "show", registered["id"]).stdout) == json.loads(out.read_text())
    assert "No change" in shopstream.run("schema", "diff", whole, "--subject", subject).stdout
    assert "No change" in shopstream.run("schema", "diff", out, "--subject", subject).stdout
    folder = tmp_path / "folder"
    folder.mkdir()
    whole.rename(folder / whole.name)
    assert "same" in shopstream.run("schema", "verify", folder).stdout

    # The record: line (sku, origin (code)), to (code).
    shopstream.run("topics", "setup")
    producer = Producer({"bootstrap.servers": shopstream.cluster.bootstrap_servers, "log_level": 0})
    producer.produce(shopstream.topic, b"\0" + registered["id"].to_bytes(4, "big") + b"\x02a\x04PT\x04DE")
    assert producer.flush(20) == 0
    shopstream.run("ingest", "--until-caught-up", **NO_FIELDS)
    rows = DeltaTable(str(shopstream.lake / "bronze-events")).to_pyarrow_table(columns=["line", "to"]).to_pylist()
    assert rows == [{"line": {"sku": "a", "origin": {"code": "PT"}}, "to": {"code": "DE"}}]


def test_check_gives_the_registrys_verdict_under_its_level(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    subject = f"{shopstream.topic}-value"
    registry = SchemaRegistryClient({"url": shopstream.cluster.registry_url})
    optional: dict[str, Any] = {"b": ["null", "string"]}
    versions = [record("Event", a="int"), record("Event", a="int", **optional)]
    versions[1]["fields"][1]["default"] = None
    for number, version in enumerate(versions):
        shopstream.run("schema", "register", file(tmp_path, str(number), version))
    third = file(tmp_path, "third", record("Event", a="long"))
    assert "compatible under BACKWARD with version 2" in shopstream.run("schema", "check", third).stdout
    registry.set_compatibility(subject, "BACKWARD_TRANSITIVE")
    assert "compatible under BACKWARD_TRANSITIVE with versions 1-2" in shopstream.run("schema", "check", third).stdout
    registry.set_compatibility(subject, "FULL")
    verdict = shopstream.json("schema", "check", third, expect=3)
    assert (verdict["level"], verdict["versions"], verdict["compatible"]) == ("FULL", [2], False)
    beside = versions[1] | {"fields": [*versions[1]["fields"], {"name": "at", "type": "long", "default": 0,
                                                                "logicalType": "timestamp-millis"}]}
    warned = shopstream.run("schema", "check", file(tmp_path, "beside", beside)).stderr
    assert 'the logicalType timestamp-millis of field at is beside "type"' in warned


def test_the_registry_decides_about_defaults_types_and_comments(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    subject = f"{shopstream.topic}-value"
    wrong_default = record("Event", a="int")
    wrong_default["fields"][0]["default"] = "x"
    path = file(tmp_path, subject.removesuffix("-value"), wrong_default)
    shopstream.run("schema", "register", path)
    assert "No change" in shopstream.run("schema", "diff", path).stdout
    assert "same" in shopstream.run("schema", "verify", tmp_path).stdout
    by_record = {"SHOPSTREAM_REGISTRY_SUBJECT_STRATEGY": "record"}
    commented = tmp_path / "commented.avsc"
    commented.write_text("/* an event */ " + json.dumps(record("Commented", a="int")))
    shopstream.run("schema", "register", commented, **by_record)
    assert "of subject shop.Commented to" in shopstream.run("schema", "diff", commented, **by_record).stdout
    nameless = tmp_path / "nameless.avsc"
    nameless.write_text('"int"')
    for command in ("register", "check", "diff"):
        refused = shopstream.run("schema", command, nameless, expect=1, **by_record).stderr
        assert f"needs a record's name, and {nameless} has none; use --subject" in refused, command
    registry = SchemaRegistryClient({"url": shopstream.cluster.registry_url})
    registry.register_schema(f"{subject}-json", Schema('{"type": "object"}', "JSON"))
    verdict = shopstream.json("schema", "check", path, "--subject", f"{subject}-json", expect=3)
    assert not verdict["compatible"] and "change" not in verdict


@pytest.mark.parametrize(("strategy", "subject_of"), [("record", record_subject_name_strategy),
                                                     ("topic_record", topic_record_subject_name_strategy)])
def test_subjects_are_those_of_confluents_client(shopstream: Shopstream, strategy: str, subject_of: Any) -> None:
    setting = {"SHOPSTREAM_REGISTRY_SUBJECT_STRATEGY": strategy}
    shopstream.run("topics", "setup")
    shopstream.run("generate", "--count", 3, **setting)
    registry = SchemaRegistryClient({"url": shopstream.cluster.registry_url})
    context = SerializationContext(shopstream.topic, MessageField.VALUE)
    theirs = subject_of(context, "com.shopstream.events.PurchaseEvent")
    assert theirs in registry.get_subjects() and f"{shopstream.topic}-value" not in registry.get_subjects()
    # A record of their serializer, whose schema is a version of the same subject.
    purchase = registry.get_latest_version(theirs).schema
    serialize = AvroSerializer(registry, purchase, conf={"subject.name.strategy": subject_of,
                                                         "auto.register.schemas": False})
    value = {"event_id": "0e2d7a1c-8f0e-4c5e-9d55-000000000000", "user_id": 1, "region": "EU", "product_id": "p",
             "product_name": "n", "quantity": 1, "amount": 1.5, "currency": "EUR", "timestamp": 1_761_264_000_000}
    producer = Producer({"bootstrap.servers": shopstream.cluster.bootstrap_servers, "log_level": 0})
    producer.produce(shopstream.topic, serialize(value, context))
    assert producer.flush(20) == 0
    shopstream.run("ingest", "--until-caught-up", **setting)
    assert DeltaTable(str(shopstream.lake / "bronze-events")).to_pyarrow_table().num_rows == 4
