"""`generate` and `replay` on real brokers, read back by Confluent's client and fastavro."""

import collections
import contextlib
import datetime
import decimal
import io
import json
import pathlib
import random
import signal
import struct
import uuid
from collections.abc import Iterator

import fastavro
import pyarrow.parquet
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient

import source_shapes
from cluster import BROKERS, DEPS, ROOT
from shopstream import Running, Shopstream
from source_shapes import RATES, amount
from waiting import wait_until

COMPLETE_JOURNEY = ROOT / "config/sources/complete_journey.yaml"
CURRENCIES = {"US": "USD", "EU": "EUR", "ASIA": "JPY"}
URL_NAMESPACE = uuid.NAMESPACE_URL
PARTITIONS = 3


@contextlib.contextmanager
def reader(shopstream: Shopstream) -> Iterator[Consumer]:
    consumer = Consumer({"bootstrap.servers": shopstream.cluster.bootstrap_servers,
                         "group.id": "none", "enable.auto.commit": False})
    try:
        yield consumer
    finally:
        consumer.close()


def ends(shopstream: Shopstream) -> list[int]:
    """The end offset of each partition, once its leader knows it, which may take a while after a restart."""
    def ask() -> list[int] | None:
        with contextlib.suppress(KafkaException):
            return [consumer.get_watermark_offsets(TopicPartition(shopstream.topic, p), timeout=30)[1]
                    for p in range(PARTITIONS)]
        return None

    with reader(shopstream) as consumer:
        return wait_until(ask, 60, "every leader tells its end")


def read(shopstream: Shopstream) -> list[list[Message]]:
    """All records of the topic, partition by partition, in offset order."""
    messages: list[list[Message]] = [[] for _ in range(PARTITIONS)]
    left = sum(ends(shopstream))
    with reader(shopstream) as consumer:
        consumer.assign([TopicPartition(shopstream.topic, p, OFFSET_BEGINNING)
                         for p in range(PARTITIONS)])
        while left > 0:
            batch = consumer.consume(min(left, 10_000), timeout=30)
            assert batch, f"{left} records are missing"
            for message in batch:
                assert message.error() is None, message.error()
                messages[message.partition()].append(message)
            left -= len(batch)
    return messages


def contents(partition: list[Message]) -> list[tuple[bytes, bytes]]:
    return [(message.key(), message.value()) for message in partition]


class Decoder:
    """The wire format as any Confluent client reads it: the schema comes from the registry."""

    def __init__(self, shopstream: Shopstream):
        self._registry = SchemaRegistryClient({"url": shopstream.cluster.registry_url})
        self._schemas: dict[int, dict] = {}

    def decode(self, value: bytes) -> dict:
        magic, schema_id = struct.unpack(">bI", value[:5])
        assert magic == 0
        if schema_id not in self._schemas:
            text = self._registry.get_schema(schema_id).schema_str
            self._schemas[schema_id] = fastavro.parse_schema(json.loads(text))
        body = io.BytesIO(value[5:])
        event = fastavro.schemaless_reader(body, self._schemas[schema_id])
        assert body.read() == b"", "bytes are left over after the record"
        return event

    def decode_all(self, messages: list[list[Message]]) -> list[dict]:
        return [self.decode(message.value()) for partition in messages for message in partition]


