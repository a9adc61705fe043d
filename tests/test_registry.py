"""The registry on real brokers, through Confluent's own client; and the `schema` commands."""

import concurrent.futures
import contextlib
import json
import pathlib
import random
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.schema_registry import (
    Metadata, MetadataProperties, Schema, SchemaReference, SchemaRegistryClient, SchemaRegistryError, ServerConfig)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from cluster import Cluster
from conftest import free_ports
from shopstream import Running, Shopstream
from waiting import wait_until

PURCHASE = pathlib.Path(__file__).resolve().parent.parent / "schemas/purchase_event.avsc"


def record(name: str, *fields: dict) -> str:
    return json.dumps({"type": "record", "name": name,
                       "fields": [{"name": "id", "type": "string"}, *fields]})


def call(url: str, body: dict | None = None, timeout: float = 45, method: str | None = None) -> tuple[int, Any]:
    """Status and parsed body; raises OSError if there is no answer."""
    request = urllib.request.Request(
        url, data=None if body is None else json.dumps(body).encode(), method=method,
        headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def read_log(cluster: Cluster) -> dict[bytes, bytes]:
    """The last committed record of each key in `_schemas` that was not deleted for good. A version never changes:
    another test, or a lab, may only delete its own, and bring it back."""
    consumer = Consumer({"bootstrap.servers": cluster.bootstrap_servers, "group.id": "none",
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "isolation.level": "read_committed"})
    consumer.assign([TopicPartition("_schemas", 0, 0)])
    records: dict[bytes, bytes] = {}
    versions: dict[bytes, dict[str, Any]] = {}
    try:
        while True:
            message = consumer.poll(30)
            assert message is not None, f"_schemas was read no further than {len(records)} records"
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
                return records
            key, value = message.key(), message.value()
            if value is None:
                records.pop(key, None)
                continue
            records[key] = value
            if json.loads(key)["keytype"] == "SCHEMA":
                version = {**json.loads(value), "deleted": "or not"}
                assert versions.setdefault(key, version) == version
    finally:
        consumer.close()


class Instance:
    """A registry for this test only, next to the cluster's, on the same `_schemas`."""

    def __init__(self, shopstream: Shopstream, port: int):
        self.url = f"http://127.0.0.1:{port}"
        self._shopstream = shopstream
        self._port = port
        self.start()

    def start(self) -> None:
        self.process: Running = self._shopstream.start(
            "registry", SHOPSTREAM_REGISTRY_LISTEN=f"127.0.0.1:{self._port}")
        wait_until(self.serves, 30, f"the registry on {self.url} serves")

    def serves(self) -> bool:
        assert self.process.running(), self.process.words()
        try:
            return call(f"{self.url}/subjects")[0] == 200
        except OSError:
            return False

    def register(self, subject: str, schema: str) -> tuple[int, dict]:
        return call(f"{self.url}/subjects/{subject}/versions", {"schema": schema})


@pytest.fixture
def pair(shopstream: Shopstream) -> Iterator[tuple[Instance, Instance]]:
    """Two registries started at the same time on the same topic."""
    ports = free_ports()
    yield Instance(shopstream, ports.brokers), Instance(shopstream, ports.brokers + 1)


def client(shopstream: Shopstream) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": shopstream.cluster.registry_url})


def test_confluent_serializer_and_deserializer(shopstream: Shopstream) -> None:
    event = {"event_id": "e-1", "user_id": 7, "region": "EU", "product_id": "p", "product_name": "Tea",
             "quantity": 2, "amount": 9.98, "currency": "EUR", "timestamp": 1_700_000_000_000}
    context = SerializationContext(shopstream.topic, MessageField.VALUE)
    serialize = AvroSerializer(client(shopstream), PURCHASE.read_text(), lambda value, _: value)
    payload = serialize(event, context)

    latest = client(shopstream).get_latest_version(f"{shopstream.topic}-value")
    assert payload[:5] == b"\0" + latest.schema_id.to_bytes(4, "big")
    read = AvroDeserializer(client(shopstream))(payload, context)
    assert read["product_name"] == "Tea"
    assert read["timestamp"].timestamp() == 1_700_000_000


def test_the_same_schema_has_one_id_in_all_subjects(shopstream: Shopstream) -> None:
    schema = Schema(record(f"R{random.getrandbits(60)}"), "AVRO")
    registry = client(shopstream)
    first = registry.register_schema(f"{shopstream.topic}-a", schema)
    assert registry.register_schema(f"{shopstream.topic}-a", schema) == first
    assert registry.register_schema(f"{shopstream.topic}-b/c d", schema) == first
    assert registry.lookup_schema(f"{shopstream.topic}-b/c d", schema).version == 1
    assert registry.get_schema(first).schema_type == "AVRO"
    assert f"{shopstream.topic}-a" in registry.get_subjects()


def test_incompatible_schema_is_refused(shopstream: Shopstream) -> None:
    registry, subject = client(shopstream), f"{shopstream.topic}-value"
    name = f"R{random.getrandbits(60)}"
    registry.register_schema(subject, Schema(record(name), "AVRO"))
    breaking = Schema(record(name, {"name": "amount", "type": "double"}), "AVRO")
    assert not registry.test_compatibility(subject, breaking)
    with pytest.raises(SchemaRegistryError) as refused:
        registry.register_schema(subject, breaking)
    assert refused.value.http_status_code == 409
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in str(refused.value)
    evolved = Schema(record(name, {"name": "amount", "type": "double", "default": 0}), "AVRO")
    assert registry.test_compatibility(subject, evolved)
    registry.register_schema(subject, evolved)
    assert registry.get_versions(subject) == [1, 2]


def test_unknown_id(shopstream: Shopstream) -> None:
    with pytest.raises(SchemaRegistryError) as unknown:
        client(shopstream).get_schema(2_000_000_000)
    assert unknown.value.http_status_code == 404
    assert unknown.value.error_code == 40403


def test_restart_keeps_ids(shopstream: Shopstream) -> None:
    schema = Schema(record(f"R{random.getrandbits(60)}"), "AVRO")
    subject = f"{shopstream.topic}-value"
    before = client(shopstream).register_schema(subject, schema)
    shopstream.cluster.stop_registry()
    shopstream.cluster.start_registry()
    assert client(shopstream).register_schema(f"{subject}-2", schema) == before
    assert client(shopstream).get_schema(before).schema_str == schema.schema_str.replace(" ", "")
    other = Schema(record(f"R{random.getrandbits(60)}"), "AVRO")
    assert client(shopstream).register_schema(f"{subject}-3", other) > before


def test_the_log_is_in_confluents_format(shopstream: Shopstream) -> None:
    subject = f"{shopstream.topic}-value"
    schema = record(f"R{random.getrandbits(60)}").replace(" ", "")
    id = client(shopstream).register_schema(subject, Schema(schema, "AVRO"))
    key = json.dumps({"keytype": "SCHEMA", "subject": subject, "version": 1, "magic": 1},
                     separators=(",", ":")).encode()
    assert json.loads(read_log(shopstream.cluster)[key]) == {
        "subject": subject, "version": 1, "id": id, "schema": schema, "deleted": False}


class Hammer:
    """Threads that register overlapping sets of schemas with several registries concurrently."""

    def __init__(self, prefix: str, urls: list[str], schemas: int = 12, threads: int = 4):
        self.ids: dict[str, set[int]] = defaultdict(set)  # By schema; only acknowledged ones.
        self.acknowledged: list[tuple[str, str, int]] = []  # subject, schema, id
        self.errors: list[str] = []
        self._lock = threading.Lock()
        self._schemas = [record(f"{prefix.replace('-', '_')}_{n}") for n in range(schemas)]
        self._prefix = prefix
        self._threads = [threading.Thread(target=self._work, args=(urls, seed)) for seed in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def goes_on_from(self, acknowledged: int) -> bool:
        """More has been acknowledged since, or all work is done."""
        return len(self.acknowledged) > acknowledged or not any(t.is_alive() for t in self._threads)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=240)
            assert not thread.is_alive(), "registering did not end"

    def _work(self, urls: list[str], seed: int) -> None:
        order = list(enumerate(self._schemas))
        random.Random(seed).shuffle(order)
        for n, schema in order:
            for subject in (f"{self._prefix}-{n}", f"{self._prefix}-{n}-thread-{seed}"):
                self._register(urls, seed, subject, schema)

    def _register(self, urls: list[str], seed: int, subject: str, schema: str) -> None:
        deadline = time.monotonic() + 60
        for attempt in range(10_000):
            url = urls[(seed + attempt) % len(urls)]
            try:
                status, body = call(f"{url}/subjects/{subject}/versions", {"schema": schema})
            except OSError as error:
                status, body = 0, {"message": str(error)}
            if status == 200:
                with self._lock:
                    self.ids[schema].add(body["id"])
                    self.acknowledged.append((subject, schema, body["id"]))
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        with self._lock:
            self.errors.append(f"{subject}: {status} {body}")

    def check(self, cluster: Cluster, instances: tuple[Instance, ...]) -> None:
        """One id per schema and one schema per id: in the answers, as served now, and as stored."""
        assert not self.errors
        assert all(len(ids) == 1 for ids in self.ids.values()), self.ids
        assert len(set.union(*self.ids.values())) == len(self._schemas)
        for instance in instances:
            for subject, schema, id in self.acknowledged:
                status, body = call(f"{instance.url}/subjects/{subject}/versions/latest")
                assert status == 200 and body["id"] == id and body["version"] == 1, (subject, body)
                assert json.loads(body["schema"]) == json.loads(schema)
        pairs = {(value["id"], value["schema"])
                 for value in map(json.loads, read_log(cluster).values()) if "schema" in value}
        assert len({id for id, _ in pairs}) == len(pairs) == len({schema for _, schema in pairs})


def optional(name: str, number: int) -> str:
    """Any of these may follow any other."""
    return record(name, *({"name": f"f{n}", "type": "int", "default": 0} for n in range(number)))


@pytest.mark.parametrize("subjects", ["one subject", "a subject each", "one schema"])
def test_a_burst_of_registrations_waits_its_turn(subjects: str, pair: tuple[Instance, Instance],
                                                 shopstream: Shopstream) -> None:
    name = f"R{random.getrandbits(60)}"

    def register(number: int) -> tuple[int, dict]:
        subject = f"{shopstream.topic}-{number if subjects == 'a subject each' else 0}"
        schema = optional(name, 0 if subjects == "one schema" else number)
        # Two registries, so that each also waits for the right to write.
        return pair[number % 2].register(subject, schema)

    burst = 60 if subjects == "a subject each" else 300
    with concurrent.futures.ThreadPoolExecutor(burst) as threads:
        answers = list(threads.map(register, range(burst)))
    assert {status for status, _ in answers} == {200}, [answer for answer in answers if answer[0] != 200][:3]
    schemas = 1 if subjects == "one schema" else burst
    assert len({body["id"] for _, body in answers}) == schemas
    versions = [body["version"] for _, body in answers]
    assert sorted(set(versions)) == list(range(1, (burst if subjects == "one subject" else 1) + 1))


def test_two_registries_at_once_agree(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    hammer = Hammer(shopstream.topic, [instance.url for instance in pair])
    hammer.start()
    hammer.join()
    hammer.check(shopstream.cluster, pair)


def test_what_one_registers_the_other_knows_at_once(pair: tuple[Instance, Instance],
                                                     shopstream: Shopstream) -> None:
    one, other = pair
    for n in range(5):
        status, body = one.register(f"{shopstream.topic}-{n}", record(f"R{random.getrandbits(60)}"))
        assert status == 200, body
        assert call(f"{other.url}/schemas/ids/{body['id']}")[0] == 200
        assert call(f"{other.url}/subjects/{shopstream.topic}-{n}/versions/latest")[1]["id"] == body["id"]


def test_kill_9_under_load(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    hammer = Hammer(shopstream.topic, [instance.url for instance in pair])
    hammer.start()
    for killed in (*pair, *pair):
        seen = len(hammer.acknowledged)
        wait_until(lambda: hammer.goes_on_from(seen), 60, "registrations go on")
        killed.process.kill()
        killed.start()
    hammer.join()
    hammer.check(shopstream.cluster, pair)


def test_frozen_registry_is_fenced(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    """A registry that was frozen during another's writes must not write what it decided before."""
    hammer = Hammer(shopstream.topic, [instance.url for instance in pair], schemas=20)
    hammer.start()
    for frozen in (*pair, *pair):
        seen = len(hammer.acknowledged)
        wait_until(lambda: hammer.goes_on_from(seen), 60, "registrations go on")
        frozen.process.signal(signal.SIGSTOP)
        try:
            # Those of the threads that do not wait for the frozen one.
            frozen_at = len(hammer.acknowledged)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: len(hammer.acknowledged) > frozen_at + 2, 3, "the other one writes")
        finally:
            frozen.process.signal(signal.SIGCONT)
    hammer.join()
    hammer.check(shopstream.cluster, pair)


def test_leader_of_the_log_killed(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    one, other = pair
    status, before = one.register(f"{shopstream.topic}-before", record(f"R{random.getrandbits(60)}"))
    assert status == 200
    leader = shopstream.json("topics", "describe", "_schemas")["partitions"][0]["leader"]
    shopstream.cluster.kill_broker(leader)

    started = time.monotonic()
    status, body = one.register(f"{shopstream.topic}-during", record(f"R{random.getrandbits(60)}"))
    assert status == 200, body
    assert time.monotonic() - started < 30
    for url in (one.url, other.url):
        assert call(f"{url}/schemas/ids/{before['id']}")[0] == 200
        # The other one may have to find the new leader first; until then it reports that it cannot know.
        wait_until(lambda url=url: call(f"{url}/schemas/ids/{body['id']}")[0] == 200, 30, f"{url} has read on")


def test_all_brokers_gone_and_back(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    one, _ = pair
    schema = record(f"R{random.getrandbits(60)}")
    status, known = one.register(f"{shopstream.topic}-known", schema)
    assert status == 200
    for number in (1, 2, 3):
        shopstream.cluster.kill_broker(number)

    assert call(f"{one.url}/schemas/ids/{known['id']}")[0] == 200
    assert one.register(f"{shopstream.topic}-known", schema) == (200, known)
    unknown = (f"{one.url}/schemas/ids/2000000000", None), (f"{one.url}/subjects/{shopstream.topic}-new/versions",
                                                            {"schema": schema})
    with concurrent.futures.ThreadPoolExecutor() as both:  # Each waits as long as the registry is patient.
        for status, answer in both.map(lambda asked: call(*asked), unknown):
            assert (status, answer["error_code"]) == (500, 50001), answer

    shopstream.cluster.start_brokers()
    # A request may reach Kafka's coordinators before they have read their own logs again.
    wait_until(lambda: one.register(f"{shopstream.topic}-new", schema) == (200, known), 90,
               "the registry writes again")
    assert call(f"{one.url}/schemas/ids/2000000000")[1]["error_code"] == 40403


def test_confluents_client_manages_schemas(shopstream: Shopstream) -> None:
    registry, subject = client(shopstream), f"{shopstream.topic}-value"
    item, cart = f"Item{random.getrandbits(60)}", f"Cart{random.getrandbits(60)}"
    item_id = registry.register_schema(f"{subject}-item", Schema(record(item), "AVRO"))
    using = Schema(record(cart, {"name": "item", "type": item}), "AVRO",
                   [SchemaReference(item, f"{subject}-item", 1)])
    cart_id = registry.register_schema(subject, using)
    assert registry.get_schema(cart_id).references == using.references
    assert registry.lookup_schema(subject, using).schema_id == cart_id

    serialize = AvroSerializer(client(shopstream), using, lambda value, _: value)
    context = SerializationContext(shopstream.topic, MessageField.VALUE)
    value = {"id": "1", "item": {"id": "2"}}
    assert AvroDeserializer(client(shopstream))(serialize(value, context), context) == value

    with pytest.raises(SchemaRegistryError) as refused:
        registry.delete_subject(f"{subject}-item")
    assert refused.value.error_code == 42206

    registry.set_compatibility(subject, "FULL_TRANSITIVE")
    assert registry.get_compatibility(subject) == "FULL_TRANSITIVE"
    assert registry.get_config(subject).compatibility_level == "FULL_TRANSITIVE"
    assert registry.delete_version(subject, 1) == 1
    assert subject not in registry.get_subjects()
    assert registry.delete_version(subject, 1, permanent=True) == 1
    assert registry.delete_subject(f"{subject}-item") == [1]
    assert registry.delete_subject(f"{subject}-item", permanent=True) == [1]
    with pytest.raises(SchemaRegistryError) as gone:
        client(shopstream).get_schema(item_id)
    assert gone.value.error_code == 40403


def test_confluents_client_uses_metadata_and_contexts(shopstream: Shopstream) -> None:
    registry, subject = client(shopstream), f"{shopstream.topic}-value"
    name = f"R{random.getrandbits(60)}"
    for major, field in (("1", {"name": "n", "type": "int"}), ("2", {"name": "n", "type": "string"})):
        registry.set_config(subject, ServerConfig(compatibility_group="major"))
        registry.register_schema(subject, Schema(
            record(name, field), "AVRO", [], Metadata(None, MetadataProperties({"major": major}), None), None))
    assert registry.get_latest_with_metadata(subject, {"major": "1"}).version == 1
    assert registry.get_latest_version(subject).schema.metadata.properties.properties == {"major": "2"}

    latest = AvroSerializer(client(shopstream), None, conf={
        "auto.register.schemas": False, "use.latest.version": False, "use.latest.with.metadata": {"major": "1"}})
    context = SerializationContext(shopstream.topic, MessageField.VALUE)
    value = {"id": "1", "n": 7}
    assert AvroDeserializer(client(shopstream))(latest(value, context), context) == value

    there = f":.{shopstream.topic}:value"
    registry.register_schema(there, Schema(record(name), "AVRO"))
    assert registry.get_subjects(subject_prefix=f":.{shopstream.topic}:") == [there]
    assert f".{shopstream.topic}" in registry.get_contexts()
    assert registry.delete_subject(there) == registry.delete_subject(there, permanent=True) == [1]
    assert call(f"{shopstream.cluster.registry_url}/contexts/.{shopstream.topic}", method="DELETE") == (200, {})


def test_restart_keeps_what_was_set_and_deleted(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    one, other = pair
    subject = f"{shopstream.topic}-value"
    first = one.register(subject, record(f"R{random.getrandbits(60)}"))[1]["id"]
    call(f"{one.url}/config/{subject}", {"compatibility": "NONE"}, method="PUT")
    second = one.register(subject, record(f"R{random.getrandbits(60)}"))[1]["id"]
    call(f"{one.url}/subjects/{subject}/versions/1", method="DELETE")
    call(f"{one.url}/mode/{subject}", {"mode": "READONLY"}, method="PUT")
    gone = f"{subject}-gone"
    last = one.register(gone, record(f"R{random.getrandbits(60)}"))[1]["id"]
    for query in ("", "?permanent=true"):
        assert call(f"{one.url}/subjects/{gone}{query}", method="DELETE") == (200, [1])

    for instance in pair:
        instance.process.kill()
    for instance in pair:
        instance.start()
    for instance in pair:
        assert call(f"{instance.url}/subjects/{subject}/versions") == (200, [2])
        assert call(f"{instance.url}/config/{subject}") == (200, {"compatibilityLevel": "NONE"})
        assert call(f"{instance.url}/mode/{subject}") == (200, {"mode": "READONLY"})
        assert instance.register(subject, record("R"))[1]["error_code"] == 42205
        assert call(f"{instance.url}/schemas/ids/{first}")[0] == 200
        assert call(f"{instance.url}/schemas/ids/{second}")[0] == 200
        assert call(f"{instance.url}/schemas/ids/{last}")[1]["error_code"] == 40403
    assert other.register(gone, record(f"R{random.getrandbits(60)}"))[1]["id"] > last


def test_large_schemas_and_bodies(pair: tuple[Instance, Instance], shopstream: Shopstream) -> None:
    one, other = pair
    large = json.loads(record(f"R{random.getrandbits(60)}"))
    large["doc"] = "x" * 1_000_000
    status, body = one.register(f"{shopstream.topic}-value", json.dumps(large))
    assert status == 200, body
    assert json.loads(call(f"{other.url}/schemas/ids/{body['id']}")[1]["schema"])["doc"] == large["doc"]

    process = psutil.Process(one.process.pid)
    before = process.memory_info().rss
    status, answer = call(f"{one.url}/subjects/{shopstream.topic}-value/versions", {"schema": "x" * 100_000_000})
    assert status == 413 and answer["error_code"] == 413
    assert process.memory_info().rss - before < 20_000_000


def test_a_record_that_cannot_be_read_stops_writes_only(pair: tuple[Instance, Instance],
                                                         shopstream: Shopstream) -> None:
    one, _ = pair
    subject = f"{shopstream.topic}-value"
    known = one.register(subject, record(f"R{random.getrandbits(60)}"))[1]["id"]
    producer = Producer({"bootstrap.servers": shopstream.cluster.bootstrap_servers})
    key = json.dumps({"keytype": "SCHEMA", "subject": f"{subject}-broken", "version": 1, "magic": 1},
                     separators=(",", ":"))
    for value in ("{not JSON", None):
        producer.produce("_schemas", key=key, value=value)
        assert producer.flush(30) == 0
        wait_until(lambda broken=value is not None: is_degraded(one) == broken, 30, "the record is noticed")
        assert call(f"{one.url}/schemas/ids/{known}")[0] == 200
        unknown = call(f"{one.url}/schemas/ids/2000000000")[1]["error_code"]
        registered = one.register(f"{subject}-new", record(f"R{random.getrandbits(60)}"))
        if value is None:
            assert unknown == 40403 and registered[0] == 200
        else:
            assert unknown == 50001 and registered[1]["error_code"] == 50001
            assert "null value" in registered[1]["message"]
            health = shopstream.run("health", expect=None, SHOPSTREAM_REGISTRY_URL=one.url).stdout
            assert "cannot be read" in health


def is_degraded(instance: Instance) -> bool:
    return call(f"{instance.url}/health")[1]["status"] == "degraded"


@pytest.fixture
def secured(shopstream: Shopstream, tmp_path: pathlib.Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A registry with TLS and users: its URL, and a writer's settings."""
    certificate, key, users = (tmp_path / name for name in ("server.pem", "server.key", "users.txt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=registry",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key],
                   check=True, capture_output=True, timeout=60)
    lines = []
    for name, role in (("looker", "reader"), ("maker", "writer")):
        done = subprocess.run(["openssl", "passwd", "-6", f"{name}-secret"], check=True, capture_output=True,
                              text=True, timeout=60)
        lines.append(f"{name}:{done.stdout.strip()}:{role}\n")
    users.write_text("".join(lines))
    port = free_ports().brokers
    process = shopstream.start("registry", SHOPSTREAM_REGISTRY_LISTEN=f"127.0.0.1:{port}",
                               SHOPSTREAM_REGISTRY_TLS_CERTIFICATE=str(certificate),
                               SHOPSTREAM_REGISTRY_TLS_KEY=str(key), SHOPSTREAM_REGISTRY_USERS=str(users))
    url = f"https://127.0.0.1:{port}"
    settings = {"SHOPSTREAM_REGISTRY_URL": url, "SHOPSTREAM_REGISTRY_CA_FILE": str(certificate),
                "SHOPSTREAM_REGISTRY_USERNAME": "maker", "SHOPSTREAM_REGISTRY_PASSWORD": "maker-secret"}

    def serves() -> bool:
        assert process.running(), process.words()
        return shopstream.run("schema", "list", expect=None, **settings).returncode == 0

    wait_until(serves, 30, "the secured registry serves")
    yield url, settings


def test_tls_and_users(secured: tuple[str, dict[str, str]], shopstream: Shopstream) -> None:
    url, settings = secured
    reader = {**settings, "SHOPSTREAM_REGISTRY_USERNAME": "looker", "SHOPSTREAM_REGISTRY_PASSWORD": "looker-secret"}
    nobody = {**settings, "SHOPSTREAM_REGISTRY_PASSWORD": "guess"}
    shopstream.run("schema", "list", **reader)
    assert "403" in shopstream.run("schema", "register", PURCHASE, expect=1, **reader).stderr
    assert "registry.password" in shopstream.run("schema", "list", expect=1, **nobody).stderr
    untrusted = {**settings, "SHOPSTREAM_REGISTRY_CA_FILE": ""}
    assert "not trusted" in shopstream.run("schema", "list", expect=1, **untrusted).stderr

    shopstream.run("topics", "setup", **settings)
    shopstream.run("generate", "--count", 500, **settings)
    done = json.loads(shopstream.run("--json", "ingest", "--until-caught-up", **reader).stdout)
    assert done["rows"] == 500, done

    theirs = SchemaRegistryClient({"url": url, "basic.auth.user.info": "looker:looker-secret",
                                   "ssl.ca.location": settings["SHOPSTREAM_REGISTRY_CA_FILE"]})
    assert theirs.get_latest_version(f"{shopstream.topic}-value").version == 1


def test_port_taken(shopstream: Shopstream) -> None:
    port = shopstream.cluster.ports.registry
    failed = shopstream.run("registry", expect=1, SHOPSTREAM_REGISTRY_LISTEN=f"127.0.0.1:{port}")
    assert f"cannot listen on 127.0.0.1:{port}" in failed.stderr


def test_stops_on_sigterm(pair: tuple[Instance, Instance]) -> None:
    for instance in pair:
        assert instance.process.stop(timeout=10) == 0, instance.process.words()


def test_schema_commands(shopstream: Shopstream, tmp_path: pathlib.Path) -> None:
    subject = f"{shopstream.topic}-value"
    assert "would be the first version" in shopstream.run("schema", "check", PURCHASE).stdout
    first = shopstream.json("schema", "register", PURCHASE)
    assert (first["subject"], first["version"]) == (subject, 1)
    assert shopstream.json("schema", "register", PURCHASE) == first
    assert shopstream.json("schema", "show", subject)["schema"]["name"] == "PurchaseEvent"
    assert shopstream.json("schema", "show", first["id"])["schema"]["name"] == "PurchaseEvent"
    shown = shopstream.run("schema", "show", subject)  # `schema show S > s.avsc` makes a schema file.
    assert json.loads(shown.stdout)["name"] == "PurchaseEvent" and f"subject {subject}, version" in shown.stderr
    rows = {row["subject"]: row for row in shopstream.json("schema", "list")}
    assert rows[subject]["latest"] == 1 and rows[subject]["id"] == first["id"]

    assert "same" in shopstream.run("schema", "verify").stdout

    breaking = json.loads(PURCHASE.read_text())
    breaking["fields"].append({"name": "coupon", "type": "string"})
    file = tmp_path / "breaking.avsc"
    file.write_text(json.dumps(breaking))
    verdict = shopstream.run("schema", "check", file, expect=3).stdout
    assert "cannot follow the latest version" in verdict and "coupon" in verdict
    assert "Upgrade all writers first" in verdict
    diff = shopstream.run("schema", "diff", file, expect=3).stdout
    assert "coupon: added, string, without a default" in diff and "FORWARD" in diff
    assert "No change" in shopstream.run("schema", "diff", PURCHASE, "--version", 1).stdout
    (tmp_path / "purchase_event.avsc").write_text(json.dumps(breaking))
    assert "differs" in shopstream.run("schema", "verify", tmp_path, expect=3).stdout
    assert "409" in shopstream.run("schema", "register", file, expect=1).stderr
    file.write_text('{"type": "record"}')
    assert str(file) in shopstream.run("schema", "register", file, expect=1).stderr


def test_schema_commands_without_a_registry(shopstream: Shopstream) -> None:
    failed = shopstream.run("schema", "list", expect=1, SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:1")
    assert "http://127.0.0.1:1/subjects" in failed.stderr
