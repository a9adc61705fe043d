"""Lab 5: plays a night with the student's till and topic, and compares the receipts with the topic and the disks."""

import json
import shutil
from typing import Any

from confluent_kafka.admin import ConfigResource, NewTopic

from runner.bench import Bench, wait_until
from runner.finding import Finding, failed, passed

TOOLS = ("night.py", "counter.py")  # The checker uses its own.
SETTING = "min.insync.replicas"
NIGHT_TIMEOUT = 400.0  # Seconds; 12 on an idle machine, and it may play three nights on a very busy one.


def start(bench: Bench) -> None:
    topics = [NewTopic(name, num_partitions=1, replica_assignment=[[1, 2, 3]], config={SETTING: "1"})
              for name in (bench.topic, f"{bench.topic}-careless")]
    for created in bench.admin().create_topics(topics).values():
        created.result(30)
    wait_until(lambda: all(knows(bench, n) for n in bench.lab.nodes), 60, "every broker knows the topics")


def knows(bench: Bench, broker: int) -> bool:
    """Whether this broker, which may be behind, has the topics, with all replicas in sync."""
    found = bench.cluster.admin(broker).list_topics(timeout=20).topics
    return all(name in found and len(found[name].partitions[0].isrs) == len(bench.lab.nodes)
               for name in (bench.topic, f"{bench.topic}-careless"))


def check(bench: Bench) -> Finding:
    untouched = all((bench.folder / name).read_bytes() == (bench.lab.folder / "start" / name).read_bytes()
                    for name in ("till.py", "topic.py"))
    least = in_sync_at_least(bench)
    if untouched and least == "1":
        return failed(f"till.py and topic.py are as you were given them, and {SETTING} is {least}",
                      "settings with which no receipt is a lie; ./python night.py shows what yours are worth")
    night = play(bench)
    careless, mine = night["careless"], night["yours"]
    gone = night["careless_lost"]
    told = {"answer": "c" if len(gone) > 1 else "b",
            "evidence": f"While broker 2 hung, the careless till gave 100 receipts. {len(gone)} of their purchases are on no broker "
                        f"any more, such as {gone[0]!r}, acknowledged at offset {careless['receipts'][gone[0]]}."}
    stored = {record.value().decode() for record in bench.records()}
    saw = f"{SETTING} is {least}; {len(mine['receipts'])} receipts for {mine['sent']} purchases"
    for purchase, offset in mine["receipts"].items():
        if purchase not in stored:
            return failed(saw, "every purchase with a receipt in the topic",
                          f"{purchase!r} has a receipt for offset {offset}, and is not in the topic", **told)
    if night["stuck"] != "no":
        return failed(saw, "a shop that sells while one of three brokers is down",
                      f"with broker 1 down, nobody can buy: Kafka answers {night['stuck']}", **told)
    if night.get("alone"):
        first = night["alone"][0]
        return failed(saw, "a receipt only for a purchase that is on two disks",
                      f"{first!r} had its receipt, for offset {mine['receipts'][first]}, when it was on the disk of broker 2 alone",
                      **told)
    if mine["refused"]:
        first = min(mine["refused"])
        return failed(saw, "a till that waits for the brokers, and sells everything",
                      f"{first!r} was given up: {mine['refused'][first]}", **told)
    return passed(f"{saw}; with one replica left, Kafka refused ({night['refused']}), and your till waited", **told)


def in_sync_at_least(bench: Bench) -> str:
    resource = ConfigResource(ConfigResource.Type.TOPIC, bench.topic)
    return bench.admin().describe_configs([resource])[resource].result(30)[SETTING].value


def play(bench: Bench) -> dict[str, Any]:
    place = bench.folder / ".check"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for name in TOOLS:
        shutil.copy(bench.lab.folder / "start" / name, place)
    for name in ("till.py", "settings.py", "brokers"):
        shutil.copy(bench.folder / name, place)
    bench.run("env", "-C", place, bench.folder / "python", "night.py", seconds=NIGHT_TIMEOUT)
    return json.loads((place / "night.json").read_text())