def murmur2(data: bytes) -> int:
    """org.apache.kafka.common.utils.Utils.murmur2, which the Java client uses for partitioning."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = 0x9747B28C ^ len(data)
    whole = len(data) - len(data) % 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    if rest := data[whole:]:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15


@pytest.fixture
def topic(shopstream: Shopstream) -> Shopstream:
    shopstream.run("topics", "setup")
    return shopstream


def test_murmur2_is_the_java_clients() -> None:
    # From Kafka's own UtilsTest.
    for text, expected in {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string":
                           -985981536, b"abc": 479470107}.items():
        assert murmur2(text) == expected & 0xFFFFFFFF


def test_an_independent_reader_finds_every_purchase(topic: Shopstream) -> None:
    summary = topic.json("generate", "--count", 20_000, "--seed", 7)
    assert summary["events"] == summary["acknowledged"] == 20_000
    assert summary["failed"] == summary["malformed"] == 0
    messages = read(topic)
    events = Decoder(topic).decode_all(messages)
    assert len(events) == 20_000
    assert len({event["event_id"] for event in events}) == 20_000
    assert sum(len(m.value()) for partition in messages for m in partition) == summary["bytes"]
    now = datetime.datetime.now(datetime.timezone.utc)
    for event in events:
        assert uuid.UUID(event["event_id"]).version == 4
        assert event["currency"] == CURRENCIES[event["region"]]
        assert event["quantity"] >= 1 and event["amount"] > 0
        assert event["amount"] == round(event["amount"], 2)
        assert event["product_name"].isprintable()
        assert datetime.timedelta(0) <= now - event["timestamp"] < datetime.timedelta(minutes=5)
    assert len({event["product_id"] for event in events}) > 500


def test_a_users_purchases_are_where_a_java_client_sends_them(topic: Shopstream) -> None:
    topic.run("generate", "--count", 5_000)
    decoder = Decoder(topic)
    for partition, messages in enumerate(read(topic)):
        assert messages, f"partition {partition} is empty"
        for message in messages:
            assert message.key() == str(decoder.decode(message.value())["user_id"]).encode()
            assert (murmur2(message.key()) & 0x7FFFFFFF) % PARTITIONS == partition


def test_kafkas_timestamp_is_the_wall_clock_and_not_the_event_time(topic: Shopstream) -> None:
    topic.run("generate", "--count", 1_000, "--start", "2020-05-01")
    now = datetime.datetime.now().timestamp() * 1000
    messages = [message for partition in read(topic) for message in partition]
    assert all(0 <= now - message.timestamp()[1] < 300_000 for message in messages)
    event = Decoder(topic).decode(messages[0].value())
    assert event["timestamp"].date() == datetime.date(2020, 5, 1)


def test_equal_seeds_give_equal_payloads(topic: Shopstream) -> None:
    arguments = ("generate", "--count", 10_000, "--seed", 42, "--start", "2025-10-24T08:00:00Z",
                 "--late-share", 0.05, "--duplicate-share", 0.05, "--malformed-share", 0.05)
    first_summary, second_summary = topic.json(*arguments), topic.json(*arguments)
    assert first_summary["malformed"] == second_summary["malformed"] > 0
    messages = read(topic)
    assert sum(map(len, messages)) == 20_000
    for partition in messages:
        half = len(partition) // 2
        assert contents(partition[:half]) == contents(partition[half:])


def test_broken_late_and_repeated_events_are_as_many_as_it_says(topic: Shopstream) -> None:
    summary = topic.json("generate", "--count", 20_000, "--seed", 3, "--late-share", 0.1,
                         "--duplicate-share", 0.05, "--malformed-share", 0.1)
    for share, name in ((0.1, "late"), (0.05, "duplicates"), (0.1, "malformed")):
        assert abs(summary[name] - 20_000 * share) < 400, name
    decoder = Decoder(topic)
    kinds: collections.Counter[str] = collections.Counter()
    ids: collections.Counter[str] = collections.Counter()
    now = datetime.datetime.now(datetime.timezone.utc)
    for message in (message for partition in read(topic) for message in partition):
        kind, event = classify(decoder, message.value())
        kinds[kind] += 1
        if kind == "good":
            ids[event["event_id"]] += 1
            if ids[event["event_id"]] == 1 and now - event["timestamp"] > datetime.timedelta(hours=1):
                kinds["late"] += 1
    assert kinds["late"] == summary["late"]
    assert sum(ids.values()) - len(ids) == summary["duplicates"]
    broken = {"empty", "short", "magic", "unknown id", "undecodable", "utf-8", "region", "year"}
    assert {kind for kind, count in kinds.items() if count > 50} == broken | {"good", "late"}
    assert sum(kinds[kind] for kind in broken) == summary["malformed"]


def classify(decoder: Decoder, value: bytes | None) -> tuple[str, dict]:
    assert value is not None, "an empty record is no tombstone"
    if not value:
        return "empty", {}
    if len(value) < 5:
        return "short", {}
    if value[0] != 0:
        return "magic", {}
    if value[1] == 0x7F:
        return "unknown id", {}
    try:
        event = decoder.decode(value)
    except UnicodeDecodeError:
        return "utf-8", {}
    except OverflowError:  # Values beyond Python's datetime cannot be read by fastavro.
        return "year", {}
    except (EOFError, AssertionError, IndexError, struct.error, MemoryError):
        return "undecodable", {}
    if event["region"] not in CURRENCIES:
        return "region", {}
    return ("year" if event["timestamp"].year == 9999 else "good"), event


def test_a_rate_and_a_duration_are_kept(topic: Shopstream) -> None:
    summary = topic.json("generate", "--rate", 500, "--duration", "4s")
    assert 1_800 <= summary["acknowledged"] <= 2_010, summary
    assert sum(ends(topic)) == summary["acknowledged"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_flushes_and_ends(topic: Shopstream, number: signal.Signals) -> None:
    generating = topic.start("--json", "generate", "--rate", 3_000)
    wait_until(lambda: sum(ends(topic)) > 3_000, 60, "records in the topic")
    generating.signal(number)
    assert generating.wait(60) == 0, generating.words()
    summary = summary_of(generating)
    assert summary["interrupted"] is True
    assert summary["failed"] == 0
    assert summary["events"] == summary["acknowledged"] == sum(ends(topic))


def summary_of(running: Running) -> dict:
    return json.loads(running.output.read_text())


def test_every_failed_delivery_is_counted(topic: Shopstream) -> None:
    generating = topic.start("--json", "--set", "kafka.security.message.timeout.ms=3000",
                             "generate", "--rate", 2_000)
    wait_until(lambda: sum(ends(topic)) > 1_000, 60, "records in the topic")
    for number in BROKERS:
        topic.cluster.kill_broker(number)
    assert generating.wait(90) == 1, generating.words()
    summary = summary_of(generating)
    assert summary["failed"] > 0
    assert summary["events"] == summary["acknowledged"] + summary["failed"]
    assert "no answer within 3 s" in summary["first_error"]
    assert "were not delivered" in generating.errors.read_text()
    topic.cluster.start_brokers()
    held = sum(ends(topic))
    # A record may have been written although its reply was lost, but never the reverse.
    assert summary["acknowledged"] <= held <= summary["events"]


def test_one_dead_broker_loses_nothing(topic: Shopstream) -> None:
    generating = topic.start("--json", "generate", "--rate", 2_000, "--count", 20_000)
    wait_until(lambda: sum(ends(topic)) > 2_000, 60, "records in the topic")
    topic.cluster.kill_broker(2)
    assert generating.wait(120) == 0, generating.words()
    topic.cluster.start_brokers()
    assert summary_of(generating)["acknowledged"] == sum(ends(topic)) == 20_000


def test_what_is_missing_is_said(shopstream: Shopstream) -> None:
    done = shopstream.run("generate", "--count", 1, expect=1)
    assert "there is no topic" in done.stderr and "topics create" in done.stderr
    shopstream.run("topics", "setup")
    done = shopstream.run("generate", "--count", 1, expect=1,
                          SHOPSTREAM_REGISTRY_URL="http://127.0.0.1:1")
    assert "127.0.0.1:1" in done.stderr
    assert sum(ends(shopstream)) == 0


@pytest.mark.parametrize("arguments, words", [
    (["--count", "0"], "'0' is not a whole number above zero"),
    (["--count", "many"], "'many' is not a whole number"),
    (["--duration", "5 weeks"], "500ms, 60s, 5m or 2h"),
    (["--rate", "-1"], "'-1' is not a number from 0.000001"),
    (["--start", "yesterday"], "'yesterday' is not a time"),
    (["--late-share", "1.5"], "--late-share 1.5: a share is between 0 and 1"),
    (["--late-share", "0.6", "--malformed-share", "0.6"], "add up to 1.2"),
    (["--seed", "-3"], "'-3' is not a seed"),
])
def test_wrong_flags_are_refused(shopstream: Shopstream, arguments: list[str], words: str) -> None:
    assert words in shopstream.run("generate", *arguments, expect=2).stderr


def expected_purchases(count: int) -> list[dict]:
    """The first line items, mapped independently of the program."""
    folder = DEPS / "data/complete_journey"
    columns = ["basket_id", "product_id", "household_id", "store_id", "quantity", "sales_value",
               "transaction_timestamp"]
    rows = pyarrow.parquet.read_table(folder / "transactions.parquet", columns=columns)
    rows = rows.slice(0, count).to_pylist()
    wanted = {row["product_id"] for row in rows}
    products = {product["product_id"]: product
                for product in pyarrow.parquet.read_table(folder / "products.parquet").to_pylist()
                if product["product_id"] in wanted}
    purchases = []
    for row in rows:
        region = ("US", "EU", "ASIA")[row["store_id"] % 3]
        name = f"complete-journey/{row['basket_id']}/{row['product_id']}"
        purchases.append({
            "event_id": str(uuid.uuid5(URL_NAMESPACE, name)),
            "user_id": row["household_id"],
            "region": region,
            "product_id": str(row["product_id"]),
            "product_name": product_name(row["product_id"], products.get(row["product_id"], {})),
            "quantity": row["quantity"],
            "amount": amount(decimal.Decimal(str(row["sales_value"])) * RATES[CURRENCIES[region]], CURRENCIES[region]),
            "currency": CURRENCIES[region],
            "timestamp": row["transaction_timestamp"].replace(tzinfo=datetime.timezone.utc),
        })
    return purchases


def product_name(product_id: int, product: dict) -> str:
    kind, size = product.get("product_type"), product.get("package_size")
    name = f"{kind} {size}" if kind and size else kind or product.get("product_category")
    return (name or f"Product {product_id}").casefold()


def test_replayed_purchases_are_the_real_ones_twice_alike(topic: Shopstream) -> None:
    first = topic.json("replay", COMPLETE_JOURNEY, "--limit", 5_000)
    assert first["events"] == first["acknowledged"] == 5_000
    once = ends(topic)
    topic.run("replay", COMPLETE_JOURNEY, "--limit", 5_000)
    messages = read(topic)
    for partition, end in zip(messages, once):
        assert contents(partition[:end]) == contents(partition[end:])
    decoder = Decoder(topic)
    found = {}
    for partition, end in zip(messages, once):
        events = [decoder.decode(message.value()) for message in partition[:end]]
        assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
        found.update({event["event_id"]: event for event in events})
    expected = {purchase["event_id"]: purchase for purchase in expected_purchases(5_000)}
    assert len(expected) == 5_000
    for event in found.values():
        event["product_name"] = event["product_name"].casefold()
    assert found == expected


def test_a_replay_counts_the_rows_that_make_no_event(topic: Shopstream, tmp_path: pathlib.Path) -> None:
    expected, skipped = source_shapes.uci_online_retail(tmp_path, 2_000, random.Random(7))
    summary = topic.json("replay", ROOT / "config/sources/uci_online_retail.yaml", "--folder", tmp_path)
    assert summary["acknowledged"] == len(expected) and summary["skipped"] == skipped
    found = collections.Counter(event["event_id"] for event in Decoder(topic).decode_all(read(topic)))
    assert found == collections.Counter(event["event_id"] for event in expected)


SALES_MAPPING = """
file: sales.csv
event:
  event_id: {{uuid5: "{{sale}}", namespace: {namespace}}}
  user_id: {{column: customer}}
  region: {{column: country, values: {{de: EU, us: US}}, otherwise: ASIA}}
  product_id: {{value: "1"}}
  product_name: {{text: "Tea"}}
  quantity: {{value: 2}}
  amount: {{column: paid}}
  currency: {{field: region, values: {{US: USD, EU: EUR, ASIA: JPY}}}}
  timestamp: {{column: at}}
