"""Lab 8: plants five kinds of broken records, and looks where each of them is."""

import collections
import io
import json
import random
import shutil
import tomllib
import uuid
from collections.abc import Collection
from typing import Any

import fastavro
from confluent_kafka import Message, Producer, TopicPartition

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

SCHEMA = ROOT / "schemas/purchase_event.avsc"
SENDERS = ("till-3", "loyalty-app", "web-shop", "partner-feed", "warehouse")
REPAIRS = {"bad_frame": "sender", "unknown_schema": "registry", "corrupt": "sender", "empty": "sender",
           "unknown_region": "setting"}
NEW_REGION = "MEA"
NO_SCHEMA = 1_999_999_999  # No registry of a lab gets that far.
FIRST, MORE = 300, 60  # Good purchases before and after the broken ones.
Coordinate = tuple[int, int]


def kinds(seed: int) -> dict[str, str]:
    """The cause of each sender."""
    causes = list(REPAIRS)
    random.Random(seed).shuffle(causes)
    return dict(zip(SENDERS, causes))


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", SCHEMA)
    bench.shopstream("generate", "--count", FIRST, "--seed", bench.seed)
    plant(bench)
    bench.shopstream("generate", "--count", MORE, "--seed", bench.seed + 1)


def plant(bench: Bench) -> None:
    chance = random.Random(bench.seed)
    schema = fastavro.parse_schema(json.loads(SCHEMA.read_text()))
    number = bench.registry(f"subjects/{bench.topic}-value/versions/latest")["id"]
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "enable.idempotence": True})
    partition = 0
    for sender, cause in kinds(bench.seed).items():
        for _ in range(chance.randint(2, 6)):
            value = broken(cause, purchase(chance), schema, number)
            producer.produce(bench.topic, key=b"1", value=value, partition=partition, headers={"sender": sender.encode()})
            partition = (partition + 1) % 3
    if producer.flush(60):
        raise LabError("the brokers do not acknowledge records: ./run status")


def purchase(chance: random.Random) -> dict[str, Any]:
    return {"event_id": str(uuid.UUID(int=chance.getrandbits(128), version=4)), "user_id": chance.randrange(1, 1000),
            "region": "EU", "product_id": "ELE-0001", "product_name": "Radio", "quantity": 1,
            "amount": chance.randrange(100, 9999) / 100, "currency": "EUR", "timestamp": 1_760_000_000_000}


