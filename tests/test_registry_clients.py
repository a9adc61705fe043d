"""The clients that people use work with our registry: Confluent's for Python and Go, franz-go's, and the requests that
Confluent's serializers for Java send."""

import json
import subprocess
import urllib.error
import urllib.request
from typing import Any

import pytest
from confluent_kafka.schema_registry import ConfigCompatibilityLevel, Metadata, MetadataProperties, \
    Rule, RuleKind, RuleMode, RuleSet, Schema, SchemaReference, SchemaRegistryClient, ServerConfig, \
    topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

from places import DEPS
from shopstream import Shopstream


def record(name: str, *fields: dict) -> str:
    return json.dumps({"type": "record", "name": name, "namespace": "clients",
                       "fields": [{"name": "id", "type": "string"}, *fields]}, separators=(",", ":"))


def properties(**values: str) -> Metadata:
    return Metadata(None, MetadataProperties(values), None)


AMOUNT = {"name": "amount", "type": "double", "default": 0}


@pytest.fixture
def subject(shopstream: Shopstream) -> str:
    return f"{shopstream.topic}-value"


@pytest.fixture
def registry(shopstream: Shopstream) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": shopstream.cluster.registry_url})


def code(refused: pytest.ExceptionInfo[SchemaRegistryError]) -> int:
    return refused.value.error_code


