"""Measures refine and query: `./run bench refine`."""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

from cluster import BINARY, ROOT

COPY_EVENTS = 10_000_000
MEMORY_MB = 512  # The default of refine.memory_limit_mb.
PASSES = 1000
STARTS = 20  # Of a program whose start is measured.
WATCH_SECONDS = 60
COPY = """
import json, pathlib, resource, sys, time
import duckdb, deltalake
lake, out, threads, memory, select = sys.argv[1:6]
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}; SET memory_limit = '{memory}MB'; SET preserve_insertion_order = false")
connection.execute(f"SET temp_directory = '{out}-spill'; SET TimeZone = 'UTC'")
files = deltalake.DeltaTable(f"{lake}/bronze-events").file_uris()
script = pathlib.Path(select).read_text()
connection.execute(f"CREATE VIEW bronze_events AS SELECT * FROM read_parquet({files!r}, hive_partitioning = true, "
                   "hive_types = {'region': VARCHAR, 'date': DATE})")
begin = time.monotonic()
connection.execute(script)
connection.execute(f"COPY silver_events TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (region, date))")
print(json.dumps({"seconds": time.monotonic() - begin}))
"""


def measure(bench, say) -> None:
    copy(bench, say)
    passes(bench, say)
    watch(bench, say)
    queries(bench, say)


def copy(bench, say) -> None:
    print(f"refine of {COPY_EVENTS:,} events, against DuckDB's COPY of the same SELECT to Parquet", flush=True)
    topic, lake = "bench-refine", bench.folder / "lake-refine"
    bench.fill(topic, "--late-share", 0.02, "--duplicate-share", 0.01, events=COPY_EVENTS)
    bench.shopstream(topic, "ingest", "--until-caught-up", lake=lake)
    bench.shopstream(topic, "table", "optimize", "bronze-events", lake=lake)
    no_gold = bench.folder / "no-gold"
    shutil.copytree(ROOT / "src/refine/sql", no_gold)
    for file in (no_gold / "gold").iterdir():
        file.unlink()
    script = bench.folder / "refine.sql"
    script.write_text(subprocess.run([BINARY, "refine", "sql"], env=bench.environment(topic, lake), capture_output=True,
                                     text=True, timeout=60, check=True).stdout)
    silver, whole, copied, peaks = [], [], [], []
    for number in range(bench.rounds):
        seconds, _ = refine(bench, topic, lake, SHOPSTREAM_REFINE_SQL_FOLDER=str(no_gold))
        silver.append(seconds)
        seconds, peak = refine(bench, topic, lake)
        whole.append(seconds)
        peaks.append(peak)
        out = bench.folder / f"copy-{number}"
        copied.append(copy_seconds(lake, out, script))
        shutil.rmtree(out)
    rate = {name: COPY_EVENTS / statistics.median(runs) for name, runs in
            (("silver", silver), ("whole", whole), ("copy", copied))}
    say("DuckDB's COPY", f"{rate['copy'] / 1e6:.2f} million/s", f"rows; two threads, {MEMORY_MB} MB, as refine")
    say("refine to Silver and rejects", f"{rate['silver'] / 1e6:.2f} million/s")
    say("refine to Silver, rejects and Gold", f"{rate['whole'] / 1e6:.2f} million/s")
    say("refine to Silver / COPY", f"{rate['silver'] / rate['copy']:.2f}", "at least 0.5, aim 0.7")
    say("peak resident memory of refine", f"{max(peaks):.0f} MiB", "at most 1 GB")
    shutil.rmtree(lake)