"""


@pytest.fixture
def sales(tmp_path: pathlib.Path) -> pathlib.Path:
    """A mapping of four sales within four minutes, out of order."""
    (tmp_path / "sales.csv").write_text("sale,customer,country,paid,at\n"
                                        "3,7,jp,300,2025-10-24T12:04:00Z\n"
                                        "1,7,de,1.5,2025-10-24T12:00:00Z\n"
                                        "2,7,us,-2,2025-10-24 12:02:00\n"
                                        "0,7,de,0,2025-10-24T11:59:59.5\n")
    mapping = tmp_path / "sales.yaml"
    mapping.write_text(SALES_MAPPING.format(namespace=URL_NAMESPACE))
    return mapping


def test_a_csv_file_is_replayed_in_the_order_of_time(topic: Shopstream, sales: pathlib.Path) -> None:
    summary = topic.json("replay", sales, "--speed", 120)
    assert summary["acknowledged"] == 4
    # Four minutes at 120 times their speed take two seconds.
    assert 2 <= summary["seconds"] < 20
    [events] = [[Decoder(topic).decode(message.value()) for message in partition]
                for partition in read(topic) if partition]
    assert [event["event_id"] for event in events] == [
        str(uuid.uuid5(URL_NAMESPACE, name)) for name in "0123"]
    assert [event["amount"] for event in events] == [0, 1.5, -2, 300]
    assert [event["region"] for event in events] == ["EU", "EU", "US", "ASIA"]


@pytest.mark.parametrize("old, new, words", [
    ("column: customer", "column: custumer", "has no column 'custumer'; did you mean 'customer'?"),
    ("column: customer", "colunm: customer", "unknown key 'colunm'; did you mean 'column'?"),
    ("quantity: {value: 2}", "", "the event's field 'quantity' is missing"),
    ("file: sales.csv", "file: no.csv", "no.csv cannot be read"),
    ("{column: paid}", "{column: country}", "row 1, column country: 'jp' is not a number (event field amount)"),
])
def test_a_mistake_in_a_mapping_is_explained(topic: Shopstream, sales: pathlib.Path, old: str, new: str,
                                             words: str) -> None:
    text = sales.read_text()
    assert old in text
    sales.write_text(text.replace(old, new))
    assert words in topic.run("replay", sales, expect=1).stderr


def test_rate_and_speed_exclude_each_other(shopstream: Shopstream, sales: pathlib.Path) -> None:
    shopstream.run("replay", sales, "--rate", 5, "--speed", 5, expect=2)
