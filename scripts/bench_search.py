"""Measures the console's message search against the bare client library: `./run bench search`."""

import json
import statistics
import time
import urllib.parse
import urllib.request

from bench_console import console

EVENTS = 1_000_000
# None of them is in a record, so that each search scans everything.
SEARCHES = {"text": {"text": "no record has this"}, "condition": {"where": "amount > 1e12"}, "key": {"key": "no such key"}}


def measure(bench, say) -> None:
    topic = "bench-search"
    bench.fill(topic, events=EVENTS)
    print(f"searches that find nothing in {EVENTS:,} records, against a bare drain of the same", flush=True)
    drains: list[float] = []
    rates: dict[str, list[float]] = {f"{name}, {order} first": [] for name in SEARCHES for order in ("oldest", "newest")}
    with console(bench.environment(topic, bench.folder / "lake"), bench.folder) as (_, address):
        for _ in range(bench.rounds):
            drained = bench.drain(topic).output
            drains.append(drained["records"] / drained["seconds"])
            for name, query in SEARCHES.items():
                for order in ("oldest", "newest"):
                    rates[f"{name}, {order} first"].append(_search(address, topic, order=order, **query))
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