def copy_seconds(lake: pathlib.Path, out: pathlib.Path, script: pathlib.Path) -> float:
    done = subprocess.run([sys.executable, "-c", COPY, lake, out, "2", str(MEMORY_MB), script], capture_output=True,
                          text=True, timeout=1200)
    if done.returncode != 0:
        sys.exit(f"bench: DuckDB's COPY failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)["seconds"]


def refine(bench, topic: str, lake: pathlib.Path, **settings: str) -> tuple[float, float]:
    """Everything in Bronze, from the beginning. Seconds, and peak MiB."""
    for name in ("silver-events", "silver-rejects", "gold-metrics"):
        shutil.rmtree(lake / name, ignore_errors=True)
    state = bench.folder / "refine-state"
    shutil.rmtree(state, ignore_errors=True)
    done = bench.shopstream(topic, "refine", lake=lake, SHOPSTREAM_REFINE_STATE_FOLDER=str(state), **settings)
    return done.wall_seconds, done.peak_mib


def passes(bench, say) -> None:
    print(f"{PASSES:,} passes of 2,000 rows: the first and the last ten after the first", flush=True)
    folder = bench.folder / "passes"
    program = BINARY.parent / "bench" / "refine_pass_bench"
    done = subprocess.run([program, folder, str(PASSES)], capture_output=True, text=True, timeout=1800, check=True)
    for part in json.loads(done.stdout):
        name = part["run"].replace("_", " ")
        say(f"{name}, passes {part['first_pass']} to {part['last_pass']}", f"{part['cpu_ms_per_pass']:.0f} ms of CPU",
            f"{part['gold_rows_per_pass']:,.0f} rows of Gold, {part['cpu_us_per_gold_row']:.1f} us each, "
            f"{part['kib_read_per_pass']:,.0f} KiB read, {part['kib_written_per_pass']:,.0f} written")
    shutil.rmtree(folder, ignore_errors=True)


def watch(bench, say) -> None:
    """A purchase waits for its commit to Bronze, for the next look of refine, and for the commits of its pass."""
    print(f"from produce to Gold, at 1,000 events/s for {WATCH_SECONDS} s, default settings", flush=True)
    topic, lake = "bench-watch", bench.folder / "lake-watch"
    bench.shopstream(topic, "topics", "setup")
    bench.shopstream(topic, "schema", "register")
    environment = {**bench.environment(topic, lake), "SHOPSTREAM_REFINE_STATE_FOLDER": str(bench.folder / "watch-state")}
    bench.shopstream(topic, "generate", "--count", 1000)
    bench.shopstream(topic, "ingest", "--until-caught-up", lake=lake)
    programs = [subprocess.Popen([BINARY, "--json", "--log-level", "error", *words], env=environment,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                for words in (["ingest"], ["refine", "--watch"])]
    try:
        before, begin = cpu_seconds(programs[1].pid), time.monotonic()
        bench.shopstream(topic, "generate", "--rate", 1000, "--duration", f"{WATCH_SECONDS}s")
        share = (cpu_seconds(programs[1].pid) - before) / (time.monotonic() - begin)
        wait_until_refined(bench, topic, lake)
    finally:
        for program in programs:
            program.send_signal(signal.SIGTERM)
        for program in programs:
            program.wait(60)
    delays = gold_delays(lake)
    say("p50 / p99", f"{percentile(delays, 50):.1f} / {percentile(delays, 99):.1f} s", "p99 at most 5 s")
    say("CPU of refine", f"{share * 100:.0f} % of a core", "at most 15 %, upkeep included")
    shutil.rmtree(lake)


def wait_until_refined(bench, topic: str, lake: pathlib.Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = bench.shopstream(topic, "refine", "status", lake=lake).output
        if status["rows_left"] == 0 and status["complete"]:
            return
        time.sleep(1)
    sys.exit("bench: refine did not catch up within 60 s")


def gold_delays(lake: pathlib.Path) -> list[float]:
    """For each row of Silver: seconds from Kafka's timestamp until the last Gold table had its pass."""
    import deltalake

    committed: dict[int, float] = {}
    for table in sorted((lake / "gold-metrics").iterdir()):
        for entry in sorted((table / "_delta_log").glob("*.json")):
            actions = [json.loads(line) for line in entry.read_text().splitlines()]
            for action in actions:
                if action.get("txn", {}).get("appId") == "shopstream-refine":
                    at = next(each["commitInfo"]["timestamp"] for each in actions if "commitInfo" in each) / 1000
                    number = action["txn"]["version"]
                    committed[number] = max(committed.get(number, 0), at)
    rows = deltalake.DeltaTable(str(lake / "silver-events")).to_pyarrow_table(columns=["refine_pass", "kafka_timestamp"])
    first = min(committed, default=0)  # Of rows that were there before anything watched.
    return sorted(committed[number] - at.timestamp() for number, at in
                  zip(rows["refine_pass"].to_pylist(), rows["kafka_timestamp"].to_pylist())
                  if number in committed and number > first + 1)


def percentile(ascending: list[float], share: int) -> float:
    return ascending[min(len(ascending) - 1, len(ascending) * share // 100)]


def queries(bench, say) -> None:
    topic, lake = "bench-query", bench.folder / "lake-query"
    bench.shopstream(topic, "topics", "setup")
    bench.shopstream(topic, "replay", bench.real_data)
    bench.shopstream(topic, "ingest", "--until-caught-up", lake=lake, SHOPSTREAM_INGEST_MAINTENANCE="false",
                     SHOPSTREAM_INGEST_MEMORY_LIMIT_MB="32", SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS="0")
    refine(bench, topic, lake)
    files = bench.shopstream(topic, "table", "describe", "bronze-events", lake=lake).output["files"]
    print(f"queries of the real data, from start to exit; Bronze has {files:,} files", flush=True)
    bound = {"SELECT date, region, sum(revenue_usd) FROM gold_revenue_hourly GROUP BY ALL ORDER BY ALL LIMIT 10": 100,
             "SELECT count(*) FROM bronze_events": 200}
    for statement, most_ms in bound.items():
        times = []
        for _ in range(STARTS):
            begin = time.monotonic()
            bench.shopstream(topic, "query", statement, lake=lake)
            times.append((time.monotonic() - begin) * 1000)
        say(" ".join(statement.split()[:6]), f"{statistics.median(times):.0f} ms", f"at most {most_ms} ms")
    shutil.rmtree(lake)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
