"""Measures the console's message search against the bare client library: `./run bench search`."""

import json
import pathlib
import re
import signal
import statistics
import subprocess
import time
import urllib.parse
import urllib.request

from cluster import BINARY

EVENTS = 1_000_000
START_SECONDS = 60
# None of them is in a record, so that each search scans everything.
SEARCHES = {"text": {"text": "no record has this"}, "condition": {"where": "amount > 1e12"}, "key": {"key": "no such key"}}


def measure(bench, say) -> None:
    topic = "bench-search"
    bench.fill(topic, events=EVENTS)
    print(f"searches that find nothing in {EVENTS:,} records, against a bare drain of the same", flush=True)
    console, address = _start(bench.environment(topic, bench.folder / "lake"), bench.folder)
    try:
        drains: list[float] = []
        rates: dict[str, list[float]] = {f"{name}, {order} first": [] for name in SEARCHES for order in ("oldest", "newest")}
        for _ in range(bench.rounds):
            drained = bench.drain(topic).output
            drains.append(drained["records"] / drained["seconds"])
            for name, query in SEARCHES.items():
                for order in ("oldest", "newest"):
                    rates[f"{name}, {order} first"].append(_search(address, topic, order=order, **query))
    finally:
        console.send_signal(signal.SIGTERM)
        console.wait(timeout=30)
    bare = statistics.median(drains)
    say("bare drain", f"{bare / 1e6:.2f} million/s", "records")
    for name, measured in rates.items():
        rate = statistics.median(measured)
        say(f"search by {name}", f"{rate / 1e6:.2f} million/s", "records")
        say(f"search by {name} / bare drain", f"{rate / bare:.2f}", "at least 0.5")


def _search(address: str, topic: str, **query: str) -> float:
    """Records per second, from the first request to the end."""
    cursor, since = "", time.monotonic()
    while cursor is not None:
        text = urllib.parse.urlencode({**query, **({"cursor": cursor} if cursor else {})})
        with urllib.request.urlopen(f"{address}/api/topics/{topic}/search?{text}", timeout=60) as reply:
            answer = json.load(reply)
        cursor = answer["cursor"]
    assert answer["frame"]["ended"] == "end" and answer["frame"]["matched"] == 0
    return answer["frame"]["scanned"] / (time.monotonic() - since)


def _start(environment: dict[str, str], folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    log = folder / "console.log"
    with open(log, "wb") as errors:
        process = subprocess.Popen([BINARY, "console"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                   env={**environment, "SHOPSTREAM_CONSOLE_LISTEN": "127.0.0.1:0"})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"open (http://\S+)/ ", log.read_text(errors="replace")):
            return process, found[1]
        time.sleep(0.1)
    raise SystemExit(f"bench: the console does not start: {log.read_text()[-2000:]}")
