"""What metrics and `observe` cost an ingest that runs beside them: part of `./run bench observe`."""

import signal
import statistics
import subprocess
import threading
import time
import urllib.request

from bench_refine import cpu_seconds
from cluster import BINARY

PAIRS = 9
EVENTS = 5_000_000
INGEST_METRICS, OBSERVE_METRICS = "127.0.0.1:19470", "127.0.0.1:19471"
START_SECONDS = 60


def measure(bench, say) -> None:
    topic = "bench-cost"
    bench.fill(topic, events=EVENTS)
    print(f"ingest of {EVENTS:,} events, {PAIRS} times with metrics and observe, which samples and is scraped every second, "
          f"and {PAIRS} times without", flush=True)
    rates, costs = {True: [], False: []}, {True: [], False: []}
    observe_cpu, scrapes = [], []
    for pair in range(PAIRS):
        for watched in (pair % 2 == 0, pair % 2 == 1):  # Each is first as often as second.
            done = _ingest_beside_observe(bench, topic, observe_cpu, scrapes) if watched else bench.ingest(topic)
            rates[watched].append(done.output["records_per_second"])
            costs[watched].append(done.cpu_seconds / done.output["rows"] * 1e6)
    _say_ratio(say, "rate of ingest", rates, "at least 0.97")
    _say_ratio(say, "CPU of ingest per event", costs, "at most 1.03")
    say("CPU of observe meanwhile", f"{statistics.median(observe_cpu) * 100:.1f} % of a core", "five times as many samples as by default")
    scrapes.sort()
    say("scrape of the ingest that runs, p50 / p95", f"{statistics.median(scrapes) * 1000:.1f} / "
        f"{scrapes[len(scrapes) * 95 // 100] * 1000:.1f} ms", f"at most 10 ms; {len(scrapes)} scrapes")


def _say_ratio(say, name: str, sides: dict[bool, list[float]], bound: str) -> None:
    ratios = sorted(on / off for on, off in zip(sides[True], sides[False], strict=True))
    say(f"{name}, with / without", f"{statistics.median(sides[True]) / statistics.median(sides[False]):.3f}", bound)
    say("  in pairs: quartiles", ", ".join(f"{ratio:.3f}" for ratio in statistics.quantiles(ratios, n=4)))


def _ingest_beside_observe(bench, topic: str, observe_cpu: list[float], scrapes: list[float]):
    lake = bench.folder / f"lake-{bench.lakes_made + 1}"  # The next one.
    environment = {**bench.environment(topic, lake), "SHOPSTREAM_METRICS_LISTEN": OBSERVE_METRICS,
                   "SHOPSTREAM_OBSERVE_INTERVAL_MS": "1000", "SHOPSTREAM_KAFKA_GROUP": f"bench-{bench.lakes_made + 1}"}
    with open(bench.folder / "observe-cost.log", "wb") as errors:
        observe = subprocess.Popen([BINARY, "observe"], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=errors)
    stop = threading.Event()
    scraper = threading.Thread(target=_scrape, args=(stop, scrapes))
    try:
        _await_sample(observe)
        scraper.start()
        cpu, since = cpu_seconds(observe.pid), time.monotonic()
        done = bench.ingest(topic, SHOPSTREAM_METRICS_LISTEN=INGEST_METRICS)
        observe_cpu.append((cpu_seconds(observe.pid) - cpu) / (time.monotonic() - since))
    finally:
        stop.set()
        if scraper.ident is not None:
            scraper.join()
        observe.send_signal(signal.SIGTERM)
        observe.wait(timeout=30)
    return done


def _await_sample(observe: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and observe.poll() is None:
        if 'shopstream_observe_part_known{part="topics"} 1' in _get(OBSERVE_METRICS):
            return
        time.sleep(0.1)
    raise SystemExit("bench: observe has no sample")


def _scrape(stop: threading.Event, scrapes: list[float]) -> None:
    """Both processes, every second, as Prometheus would."""
    while not stop.wait(1):
        since = time.monotonic()
        if _get(INGEST_METRICS):
            scrapes.append(time.monotonic() - since)
        _get(OBSERVE_METRICS)


def _get(address: str) -> str:
    """Nothing: it does not serve now."""
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return ""
