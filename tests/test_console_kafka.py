"""The console's API for Kafka on real servers: the message search, topics, groups and schemas."""

import json
import pathlib
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from cluster import Cluster
from console_pages import permission, start_console
from secured_cluster import SecuredCluster
from secured_world import secured_world
from shopstream import Shopstream, shopstream_world
from waiting import wait_until

Json = dict[str, Any]
COUNT = 2000
TOKEN = "let-me-change-things"


class Console:
    """A running `shopstream console`, and its API."""

    def __init__(self, world: Shopstream, **settings: str):
        self.running, self.url = start_console(world, SHOPSTREAM_OBSERVE_INTERVAL_MS="1000", **permission(world, TOKEN),
                                               **settings)

    def get(self, path: str, expect: int = 200, **query: object) -> Json:
        text = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        return self._answer(urllib.request.Request(f"{self.url}{path}?{text}"), expect)

    def post(self, path: str, body: Json, expect: int = 200) -> Json:
        return self._answer(urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(),
                                                   {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}), expect)

    def _answer(self, request: urllib.request.Request, expect: int) -> Json:
        status, body = self._ask(request)
        assert status == expect, (status, body)
        return body

    def _ask(self, request: urllib.request.Request) -> tuple[int, Json]:
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def tail(self, topic: str, partitions: int) -> Json:
        """The first answer of a live tail of a topic that was just created: some brokers may not know it yet, or not lead."""
        found: Json = {}

        def covers_all() -> bool:
            nonlocal found
            status, found = self._ask(urllib.request.Request(f"{self.url}/api/topics/{topic}/search?follow=true"))
            frame = found.get("frame", {"partitions": []})
            return status == 200 and sum("failed" not in one for one in frame["partitions"]) == partitions

        wait_until(covers_all, 30, "the tail covers all partitions")
        return found

    def search(self, topic: str, **query: object) -> list[Json]:
        """All answers of a search, up to its end."""
        answers, cursor = [], None
        while True:
            answers.append(self.get(f"/api/topics/{topic}/search", cursor=cursor, **query))
            cursor = answers[-1]["cursor"]
            if cursor is None:
                return answers
            assert len(answers) < 200


def found(answers: list[Json]) -> list[Json]:
    return [record for answer in answers for record in answer["records"]]


def places(records: list[Json]) -> list[tuple[int, int]]:
    return [(record["partition"], record["offset"]) for record in records]


@pytest.fixture(scope="module")
def filled(session_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shopstream]:
    """2,000 purchases, some of which cannot be decoded."""
    session_cluster.start_brokers()
    session_cluster.start_registry()
    with shopstream_world(session_cluster, tmp_path_factory.mktemp("console"), f"console-{uuid.uuid4().hex[:6]}") as world:
        world.run("topics", "setup")
        world.run("generate", "--count", COUNT, "--seed", 7, "--malformed-share", 0.02)
        yield world


@pytest.fixture(scope="module")
def console(filled: Shopstream) -> Console:
    return Console(filled)


@pytest.fixture(scope="module")
def everything(filled: Shopstream) -> list[Json]:
    """What `consume` shows of it."""
    return [json.loads(line) for line in filled.run("consume", "-o", "start", "-e").stdout.splitlines()]


def good(records: list[Json]) -> list[Json]:
    return [record for record in records if record.get("value")]


def test_a_search_finds_what_python_finds_and_states_its_frame(console: Console, filled: Shopstream,
                                                               everything: list[Json]) -> None:
    one, other = good(everything)[0], good(everything)[5]
    word = one["value"]["product_name"].split()[0].lower()
    expected = {
        ("where", "amount > 100"): [r for r in good(everything) if r["value"]["amount"] > 100],
        ("where", f"product_name ILIKE '{word}%'"): [r for r in good(everything) if r["value"]["product_name"].lower().startswith(word)],
        ("text", other["value"]["event_id"].upper()): [other],
        ("key", one["key"]): [r for r in everything if r["key"] == one["key"]],
    }
    for order in ("newest", "oldest"):
        for (name, value), wanted in expected.items():
            answers = console.search(filled.topic, order=order, limit=100, **{name: value})
            hits = found(answers)
            assert sorted(places(hits)) == sorted(places(wanted)), (order, name, value)
            for answer in answers:
                times = [record["timestamp_ms"] for record in answer["records"]]
                assert times == sorted(times, reverse=order == "newest")
            frame = answers[-1]["frame"]
            assert frame["ended"] == "end" and frame["matched"] == len(wanted)
            assert frame["scanned"] == len(everything) == COUNT
            assert sum(p["scanned_to"] - p["scanned_from"] for p in frame["partitions"]) == COUNT
            assert all(p["left"] == 0 and p["end"] == p["scanned_to"] for p in frame["partitions"])
    nothing = console.search(filled.topic, where="amount > 1e9")[-1]
    assert nothing["records"] == [] and nothing["frame"]["scanned"] == COUNT and nothing["frame"]["ended"] == "end"