def broken(cause: str, event: dict[str, Any], schema: Any, number: int) -> bytes | None:
    if cause == "empty":
        return None
    if cause == "bad_frame":
        return json.dumps(event).encode()
    if cause == "unknown_region":
        event = {**event, "region": NEW_REGION}
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema, event)
    avro = body.getvalue()
    frame = b"\0" + (NO_SCHEMA if cause == "unknown_schema" else number).to_bytes(4, "big")
    return frame + (avro[:len(avro) // 2] if cause == "corrupt" else avro)


def sender(record: Message) -> str:
    return dict(record.headers() or []).get("sender", b"").decode()


def at(record: Message) -> Coordinate:
    return record.partition(), record.offset()


def check(bench: Bench) -> Finding:
    records = bench.records()
    causes = kinds(bench.seed)
    planted = {at(record): causes[sender(record)] for record in records if sender(record) in causes}
    told = naive_result(bench)
    bronze = bench.rows("bronze-events", "kafka_partition", "kafka_offset", "event_id", "region")
    quarantine = bench.rows("bronze-quarantine", "kafka_partition", "kafka_offset", "cause")
    saw = f"{len(records)} records; {len(bronze)} rows in bronze-events, {len(quarantine)} in bronze-quarantine"
    kept, stored = places(quarantine), places(bronze)
    for place in sorted(planted):
        if place not in kept:
            why = f", but in bronze-events: ingest read it after {NEW_REGION} was allowed. ./lab reset starts over" if place in stored else ""
            return failed(saw, f"all {len(planted)} broken records in bronze-quarantine: ./shopstream ingest --until-caught-up",
                          f"{spoken(place)} is not there{why}", **told)
    if problem := wrong_diagnosis(bench):
        return failed(f"{saw}; diagnosis.toml is not right yet", "the cause of each sender's records, and its repair", problem, **told)
    if doubled := twice(bronze, planted.keys()):
        return failed(saw, f"each purchase of {NEW_REGION} once in bronze-events", f"one is at {doubled}: it was sent again, and the "
                      "replay brought it back as well. ./lab reset starts over", **told)
    counts = collections.Counter((row["kafka_partition"], row["kafka_offset"]) for row in bronze)
    wanted = {at(record) for record in records if planted.get(at(record), "unknown_region") == "unknown_region"}
    expected = f"each purchase once in bronze-events, at its first offset, those of {NEW_REGION} too"
    for place in sorted(wanted):
        if counts[place] != 1:
            return failed(saw, expected, f"{spoken(place)} is {'twice' if counts[place] else 'not'} in bronze-events{sent_again(records, place, bronze)}", **told)
    audit = bench.shopstream("audit", expect=None)
    if audit.returncode != 0:
        return failed(saw, "a clean audit", "".join((audit.stdout + audit.stderr).strip().splitlines()[-1:]), **told)
    back = sum(cause == "unknown_region" for cause in planted.values())
    return passed(f"{saw}: {back} purchases of {NEW_REGION} came back, each once, and the audit is clean", **told)


def places(rows: list[dict[str, Any]]) -> set[Coordinate]:
    return {(row["kafka_partition"], row["kafka_offset"]) for row in rows}


def twice(bronze: list[dict[str, Any]], planted: Collection[Coordinate]) -> str:
    """The offsets of the first planted purchase that is at several; empty if there is none. Others may have been sent twice."""
    found: dict[str, set[Coordinate]] = collections.defaultdict(set)
    for row in bronze:
        found[row["event_id"]].add((row["kafka_partition"], row["kafka_offset"]))
    doubled = sorted(sorted(some) for some in found.values() if len(some) > 1 and not some.isdisjoint(planted))
    return " and at ".join(map(spoken, doubled[0])) if doubled else ""


def sent_again(records: list[Message], place: Coordinate, bronze: list[dict[str, Any]]) -> str:
    original = next(record for record in records if at(record) == place)
    stored = places(bronze)
    for record in records:
        if at(record) != place and record.value() == original.value() and at(record) in stored:
            return f": the purchase was sent again, and is now at {spoken(at(record))}; ./lab reset starts over"
    return ""


def spoken(place: Coordinate) -> str:
    return f"offset {place[1]} of partition {place[0]}"


def wrong_diagnosis(bench: Bench) -> str:
    try:
        found = tomllib.loads((bench.folder / "diagnosis.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        return f"diagnosis.toml cannot be read: {error}"
    for name, cause in kinds(bench.seed).items():
        told = found.get(name, {})
        if not told.get("cause"):
            return f"{name} has no cause yet"
        if told["cause"] != cause:
            return f"{name}: you say the cause is {told['cause']!r}; look at one of its records again: {one_of(bench, name)}"
        if told.get("repair") != REPAIRS[cause]:
            return f"{name}: its cause is {cause}, but {told.get('repair')!r} does not make its records readable"
    return ""


def one_of(bench: Bench, name: str) -> str:
    record = next(record for record in bench.records() if sender(record) == name)
    return f"./shopstream quarantine show {record.partition()} {record.offset()}"


def naive_result(bench: Bench) -> dict[str, str]:
    """Where naive.py stands after a run, and after one more, by what it has committed to Kafka."""
    stands = []
    shutil.copy(bench.lab.folder / "start/naive.py", bench.folder / ".naive.py")
    for _ in range(2):
        bench.run(bench.folder / "python", ".naive.py")
        with bench.closing(bench.consumer(**{"group.id": f"{bench.group}-naive"})) as consumer:
            stands.append(consumer.committed([TopicPartition(bench.topic, 0)], timeout=20)[0].offset)
    return {"answer": str(stands[1] - stands[0]), "evidence": f"Its group stands at offset {stands[0]} of partition 0, and after "
            f"another start at {stands[1]}. The partition has {bench.ends()[0]} offsets."}
