"""Lab 17: compares the lake, the registry and the topic with what they had before each disaster."""

import collections
import json
import shutil
import tomllib
import urllib.error
from typing import Any

from confluent_kafka import TopicCollection, TopicPartition

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

RECORDS = 300
PARTITIONS = 3
# Of another team. It has taken an id, so that the purchases' is not the first one.
CLICKS = {"type": "record", "name": "Click", "fields": [{"name": "page", "type": "string"}]}
Before = dict[str, Any]


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.registry(f"subjects/{bench.topic}-clicks-value/versions", {"schema": json.dumps(CLICKS)}, "POST")
    shutil.copy(ROOT / "schemas/purchase_event.avsc", bench.folder)
    bench.shopstream("schema", "register", "purchase_event.avsc")
    bench.shopstream("generate", "--count", RECORDS, "--seed", bench.seed)
    bench.shopstream("ingest", "--until-caught-up")
    expired = [TopicPartition(bench.topic, p, end * 2 // 3) for p, end in bench.ends().items()]
    for deleted in bench.admin().delete_records(expired).values():
        deleted.result(30)


def check(bench: Bench) -> Finding:
    lake, kafka = before(bench, "lake"), before(bench, "kafka")
    rows = bench.rows("bronze-events", "kafka_topic_id", "kafka_partition", "kafka_offset")
    saw = f"bronze-events has {len(rows)} rows"
    if not lake:
        return failed(f"{saw}, and the lake has not been lost yet", "a backup, a disaster, and the lake as it was: task 1 and 2")
    last = kafka or lake
    if missing := not_once(rows, last):
        return failed(saw, f"each of the {sum(last['ends'].values())} purchases that the lake had, once", missing)
    whole = f"{saw}, with all that it had before the disaster"
    told = {"answer": "b", "evidence": f"Your lake has every offset below {spoken(lake['ends'])}, and its backup was made before the "
            "last 60 purchases: those came from Kafka again."}
    if not kafka:
        newest = max(path.stat().st_mtime for path in (bench.lake / "bronze-events/_delta_log").glob("*.json"))
        return failed(f"{whole}, {newest - lake['at']:.0f} s after it was lost", "task 3: Kafka lost and brought back", **told)
    if problem := wrong_schema(bench, kafka) or wrong_topic(bench, kafka):
        return failed(whole, "the registry and the topic as they were before the disaster", problem, **told)
    new = {(p, offset) for p, end in bench.ends().items() for offset in range(end)}
    stored = collections.Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows
                                 if row["kafka_topic_id"] == topic_id(bench))
    if not new:
        return failed(whole, "new purchases: ./shopstream generate --count 50", "the topic is empty", **told)
    for p, offset in sorted(new):
        if stored[p, offset] != 1:
            return failed(whole, f"also the {len(new)} new purchases, each once: ./shopstream ingest --until-caught-up",
                          f"offset {offset} of partition {p} of the new topic is there {stored[p, offset]} times", **told)
    lost = sum(kafka["sent"].values()) - sum(kafka["ends"].values())
    reported = report(bench)
    if reported != lost:
        return failed(f"{whole}; report.toml says that {reported} purchases are lost", "the number of those that were in Kafka alone",
                      f"the brokers had {sum(kafka['sent'].values())} by then, the lake {sum(kafka['ends'].values())}", **told)
    return passed(f"{whole}, and {len(new)} new ones; all schemas have their ids, and {lost} purchases are lost", **told)


def before(bench: Bench, disaster: str) -> Before | None:
    path = bench.folder / f".disaster/{disaster}.json"
    return json.loads(path.read_text()) if path.exists() else None


def not_once(rows: list[dict[str, Any]], last: Before) -> str:
    """The smallest counter-example; empty if the lake has each of the old topic's offsets once."""
    counts = collections.Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows
                                 if row["kafka_topic_id"] == last["topic_id"])
    for p, end in sorted(last["ends"].items()):
        for offset in range(end):
            found = counts[int(p), offset]
            if found != 1:
                where = f"offset {offset} of partition {p} is "
                if found:
                    return f"{where}there {found} times"
                expired = offset < last["first"][p]
                return f"{where}missing; {'Kafka has deleted it by age, and only a backup has it' if expired else 'Kafka still had it'}"
    return ""


def wrong_schema(bench: Bench, kafka: Before) -> str:
    """The purchases' own, or that of the clicks: another team's records carry its id as well."""
    for subject, (number, schema) in sorted(kafka["schemas"].items(), key=lambda each: each[0] != f"{bench.topic}-value"):
        found = schema_of(bench, number)
        if not found or json.loads(found) != json.loads(schema):
            return (f"schema {number} was that of {subject}, and is {'another one' if found else 'unknown'} now. Each record that was "
                    f"written with it carries {number}: in mirrors, in quarantine, in a till that has kept the id. They are now "
                    "unreadable, or other records")
    return ""


def schema_of(bench: Bench, number: int) -> str:
    try:
        return str(bench.registry(f"schemas/ids/{number}")["schema"])
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return ""


def wrong_topic(bench: Bench, kafka: Before) -> str:
    if bench.topic not in bench.admin().list_topics(timeout=20).topics:
        return f"there is no topic {bench.topic}"
    partitions, copies = len(bench.ends()), fewest_copies(bench)
    if partitions != len(kafka["ends"]) or copies != len(bench.lab.nodes):
        return f"the topic had {len(kafka['ends'])} partitions with {len(bench.lab.nodes)} copies, and has {partitions} with {copies}"
    return "" if topic_id(bench) != kafka["topic_id"] else "the topic was never lost"


def fewest_copies(bench: Bench) -> int:
    return min(len(p.replicas) for p in bench.admin().list_topics(bench.topic, timeout=20).topics[bench.topic].partitions.values())


def topic_id(bench: Bench) -> str:
    """As Kafka's tools and the lake write it: base64 for file names and addresses."""
    found = bench.admin().describe_topics(TopicCollection([bench.topic]))[bench.topic].result(20)
    return str(found.topic_id).replace("+", "-").replace("/", "_")


def spoken(ends: dict[str, int]) -> str:
    return ", ".join(f"{end} of partition {p}" for p, end in ends.items())


def report(bench: Bench) -> int:
    try:
        return int(tomllib.loads((bench.folder / "report.toml").read_text())["lost"])
    except (tomllib.TOMLDecodeError, LookupError, TypeError, ValueError) as error:
        raise LabError(f"report.toml needs a line such as lost = 3 ({error})") from None