def test_every_record_is_shown_once_whatever_the_limit(console: Console, filled: Shopstream) -> None:
    for order in ("newest", "oldest"):
        answers = console.search(filled.topic, order=order, limit=130)
        assert len(answers) >= COUNT / 130
        assert {answer["frame"]["ended"] for answer in answers[:-1]} <= {"limit", "time"}
        assert answers[-1]["frame"]["ended"] == "end"
        hits = found(answers)
        assert len(hits) == len(set(places(hits))) == COUNT
        for partition in {record["partition"] for record in hits}:
            offsets = [record["offset"] for record in hits if record["partition"] == partition]
            assert offsets == sorted(offsets, reverse=order == "newest")
    # Without the connections that the console keeps for a cursor, the search continues as well.
    first = console.get(f"/api/topics/{filled.topic}/search", limit=70, order="newest")
    other = Console(filled)
    second = other.get(f"/api/topics/{filled.topic}/search", limit=70, order="newest", cursor=first["cursor"])
    assert not set(places(first["records"])) & set(places(second["records"]))
    assert second["frame"]["matched"] == 140


def test_undecodable_records_have_their_reason_and_bytes(console: Console, filled: Shopstream) -> None:
    bad = [r for r in found(console.search(filled.topic, limit=500)) if "error" in r]
    assert bad and all("value" not in r for r in bad)
    record = console.get(f"/api/topics/{filled.topic}/records/{bad[0]['partition']}/{bad[0]['offset']}")
    assert record["record"]["value_hex"].startswith(bad[0]["value_hex"][:40])
    whole = console.get(f"/api/topics/{filled.topic}/records/0/0")["record"]
    assert whole["value"] and whole["value_hex"].startswith("00") and "schema_id" in whole
    end = console.get(f"/api/topics/{filled.topic}/records/0/999999")
    assert end["exists"] is False and "not written yet" in end["reason"]


def test_ranges_partitions_and_wrong_parameters(console: Console, filled: Shopstream) -> None:
    path = f"/api/topics/{filled.topic}/search"
    some = console.search(filled.topic, partitions=1, **{"from": 10, "to": 20}, order="oldest")
    assert places(found(some)) == [(1, offset) for offset in range(10, 20)]
    empty = console.search(filled.topic, **{"from": "end"})[-1]
    assert empty["records"] == [] and all(p["scanned_from"] == p["scanned_to"] for p in empty["frame"]["partitions"])
    for query, words in [({"where": "amount >"}, "not valid SQL"), ({"where": "amunt > 1"}, "amunt"),
                         ({"form": "3"}, "did you mean 'from'"), ({"partitions": "9"}, "no partition 9"),
                         ({"cursor": "abc"}, "cursor")]:
        assert words in console.get(path, expect=400, **query)["error"]["message"], query
    cursor = console.get(path, limit=10)["cursor"]
    assert "cursor" in console.get(path, expect=400, cursor=cursor[:-1])["error"]["message"]
    assert "another search" in console.get(path, expect=400, cursor=cursor, text="a")["error"]["message"]
    absent = console.get("/api/topics/no-such-topic/search")
    assert absent["exists"] is False and absent["remedy"]


