"""Measures the console: its live streams, and how soon its pages show something: `./run bench console`."""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench_refine import cpu_seconds
from cluster import BINARY

STREAMS = 200
STREAM_SECONDS = 20
COMMITS, FILES = 1_000, 10_000
DATES = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04")  # A commit has a file for each, and for each of three regions.
FILL_SECONDS = 600
START_SECONDS = 60
# The first has no data: it shows how fast the browser and the machine are in the same minute.
PAGES = ("/about", "/", "/kafka", "/groups", "/lake", "/lake/bronze-events", "/quality")


def measure(bench, say) -> None:
    topic, lake = "bench-console", bench.folder / "lake-console"
    _fill(bench, topic, lake)
    settings = {**bench.environment(topic, lake), "SHOPSTREAM_REFINE_STATE_FOLDER": str(bench.folder / "console-state")}
    with console(settings, bench.folder) as (process, address):
        table = bench.shopstream(topic, "table", "describe", "bronze-events", lake=lake).output
        print(f"console with 3 topics, {table['version']:,} commits and {table['files']:,} files", flush=True)
        _measure_pages(address, bench.rounds, say)
        _measure_streams(process, address, say)


@contextlib.contextmanager
def console(environment: dict[str, str], folder: pathlib.Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """A console, and the address of its first page without the last slash."""
    log = folder / "console.log"
    with open(log, "wb") as errors:
        process = subprocess.Popen([BINARY, "console"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                   env={**environment, "SHOPSTREAM_CONSOLE_LISTEN": "127.0.0.1:0"})
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (found := re.search(r"open (http://\S+)/ ", log.read_text(errors="replace"))):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"bench: the console does not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield process, found[1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


# ---- a lake of many commits


def _fill(bench, topic: str, lake: pathlib.Path) -> None:
    """Purchases of four dates at the same time, committed as often as ingest can, and never merged."""
    for name in (topic, "bench-console-2", "bench-console-3"):
        bench.shopstream(name, "topics", "setup")
    bench.shopstream(topic, "schema", "register")
    environment = bench.environment(topic, lake)
    ingest = {"SHOPSTREAM_INGEST_BATCH_SIZE": "1", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "0",
              "SHOPSTREAM_INGEST_MAINTENANCE": "false"}
    commands = [(["ingest"], ingest)] + [(["generate", "--rate", "200", "--start", date], {}) for date in DATES]
    programs = [subprocess.Popen([BINARY, "--log-level", "error", *words], env={**environment, **more},
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for words, more in commands]
    try:
        deadline = time.monotonic() + FILL_SECONDS
        while not _is_filled(lake / "bronze-events"):
            if time.monotonic() > deadline or any(program.poll() is not None for program in programs):
                raise SystemExit("bench: the lake for the console was not filled")
            time.sleep(0.5)
    finally:
        for program in reversed(programs):  # Ingest last.
            program.send_signal(signal.SIGTERM)
            program.wait(timeout=60)
    bench.shopstream(topic, "refine", lake=lake, SHOPSTREAM_REFINE_STATE_FOLDER=str(bench.folder / "console-state"))


def _is_filled(table: pathlib.Path) -> bool:
    return (table / f"_delta_log/{COMMITS:020}.json").exists() and sum(1 for _ in table.rglob("*.parquet")) > FILES


# ---- pages


def _measure_pages(address: str, rounds: int, say) -> None:
    from playwright.sync_api import sync_playwright

    painted: dict[str, list[float]] = {page: [] for page in PAGES}
    drawn: dict[str, list[float]] = {page: [] for page in PAGES}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium",
                                             args=["--no-sandbox"] if os.geteuid() == 0 else [])
        for _ in range(rounds):
            for path in PAGES:
                context = browser.new_context()  # With an empty cache.
                first, whole = _visit(context.new_page(), address + path)
                painted[path].append(first)
                drawn[path].append(whole)
                context.close()
        browser.close()
    for path in PAGES:
        say(f"page {path}, first content", f"{statistics.median(painted[path]):.0f} ms", "at most 1 s")
        say(f"page {path}, all of it", f"{statistics.median(drawn[path]):.0f} ms")


def _visit(page, url: str) -> tuple[float, float]:
    """Milliseconds from the navigation until the browser painted something, and until nothing is loading."""
    page.goto(url)
    page.wait_for_selector("main h1", state="attached")
    page.wait_for_selector("main .loading[role=status]", state="detached")
    return tuple(page.evaluate("""() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
        [performance.getEntriesByName('first-contentful-paint')[0].startTime, performance.now()]))))"""))


# ---- streams


def _measure_streams(process: subprocess.Popen, address: str, say) -> None:
    alone = _answer_seconds(address)
    streams = [_open_stream(address) for _ in range(STREAMS)]
    try:
        for stream in streams:
            _await(stream, b"event: overview\n")
        cpu, since = cpu_seconds(process.pid), time.monotonic()
        beside = _answer_seconds(address)
        events = [_await(stream, b"event: overview\n") for stream in streams]  # Each gets another one.
        while time.monotonic() < since + STREAM_SECONDS:
            for stream in streams:
                _await(stream, b"event: overview\n")
        share = (cpu_seconds(process.pid) - cpu) / (time.monotonic() - since)
        refused = _status_of_one_more(address)
        peak_kib = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1])
    finally:
        for stream in streams:
            stream.close()
    assert len(events) == STREAMS
    say("streams that each receive every sample", f"{len(events)}", f"at least {STREAMS}; one more is refused with {refused}")
    say("CPU of the console with them", f"{share * 100:.1f} % of a core", "samples included")
    say("resident memory with them", f"{peak_kib / 1024:.0f} MiB")
    say("GET /api/overview without and with them", f"{alone * 1000:.1f}, {beside * 1000:.1f} ms", "median of 50")


def _open_stream(address: str) -> socket.socket:
    place = urlsplit(address)
    stream = socket.create_connection((place.hostname, place.port), timeout=30)
    stream.sendall(f"GET /api/stream?channels=overview,topics,groups HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    return stream


def _await(stream: socket.socket, wanted: bytes) -> bytes:
    text = b""
    while wanted not in text:
        piece = stream.recv(1 << 20)
        assert piece, f"a stream has ended: {text[-300:]!r}"
        text = text[-len(wanted):] + piece
    return text


def _status_of_one_more(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}/api/stream?channels=overview", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def _answer_seconds(address: str) -> float:
    took = []
    for _ in range(50):
        since = time.monotonic()
        with urllib.request.urlopen(f"{address}/api/overview", timeout=30) as answer:
            json.load(answer)
        took.append(time.monotonic() - since)
    return statistics.median(took)
