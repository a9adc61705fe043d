"""disaster.py lake|kafka: sells some more, and then destroys. Not to be changed.

    lake     somebody has deleted the folder of the lake
    kafka    a clean-up job was started on the wrong cluster: no topic is left, the registry's neither
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

from confluent_kafka import Consumer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from settings import BROKERS, CLUSTER, REGISTRY, SEED, TOPIC

INGESTED, UNREAD = 60, 25  # Purchases: ingest was being restarted when Kafka went.


def shopstream(*words):
    subprocess.run(["./shopstream", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def registry(path):
    with urllib.request.urlopen(f"{REGISTRY}/{path}", timeout=10) as reply:
        return json.load(reply)


def offsets():
    """The first offset that Kafka still has, and the end, of each partition."""
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{TOPIC}-disaster", "log_level": 0})
    partitions = consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
    found = {p: consumer.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=20) for p in sorted(partitions)}
    consumer.close()
    return found


def sell(count, seed):
    shopstream("generate", "--count", count, "--seed", seed)
    return offsets()


def lose_lake():
    shutil.rmtree("lake")
    print("The folder lake/ is gone.")


def lose_kafka():
    admin = AdminClient({"bootstrap.servers": BROKERS, "log_level": 0})
    names = [name for name in admin.list_topics(timeout=20).topics if not name.startswith("__")]
    registry_pid = int(pathlib.Path(CLUSTER, "registry/pid").read_text().split()[0])
    for deleted in admin.delete_topics(names).values():
        deleted.result(30)
    os.kill(registry_pid, signal.SIGKILL)
    subprocess.run(["./brokers", "start"], check=True, stdout=subprocess.DEVNULL)
    print(f"{len(names)} topics are gone, all three copies of each. The registry has started again, and knows nothing.")


def main():
    what = sys.argv[1] if len(sys.argv) == 2 else ""
    if what not in ("lake", "kafka"):
        sys.exit("usage: ./python disaster.py lake|kafka")
    if not pathlib.Path("lake/bronze-events/_delta_log").exists():
        sys.exit("there is no lake: restore it first")
    admin = AdminClient({"bootstrap.servers": BROKERS, "log_level": 0})
    if TOPIC not in admin.list_topics(timeout=20).topics:
        sys.exit("the topic is gone already: restore it first")
    seed = SEED + (100 if what == "lake" else 200)
    ingested = sell(INGESTED, seed)
    shopstream("ingest", "--until-caught-up")
    topic = admin.describe_topics(TopicCollection([TOPIC]))[TOPIC].result(20)
    topic_id = str(topic.topic_id).replace("+", "-").replace("/", "_")
    sent = sell(UNREAD, seed + 1) if what == "kafka" else ingested
    latest = [registry(f"subjects/{name}/versions/latest") for name in registry("subjects") if name.startswith(TOPIC)]
    kept = {"at": time.time(), "topic_id": topic_id, "first": {p: low for p, (low, _) in ingested.items()},
            "ends": {p: high for p, (_, high) in ingested.items()}, "sent": {p: high for p, (_, high) in sent.items()},
            "schemas": {each["subject"]: [each["id"], each["schema"]] for each in latest}}
    pathlib.Path(".disaster").mkdir(exist_ok=True)
    pathlib.Path(f".disaster/{what}.json").write_text(json.dumps(kept))
    print("Before the disaster, monitoring saw:")
    for p, (low, high) in sent.items():
        print(f"    partition {p}: Kafka has offsets {low} to {high - 1}; older ones have expired")
    {"lake": lose_lake, "kafka": lose_kafka}[what]()


if __name__ == "__main__":
    main()