def test_a_message_is_produced_sent_again_and_seen_by_the_live_tail(console: Console, filled: Shopstream) -> None:
    topic = f"{filled.topic}-more"
    admin = AdminClient({"bootstrap.servers": filled.cluster.bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(30)
    path, records = f"/api/topics/{topic}/search", f"/api/topics/{topic}/records"
    answer = console.tail(topic, partitions=2)
    assert answer["records"] == [] and answer["frame"]["ended"] == "time"
    value = {"event_id": "planted", "user_id": 7, "region": "EU", "product_id": "P", "product_name": "Lamp",
             "quantity": 1, "amount": 12.5, "currency": "EUR", "timestamp": "2026-11-30T08:00:00Z"}
    subject = f"{filled.topic}-value"
    planted = console.post(records, {"partition": 1, "key": "7", "value": value, "subject": subject,
                                     "headers": [{"name": "note", "value": "by hand"}, {"name": "none"}]})
    again = console.post(records, {"resend": {"partition": planted["partition"], "offset": planted["offset"]}})
    console.post(records, {"partition": 0, "key_hex": "00ff", "value_text": "broken on purpose"})
    console.post(records, {"partition": 0, "key": "7"})  # A tombstone.
    hits: list[Json] = []

    def all_are_there() -> bool:
        nonlocal answer
        answer = console.get(path, follow="true", cursor=answer["cursor"])
        hits.extend(answer["records"])
        return len(hits) >= 4

    wait_until(all_are_there, 20, "the tail shows the messages")
    assert sorted(places(hits)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert again["partition"] == 1 and again["offset"] == planted["offset"] + 1
    first, second = (console.get(f"{records}/1/{offset}")["record"] for offset in (0, 1))
    assert first["value"] == {**value, "timestamp": "2026-11-30T08:00:00.000Z"}
    for name in ("key", "value_hex", "headers"):
        assert first[name] == second[name]
    assert first["headers"] == [{"name": "note", "value": "by hand"}, {"name": "none", "value": None}]
    broken, tombstone = (console.get(f"{records}/0/{offset}")["record"] for offset in (0, 1))
    assert broken["error"] and bytes.fromhex(broken["value_hex"]) == b"broken on purpose" and broken["key_hex"] == "00ff"
    assert tombstone["value_bytes"] is None and "value" not in tombstone
    wrong = console.post(records, {"value": {**value, "quantity": "many"}, "subject": subject}, expect=400)
    assert "quantity" in wrong["error"]["message"] and "many" in wrong["error"]["message"]
    assert "no topic" in console.post("/api/topics/no-such-topic/records", {"key": "a"}, expect=404)["error"]["message"]


def test_gaps_in_offsets_are_searched_and_hold_nothing(shopstream: Shopstream) -> None:
    admin = AdminClient({"bootstrap.servers": shopstream.cluster.bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(shopstream.topic, 2, 1)])[shopstream.topic].result(30)
    producer = Producer({"bootstrap.servers": shopstream.cluster.bootstrap_servers, "transactional.id": shopstream.topic})
    producer.init_transactions(30)
    for number in range(6):
        producer.begin_transaction()
        producer.produce(shopstream.topic, f"text {number}", key="k", partition=0, headers={"note": f"n{number}"})
        producer.flush(30)
        if number % 2 == 0:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    console = Console(shopstream)
    for order in ("newest", "oldest"):
        answers = console.search(shopstream.topic, order=order, limit=2)
        assert sorted(places(found(answers))) == [(0, 0), (0, 4), (0, 8)]
        frame = {p["partition"]: p for p in answers[-1]["frame"]["partitions"]}
        assert (frame[0]["scanned_from"], frame[0]["scanned_to"]) == (0, 12)
        assert (frame[1]["scanned_from"], frame[1]["scanned_to"]) == (0, 0)  # An empty partition.
    assert places(found(console.search(shopstream.topic, text="N2"))) == [(0, 4)]  # In a header.
    marker = console.get(f"/api/topics/{shopstream.topic}/records/0/1")
    assert marker["exists"] is False and "marker" in marker["reason"]
    # Retention moves the log's start during a search; then the topic is deleted.
    first = console.get(f"/api/topics/{shopstream.topic}/search", order="oldest", limit=1)
    admin.delete_records([TopicPartition(shopstream.topic, 0, 7)])
    wait_until(lambda: console.get(f"/api/topics/{shopstream.topic}")["partitions"][0]["log_start"] == 7, 20, "records go")
    rest = console.get(f"/api/topics/{shopstream.topic}/search", order="oldest", limit=50, cursor=first["cursor"])
    assert rest["frame"]["partitions"][0]["removed"] > 0 and (0, 8) in places(rest["records"])
    admin.delete_topics([shopstream.topic])[shopstream.topic].result(30)
    wait_until(lambda: console.get(f"/api/topics/{shopstream.topic}/search", cursor=first["cursor"], order="oldest",
                                   limit=50).get("exists") is False, 20, "the topic is gone")


def test_masked_fields_are_neither_shown_nor_found(filled: Shopstream, everything: list[Json]) -> None:
    console = Console(filled, SHOPSTREAM_CONSOLE_MASK="user_id")
    path = f"/api/topics/{filled.topic}/search"
    records = console.get(path, limit=500)["records"]
    assert good(records) and all(r["value"]["user_id"] == "(hidden by console.mask)" for r in good(records))
    assert all(r["hidden"] and "value_hex" not in r and r["headers"] == [] and r["key"] != "7" for r in records)
    planted = next(r for r in good(everything) if len(r["key"]) >= 4)
    user = planted["value"]["user_id"]
    assert "user_id" in console.get(path, expect=400, where=f"user_id = {user}")["error"]["message"]
    assert "key" in console.get(path, expect=400, where=f"key = '{user}'")["error"]["message"]
    assert console.get(path, key=str(user))["state"] == "not_allowed"
    hits = found(console.search(filled.topic, text=user))
    assert all(str(user) in json.dumps({**hit["value"], "user_id": ""}) for hit in hits)
    record = console.get(f"/api/topics/{filled.topic}/records/{planted['partition']}/{planted['offset']}")["record"]
    assert str(user) not in json.dumps(record["value"]) and "value_hex" not in record and "key_hex" not in record


def test_topics_brokers_groups_and_schemas(console: Console, filled: Shopstream) -> None:
    reader = Consumer({"bootstrap.servers": filled.cluster.bootstrap_servers, "group.id": f"{filled.topic}-reader"})
    reader.commit(offsets=[TopicPartition(filled.topic, partition, 5) for partition in range(3)], asynchronous=False)
    reader.close()
    group = f"{filled.topic}-reader"

    def lags() -> list[Json]:
        topics = {t["topic"]: t for t in console.get("/api/topics").get("topics", [])}
        return [lag for lag in topics.get(filled.topic, {}).get("lags", []) if lag["group"] == group]

    assert wait_until(lags, 20, "the group's lag is in the list")[0]["records"] == COUNT - 15
    assert {b["state"] for b in console.get("/api/brokers")["brokers"]} == {"up"}
    topic = console.get(f"/api/topics/{filled.topic}")
    assert sum(p["end"] for p in topic["partitions"]) == COUNT
    assert {c["name"] for c in topic["configuration"] if not c["is_default"]} >= {"min.insync.replicas"}
    shown = console.get(f"/api/groups/{group}")
    assert shown["state"] == "Empty" and {p["lag"] for p in shown["partitions"]} and shown["is_lake"] is False
    assert wait_until(lambda: console.get(f"/api/groups/{group}/lag")["records"], 20, "its history grows")[-1] == COUNT - 15
    plan = console.post(f"/api/groups/{group}/reset/plan", {"to": "latest"})
    assert plan["possible"] and all(p["after"] == p["end"] and p["before"] == 5 for p in plan["partitions"])
    body = {"to": "offset", "offset": 3, "topics": {filled.topic: [0, 2]}}
    unconfirmed = console.post(f"/api/groups/{group}/reset", body, expect=400)
    assert "confirm" in unconfirmed["error"]["message"]
    assert console.post(f"/api/groups/{group}/reset", {**body, "confirm": group})["done"] is True
    offsets = {p["partition"]: p["committed"] for p in console.get(f"/api/groups/{group}")["partitions"]}
    assert offsets == {0: 3, 1: 5, 2: 3}
    beyond = console.post(f"/api/groups/{group}/reset", {"to": "offset", "offset": 10 ** 9, "confirm": group}, expect=400)
    assert "is not reset" in beyond["error"]["message"]
    refused = console.post(f"/api/groups/{filled.group}/reset/plan", {"to": "latest"}, expect=400)
    assert "Bronze" in refused["error"]["message"]
    subject = f"{filled.topic}-value"
    assert subject in {s["subject"] for s in console.get("/api/subjects")["subjects"]}
    versions = console.get(f"/api/subjects/{subject}")["versions"]
    schema = json.loads(versions[0]["schema"])
    schema["fields"].append({"name": "discount", "type": "double"})
    verdict = console.post(f"/api/subjects/{subject}/check", {"schema": json.dumps(schema)})
    assert verdict["compatible"] is False and verdict["reasons"]
    schema["fields"][-1]["default"] = 0
    verdict = console.post(f"/api/subjects/{subject}/check", {"schema": json.dumps(schema)})
    assert verdict["compatible"] is True and "discount" in json.dumps(verdict["change"])
    broken = console.post(f"/api/subjects/{subject}/check", {"schema": "{"})
    assert broken["valid"] is False and broken["reasons"]


def test_what_may_not_be_seen_is_a_state_of_its_own(secured_node: SecuredCluster, tmp_path: pathlib.Path) -> None:
    with secured_world(secured_node, tmp_path) as world:
        console = Console(world.program, **secured_node.environment(world.user()))
        assert console.get(f"/api/topics/{world.topic}")["state"] == "not_allowed"
        hidden = console.get(f"/api/topics/{world.topic}/search")
        assert hidden["state"] == "not_allowed" and "User:" in hidden["reason"] and "DESCRIBE" in hidden["remedy"]
        assert console.get(f"/api/groups/{world.group}")["state"] == "not_allowed"
        groups = wait_until(lambda: console.get("/api/groups").get("state"), 30, "the groups are asked for")
        assert groups == "not_allowed"
