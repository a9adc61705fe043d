"""Measures what `observe` costs: `./run bench observe`."""

import os
import pathlib
import re
import signal
import statistics
import subprocess
import time
import urllib.request
from collections import Counter

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import bench_cost
from bench_refine import cpu_seconds
from cluster import BINARY, Cluster, Ports

TOPICS = 1000
PARTITIONS = 1
GROUPS = 20
SAMPLES = 10  # One per second.
TOPICS_AT_A_TIME = 100
START_SECONDS = 120


def measure(bench, say) -> None:
    bench_cost.measure(bench, say)
    _measure_many_topics(bench, say)


def _measure_many_topics(bench, say) -> None:
    folder = bench.folder / "one-node"
    node = Cluster(folder, Ports(brokers=19294, controllers=19295, registry=19296), brokers=(1,))
    try:
        node.start_brokers()
        node.start_registry()
        _fill(node)
        print(f"observe of {TOPICS:,} topics with {PARTITIONS} partition each and {GROUPS} groups that have committed "
              "in all of them, one broker, a sample per second", flush=True)
        for scope in ("own", "all"):
            _measure(node, folder, scope, say)
    finally:
        node.kill()


def _fill(node: Cluster) -> None:
    admin = AdminClient({"bootstrap.servers": node.bootstrap_servers, "log_level": 0})
    names = [f"topic-{number:04}" for number in range(TOPICS)]
    for first in range(0, TOPICS, TOPICS_AT_A_TIME):
        wanted = [NewTopic(name, PARTITIONS, 1) for name in names[first:first + TOPICS_AT_A_TIME]]
        for created in admin.create_topics(wanted, request_timeout=60).values():
            created.result()
    deadline = time.monotonic() + START_SECONDS
    while not _all_led(admin, names):
        if time.monotonic() > deadline:
            raise SystemExit("bench: the topics have no leaders")
        time.sleep(0.5)
    for number in range(GROUPS):
        consumer = Consumer({"bootstrap.servers": node.bootstrap_servers, "group.id": f"group-{number}",
                             "log_level": 0})
        consumer.commit(offsets=[TopicPartition(name, p, 0) for name in names for p in range(PARTITIONS)],
                        asynchronous=False)
        consumer.close()


def _all_led(admin: AdminClient, names: list[str]) -> bool:
    topics = admin.list_topics(timeout=30).topics
    return all(name in topics and len(topics[name].partitions) == PARTITIONS
               and all(partition.leader >= 0 for partition in topics[name].partitions.values()) for name in names)


def _measure(node: Cluster, folder: pathlib.Path, scope: str, say) -> None:
    def environment(**settings: str) -> dict[str, str]:
        return {**{name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")},
                "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": node.bootstrap_servers,
                "SHOPSTREAM_KAFKA_TOPIC": "topic-0000", "SHOPSTREAM_KAFKA_GROUP": "group-0",
                "SHOPSTREAM_REGISTRY_URL": node.registry_url, "SHOPSTREAM_LAKE_URI": str(folder / "lake"),
                "SHOPSTREAM_METRICS_LISTEN": "127.0.0.1:0", "SHOPSTREAM_OBSERVE_INTERVAL_MS": "1000",
                "SHOPSTREAM_OBSERVE_TOPICS": scope, "SHOPSTREAM_OBSERVE_GROUPS": scope, **settings}

    log = folder / f"observe-{scope}.log"
    process = _start(log, environment())
    try:
        _await_sample(log, process)
        cpu, since = cpu_seconds(process.pid), time.monotonic()
        took, groups_took, scrapes = [], [], []
        for _ in range(SAMPLES):
            time.sleep(1)
            text, seconds = _scrape(log)
            scrapes.append(seconds)
            took.append(_value(text, 'shopstream_observe_part_seconds{part="topics"}'))
            groups_took.append(_value(text, 'shopstream_observe_part_seconds{part="groups"}'))
        share = (cpu_seconds(process.pid) - cpu) / (time.monotonic() - since)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    finally:
        _stop(process)
    peak_kib = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
    asked = _requests(folder / f"observe-{scope}-requests.log", environment())
    name = f"{scope}: "
    say(name + "time of the topics' part", f"{statistics.median(took) * 1000:.0f} ms")
    say(name + "time of the groups' part", f"{statistics.median(groups_took) * 1000:.0f} ms")
    for request in ("Metadata", "ListOffsets", "OffsetFetch", "DescribeGroups", "ListGroups"):
        say(name + f"{request} requests per sample", f"{asked[request]:.1f}")
    say(name + "CPU", f"{share * 100:.1f} % of a core")
    say(name + "resident memory", f"{peak_kib / 1024:.0f} MiB")
    say(name + "scrape", f"{statistics.median(scrapes) * 1000:.1f} ms", f"{len(text) / 1024:.0f} KiB")


def _start(log: pathlib.Path, environment: dict[str, str], *flags: str) -> subprocess.Popen:
    with open(log, "wb") as errors:
        return subprocess.Popen([BINARY, *flags, "observe"], env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=errors)


def _stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def _await_sample(log: pathlib.Path, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if 'shopstream_observe_part_known{part="groups"} 1' in _scrape(log)[0]:
            return
        time.sleep(0.2)
    raise SystemExit(f"bench: observe has no sample: {log.read_text()[-2000:]}")


def _scrape(log: pathlib.Path) -> tuple[str, float]:
    found = re.search(r"metrics on (http://[^\s\"]+)", log.read_text(errors="replace"))
    if not found:
        return "", 0.0
    since = time.monotonic()
    with urllib.request.urlopen(found[1], timeout=30) as answer:
        text = answer.read().decode()
    return text, time.monotonic() - since


def _value(text: str, series: str) -> float:
    return float(re.search(re.escape(series) + r" (\S+)", text)[1])


def _requests(log: pathlib.Path, environment: dict[str, str]) -> Counter:
    """Per sample, as the client's own log has them; one sample is one round of the groups' OffsetFetch."""
    process = _start(log, {**environment, "SHOPSTREAM_KAFKA_SECURITY_DEBUG": "protocol"}, "--log-level", "debug")
    try:
        _await_sample(log, process)
        before, since = _sent(log), time.monotonic()
        time.sleep(SAMPLES)
        seconds = time.monotonic() - since
        after = _sent(log)
    finally:
        _stop(process)
    return Counter({name: (count - before[name]) / seconds for name, count in after.items()})


def _sent(log: pathlib.Path) -> Counter:
    return Counter(re.findall(r"Sent (\w+)Request", log.read_text(errors="replace")))