def test_the_go_clients(shopstream: Shopstream) -> None:
    done = subprocess.run([DEPS / "registry-clients/registry-clients", shopstream.cluster.registry_url,
                           shopstream.topic], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_python_client_registers(registry: SchemaRegistryClient, subject: str) -> None:
    plain, grown = Schema(record("Order"), "AVRO"), Schema(record("Order", AMOUNT), "AVRO")
    first = registry.register_schema(subject, plain)
    registry.clear_caches()
    full = registry.register_schema_full_response(subject, plain, normalize_schemas=True)
    assert full.schema_id == first, "an equal schema is found, whatever its form"
    assert registry.register_schema(subject, grown) != full.schema_id
    registry.clear_caches()
    assert "AVRO" in registry.get_schema_types()
    assert registry.get_schema(full.schema_id).schema_str == plain.schema_str
    assert registry.get_schema(full.schema_id, subject_name=subject, fmt="resolved").schema_str == plain.schema_str
    assert subject in registry.get_subjects_by_schema_id(full.schema_id)
    assert (subject, 1) in [(v.subject, v.version) for v in registry.get_schema_versions(full.schema_id)]
    assert registry.lookup_schema(subject, grown, normalize_schemas=True).version == 2
    assert registry.get_versions(subject) == [1, 2]
    assert [registry.get_version(subject, n).version for n in (1, "latest")] == [1, 2]
    assert not registry.test_compatibility(subject, Schema(record("Order", {"name": "x", "type": "int"}), "AVRO"))
    assert registry.test_compatibility_all_versions(subject, grown)
    assert "." in [context.strip(":") or "." for context in registry.get_contexts()]
    assert subject in registry.get_subjects()

    refers = Schema(record("Cart", {"name": "order", "type": "clients.Order"}), "AVRO",
                    [SchemaReference("clients.Order", subject, 2)])
    cart = registry.register_schema(f"{subject}-cart", refers)
    assert registry.get_referenced_by(subject, 2) == [cart]
    with pytest.raises(SchemaRegistryError) as protected:
        registry.delete_subject(subject)
    assert code(protected) == 42206
    registry.delete_subject(f"{subject}-cart")
    assert registry.delete_version(subject, 2) == 2
    registry.clear_caches()
    with pytest.raises(SchemaRegistryError) as deleted:
        registry.get_version(subject, 2)
    assert code(deleted) == 40402
    assert registry.get_version(subject, 2, deleted=True).version == 2


def test_metadata_and_rules_of_the_python_client(registry: SchemaRegistryClient, subject: str) -> None:
    rules = RuleSet(migration_rules=None, encoding_rules=None, domain_rules=[
        Rule("short", None, RuleKind.CONDITION, RuleMode.WRITE, "CEL", None, None, "size(message.id) < 9", None,
             "ERROR", False)])
    metadata = properties(major="1", owner="Zoë")
    first = registry.register_schema(subject, Schema(record("Order"), "AVRO", [], metadata, rules))
    assert registry.register_schema(subject, Schema(record("Order"), "AVRO")) == first, "with or without metadata"
    registry.register_schema(subject, Schema(record("Order", AMOUNT), "AVRO"))
    registry.clear_caches()
    inherited = registry.get_latest_version(subject).schema
    assert inherited.metadata is not None and inherited.metadata.properties == metadata.properties
    assert inherited.rule_set is not None and [rule.name for rule in inherited.rule_set.domain_rules] == ["short"]
    assert registry.get_latest_with_metadata(subject, {"major": "1"}).version == 2
    with pytest.raises(SchemaRegistryError) as none:
        registry.get_latest_with_metadata(subject, {"major": "2"})
    assert code(none) == 40403


def test_settings_of_the_python_client(registry: SchemaRegistryClient, subject: str) -> None:
    registry.set_config(subject, ServerConfig(compatibility=ConfigCompatibilityLevel.FORWARD, compatibility_group="major",
                                              default_metadata=properties(owner="shop")))
    registry.set_compatibility(subject, "FULL")  # The other settings stay.
    config = registry.get_config(subject)
    assert (config.compatibility_level, config.compatibility_group) == ("FULL", "major")
    assert config.default_metadata.properties == MetadataProperties({"owner": "shop"})
    registry.register_schema(subject, Schema(record("Order"), "AVRO"))
    registry.clear_caches()
    assert registry.get_latest_version(subject).schema.metadata.properties == MetadataProperties({"owner": "shop"})
    registry.delete_config(subject)
    with pytest.raises(SchemaRegistryError) as unset:
        registry.get_config(subject)
    assert code(unset) == 40408
    assert registry.update_mode(subject, "READONLY") == "READONLY"
    with pytest.raises(SchemaRegistryError) as refused:
        registry.register_schema(subject, Schema(record("Order", AMOUNT), "AVRO"))
    assert code(refused) == 42205
    registry.delete_mode(subject)
    assert registry.get_global_mode() == "READWRITE"


@pytest.mark.parametrize("settings", [
    {},
    {"normalize.schemas": True},
    {"auto.register.schemas": False, "use.latest.version": True},
    {"auto.register.schemas": False, "use.latest.with.metadata": {"major": "1"}},
    {"subject.name.strategy": topic_subject_name_strategy},
])
def test_the_python_serializer(registry: SchemaRegistryClient, shopstream: Shopstream, subject: str,
                               settings: dict[str, Any]) -> None:
    schema = Schema(record("Order", AMOUNT), "AVRO", [], properties(major="1"))
    if not settings.get("auto.register.schemas", True):
        registry.register_schema(subject, schema)
    context = SerializationContext(shopstream.topic, MessageField.VALUE)
    value = {"id": "é", "amount": 2.5}
    framed = AvroSerializer(registry, schema, conf=settings)(value, context)
    assert AvroDeserializer(SchemaRegistryClient({"url": shopstream.cluster.registry_url}))(framed, context) == value


@pytest.mark.parametrize(("kind", "text"), [
    ("JSON", '{"type": "object", "properties": {"id": {"type": "string"}}}'),
    ("PROTOBUF", 'syntax = "proto3";\nmessage Order {\n  string id = 1;\n}\n'),
])
def test_schemas_of_other_types_are_kept(registry: SchemaRegistryClient, subject: str, kind: str, text: str) -> None:
    schema = Schema(text, kind)
    number = registry.register_schema(subject, schema)
    assert registry.register_schema(subject, schema) == number
    registry.clear_caches()
    latest = registry.get_latest_version(subject)
    assert (latest.schema.schema_type, latest.schema.schema_str) == (kind, text)
    assert registry.get_schema(number).schema_type == kind


def java(registry_url: str, method: str, path: str, body: dict | None = None) -> Any:
    """A request as io.confluent's RestService sends it."""
    data = json.dumps(body, separators=(",", ":")).encode() if body is not None else None
    request = urllib.request.Request(f"{registry_url}{path}", data, method=method, headers={
        "Content-Type": "application/vnd.schemaregistry.v1+json",
        "Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",  # HttpURLConnection's own.
        "X-Forward": "true", "Accept-Version": "7.9.0", "User-Agent": "Java/17.0.15"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        assert reply.headers["Content-Type"] == "application/vnd.schemaregistry.v1+json"
        return json.loads(reply.read())


def test_the_requests_of_the_java_serializer(shopstream: Shopstream, subject: str) -> None:
    url = shopstream.cluster.registry_url
    text = record("Order")
    body = {"version": 0, "id": -1, "schemaType": None, "schema": text, "references": [], "metadata": None,
            "ruleSet": None, "schemaTagsToAdd": None, "schemaTagsToRemove": None}
    lean = {name: value for name, value in body.items() if value not in (None, 0, -1)}
    first = java(url, "POST", f"/subjects/{subject}/versions?normalize=false", lean)["id"]
    assert java(url, "POST", f"/subjects/{subject}/versions?normalize=true", {"schema": text})["id"] == first
    assert java(url, "POST", f"/subjects/{subject}/versions?normalize=false", body)["id"] == first
    read = java(url, "GET", f"/schemas/ids/{first}?fetchMaxId=false&subject={subject}")
    assert read["schema"] == text
    read = java(url, "GET", f"/schemas/ids/{first}?fetchMaxId=true&subject={subject}")
    assert read["schema"] == text and read["maxId"] >= first
    looked = java(url, "POST", f"/subjects/{subject}?normalize=false&deleted=true", lean)
    assert (looked["subject"], looked["version"], looked["id"]) == (subject, 1, first)
    assert java(url, "GET", f"/subjects/{subject}/versions/latest")["id"] == first
    assert java(url, "GET", f"/subjects/{subject}/versions/1?deleted=false")["id"] == first
    config = java(url, "GET", f"/config/{subject}?defaultToGlobal=true")
    assert config["compatibilityLevel"] == "BACKWARD"
    verdict = java(url, "POST", f"/compatibility/subjects/{subject}/versions/latest?verbose=true", lean)
    assert verdict == {"is_compatible": True, "messages": []} or verdict == {"is_compatible": True}
    with pytest.raises(urllib.error.HTTPError) as unknown:
        java(url, "GET", "/schemas/ids/2000000000?fetchMaxId=false")
    assert json.loads(unknown.value.read())["error_code"] == 40403
