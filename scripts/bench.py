"""Measures the figures of docs/performance.md, each as a ratio within one run.

    ./run bench [codec] [produce] [ingest] [garbage] [evolution] [replay] [s3] [freshness] [log] [optimize]
                [refine] [registry] [observe] [console] [search] [day] [build]         default: all but day, refine, build

Starts its own cluster on its own ports and stops it afterwards. Rounds of the two sides of a ratio
alternate and the median of each side counts, so that both sides see the same machine load.
"""

import argparse
import dataclasses
import io
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import signal
import subprocess
import sys
import tempfile
import time
import uuid

import bench_build
import bench_console
import bench_observe
import bench_refine
import bench_search
from bench_refine import cpu_seconds
from cluster import BINARY, ROOT, Cluster, Ports

BENCH = BINARY.parent / "bench"
REPLAY = ROOT / "config/sources/complete_journey.yaml"
EVENTS = 3_000_000
ROUNDS = 3
PARTITIONS = 3
TIMEOUT = 600  # Seconds, for any one command.


@dataclasses.dataclass
class Run:
    """One finished command: its output, and the resources it used."""
    output: dict
    cpu_seconds: float
    peak_mib: float
    wall_seconds: float


class Bench:
    def __init__(self, cluster: Cluster, folder: pathlib.Path, rounds: int, events: int):
        self.cluster, self.folder, self.rounds, self.events = cluster, folder, rounds, events
        self.real_data = REPLAY
        self.lakes_made = 0

    def shopstream(self, topic: str, *arguments: object, lake: pathlib.Path | None = None,
                   **settings: str) -> Run:
        return run([BINARY, "--json", "--log-level", "error", *arguments],
                   {**self.environment(topic, lake or self.folder / "lake"), **settings})

    def environment(self, topic: str, lake: pathlib.Path) -> dict[str, str]:
        """Default settings except for locations; the caller's own settings are ignored."""
        return {**{name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")},
                "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.cluster.bootstrap_servers,
                "SHOPSTREAM_KAFKA_TOPIC": topic,
                "SHOPSTREAM_REGISTRY_URL": self.cluster.registry_url,
                "SHOPSTREAM_LAKE_URI": str(lake),
                "SHOPSTREAM_METRICS_LISTEN": ""}

    def fill(self, topic: str, *flags: object, events: int = 0) -> None:
        self.shopstream(topic, "topics", "setup")
        self.shopstream(topic, "generate", "--count", events or self.events, "--seed", 7, *flags)

    def ingest(self, topic: str, **settings: str) -> Run:
        """Everything in the topic, into a new lake for this round."""
        self.lakes_made += 1
        lake = self.folder / f"lake-{self.lakes_made}"
        done = self.shopstream(topic, "ingest", "--until-caught-up", lake=lake,
                               SHOPSTREAM_KAFKA_GROUP=f"bench-{self.lakes_made}", **settings)
        shutil.rmtree(lake)
        return done

    def ingest_into_minio(self, topic: str) -> Run:
        self.lakes_made += 1
        return self.shopstream(topic, "ingest", "--until-caught-up",
                               **self.cluster.s3_environment, SHOPSTREAM_KAFKA_GROUP=f"bench-{self.lakes_made}",
                               SHOPSTREAM_LAKE_URI=f"s3://bench/lake-{self.lakes_made}")

    def drain(self, topic: str) -> Run:
        return run([BENCH / "drain_bench", self.cluster.bootstrap_servers, topic, PARTITIONS], dict(os.environ))


def run(command: list, environment: dict[str, str], timeout: float = TIMEOUT) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([str(part) for part in command], env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    begun = time.monotonic()
    deadline = begun + timeout
    while True:
        if time.monotonic() > deadline:
            process.kill()
            sys.exit(f"bench: {' '.join(map(str, command))}\nwas still running after {timeout:g} s")
        peak = max(peak, peak_mib(process.pid))
        try:
            output, errors = process.communicate(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            continue
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))}\nexited with {process.returncode}: {errors[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(json.loads(output or "{}"), cpu, peak, time.monotonic() - begun)


def peak_mib(pid: int) -> float:
    """The process's peak resident memory."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        return 0.0
    return int(found.group(1)) / 1024 if found else 0.0


def say(name: str, value: str, note: str = "") -> None:
    print(f"  {name:<44} {value:>16}  {note}", flush=True)


def median(values: list[float]) -> float:
    return statistics.median(values)


def bench_codec(bench: Bench) -> None:
    print("codec, one core", flush=True)
    for program, words in (("codec_bench", "events/s"), ("parquet_write_bench", "rows/s")):
        done = subprocess.run([BENCH / program, "--benchmark_format=json", "--benchmark_min_time=0.5"],
                              capture_output=True, text=True, timeout=TIMEOUT, check=True)
        for figure in json.loads(done.stdout)["benchmarks"]:
            if "items_per_second" in figure:
                say(figure["name"], f"{figure['items_per_second'] / 1e6:.2f} million", words)


def bench_produce(bench: Bench) -> None:
    print("produce, against the bare client library with ready-made payloads", flush=True)
    bench.shopstream("bench-produce", "topics", "setup")
    done = subprocess.run([BENCH / "produce_bench", "--bootstrap", bench.cluster.bootstrap_servers,
                           "--registry", bench.cluster.registry_url, "--topic", "bench-produce"],
                          capture_output=True, text=True, timeout=TIMEOUT, check=True)
    print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="", flush=True)


def bench_ingest(bench: Bench) -> None:
    print(f"ingest of {bench.events:,} events, default settings, against a bare drain of the same", flush=True)
    topic = "bench-ingest"
    bench.fill(topic)
    drains, ingests = [], []
    for _ in range(bench.rounds):
        drains.append(bench.drain(topic))
        ingests.append(bench.ingest(topic))
    bare = median([d.output["records"] / d.output["seconds"] for d in drains])
    ours = median([i.output["records_per_second"] for i in ingests])
    say("bare drain", f"{bare / 1e6:.2f} million/s", "events")
    say("bare drain, CPU per event", f"{median([d.cpu_seconds / d.output['records'] for d in drains]) * 1e6:.2f} us")
    say("ingest, first record to last commit", f"{ours / 1e6:.2f} million/s", "events")
    say("ingest / bare drain", f"{ours / bare:.2f}", "at least 0.35, aim 0.45")
    whole = median([d.wall_seconds for d in drains]) / median([i.wall_seconds for i in ingests])
    say("the same for whole processes, start to exit", f"{whole:.2f}")
    say("ingest, CPU per event", f"{median([i.cpu_seconds / i.output['rows'] for i in ingests]) * 1e6:.2f} us",
        "at most 0.9, aim 0.75")
    say("ingest, peak resident memory", f"{max(i.peak_mib for i in ingests):.0f} MiB", "at most 300 MB")
    last = ingests[-1].output
    say("commits, files", f"{last['commits']}, {last['files']}")
    say("log commit, p50 / p99", f"{last['log_commit']['p50_ms']} / {last['log_commit']['p99_ms']} ms")
    say("cut to readable, p50 / p99", f"{last['cut']['p50_ms']} / {last['cut']['p99_ms']} ms", "at full speed")
    say("bytes per row", f"{last['file_bytes'] / last['rows']:.1f}")


def bench_garbage(bench: Bench) -> None:
    # Twice as many: an ingest that encounters unknown schema ids waits 2 s once, to confirm them.
    events = 2 * bench.events
    print(f"ingest of {events:,} events with and without 10 % garbage", flush=True)
    bench.fill("bench-clean", events=events)
    bench.fill("bench-garbage", "--malformed-share", 0.1, events=events)
    rates = {topic: [] for topic in ("bench-clean", "bench-garbage")}
    for _ in range(bench.rounds):
        for topic, seen in rates.items():
            seen.append(bench.ingest(topic).output["records_per_second"])
    clean, garbage = (median(seen) for seen in rates.values())
    say("with 10 % garbage", f"{garbage / 1e6:.2f} million/s", "events, including the 2 s to confirm unknown ids")
    say("garbage / clean", f"{garbage / clean:.2f}", "at least 0.5")


def fill_with_versions(bench: Bench, topic: str, events: int, newest_only: bool) -> None:
    """Purchases with 0 to 4 additional optional fields: alternating five versions of the schema, or all of the
    newest. The resulting rows are the same."""
    import fastavro
    from confluent_kafka import Producer
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

    bench.shopstream(topic, "topics", "setup")
    registry = SchemaRegistryClient({"url": bench.cluster.registry_url})
    base = json.loads((ROOT / "schemas/purchase_event.avsc").read_text())
    now = int(time.time()) * 1000
    pools = []
    for filled in range(5):
        version = 4 if newest_only else filled
        more = [{"name": f"field_{n}", "type": ["null", "string"], "default": None} for n in range(version)]
        schema = {**base, "fields": [*base["fields"], *more]}
        schema_id = registry.register_schema(f"{topic}-value", Schema(json.dumps(schema), "AVRO"))
        parsed = fastavro.parse_schema(schema)
        pool = []
        for number in range(2000):
            body = io.BytesIO()
            fastavro.schemaless_writer(body, parsed, {
                "event_id": str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128))),
                "user_id": number * 7919 % 50000, "region": ("US", "EU", "ASIA")[number % 3],
                "product_id": f"P{number % 500:05d}", "product_name": f"Product {number % 500}",
                "quantity": number % 5 + 1, "amount": number * 37 % 10000 / 100, "currency": "USD",
                "timestamp": now + number, **{f"field_{n}": f"value {number % 50}" for n in range(filled)}})
            pool.append(b"\0" + schema_id.to_bytes(4, "big") + body.getvalue())
        pools.append(pool)
    producer = Producer({"bootstrap.servers": bench.cluster.bootstrap_servers, "acks": "all", "linger.ms": 50,
                         "queue.buffering.max.messages": 200_000, "compression.type": "snappy", "log_level": 0})
    for number in range(events):
        pool = pools[number % len(pools)]
        while True:
            try:
                producer.produce(topic, pool[number // len(pools) % len(pool)], partition=number // 5 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(60):
        sys.exit("bench: records were not delivered")


def bench_evolution(bench: Bench) -> None:
    events = 1_000_000
    print(f"ingest of {events:,} events of five schema versions in turn, against the same rows of one version", flush=True)
    fill_with_versions(bench, "bench-one-version", events, newest_only=True)
    fill_with_versions(bench, "bench-five-versions", events, newest_only=False)
    sides = {"bench-one-version": [], "bench-five-versions": []}
    for _ in range(bench.rounds):
        for topic, seen in sides.items():
            seen.append(bench.ingest(topic))
    one, five = ([run.output["seconds"] for run in seen] for seen in sides.values())
    one_cpu, five_cpu = ([run.cpu_seconds / run.output["rows"] * 1e6 for run in seen] for seen in sides.values())
    say("one version", f"{events / median(one) / 1e6:.2f} million/s", f"{median(one_cpu):.2f} us of CPU per event")
    say("five versions", f"{events / median(five) / 1e6:.2f} million/s", f"{median(five_cpu):.2f} us of CPU per event")
    say("time of five / one", f"{median(five) / median(one):.2f}", "at most 1.1")
    say("CPU of five / one", f"{median(five_cpu) / median(one_cpu):.2f}", "at most 1.1")
    for topic, seen in sides.items():
        say(f"{topic.removeprefix('bench-')}: commits, files",
            ", ".join(f"{run.output['commits']}/{run.output['files']}" for run in seen), "depends only on speed")
    # No bound on rows, time or memory triggers a cut: the number of files does not depend on speed.
    whole = {"SHOPSTREAM_INGEST_MEMORY_LIMIT_MB": "2048", "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": "3600000",
             "SHOPSTREAM_INGEST_BATCH_TIMEOUT_SECONDS": "86400"}
    files = [bench.ingest(topic, **whole).output["files"] for topic in sides]
    say("files if all fits in memory", f"{files[0]}, {files[1]}", "the same")


def bench_replay(bench: Bench) -> None:
    print("replay of the real data: 365 dates x 3 regions", flush=True)
    topic = "bench-replay"
    bench.shopstream(topic, "topics", "setup")
    sent = bench.shopstream(topic, "replay", REPLAY)
    say("replay", f"{sent.output.get('rate', 0) / 1e3:.0f} thousand/s", "events")
    say("replay, peak resident memory", f"{sent.peak_mib:.0f} MiB")
    done = bench.ingest(topic)
    say("ingest", f"{done.output['records_per_second'] / 1e6:.2f} million/s", "events")
    say("ingest, peak resident memory", f"{done.peak_mib:.0f} MiB", "at most 300 MB")
    say("commits, files", f"{done.output['commits']}, {done.output['files']}")


def bench_s3(bench: Bench) -> None:
    bench.cluster.start_minio()
    for topic, words in (("bench-s3-ingest", f"{bench.events:,} events"), ("bench-s3-replay", "the replay")):
        print(f"ingest of {words} into MinIO, against ingest onto disk", flush=True)
        if topic == "bench-s3-ingest":
            bench.fill(topic)
        else:
            bench.shopstream(topic, "topics", "setup")
            bench.shopstream(topic, "replay", REPLAY)
        disk, s3, minio_cpu = [], [], []
        for _ in range(bench.rounds):
            disk.append(bench.ingest(topic))
            before = cpu_seconds(bench.cluster.minio_pid())
            s3.append(bench.ingest_into_minio(topic))
            minio_cpu.append(cpu_seconds(bench.cluster.minio_pid()) - before)
        rates = {name: median([run.output["records_per_second"] for run in runs])
                 for name, runs in (("disk", disk), ("MinIO", s3))}
        for name, runs in (("disk", disk), ("MinIO", s3)):
            last = runs[-1].output
            say(f"{name}, events", f"{rates[name] / 1e6:.2f} million/s",
                f"{last['commits']} commits, {last['files']} files, "
                f"peak {max(run.peak_mib for run in runs):.0f} MiB")
            say(f"{name}, log commit, p50 / p99",
                f"{last['log_commit']['p50_ms']} / {last['log_commit']['p99_ms']} ms")
            say(f"{name}, CPU per event", f"{median([run.cpu_seconds / run.output['rows'] for run in runs]) * 1e6:.2f} us",
                "of ingest")
        say("MinIO's own CPU per event", f"{median(minio_cpu) / s3[-1].output['rows'] * 1e6:.2f} us", "on the same cores")
        say("MinIO / disk", f"{rates['MinIO'] / rates['disk']:.2f}", "at least 0.8")


def bench_freshness(bench: Bench) -> None:
    for interval_ms in (1000, 800):
        measure_freshness(bench, interval_ms)


def measure_freshness(bench: Bench, interval_ms: int) -> None:
    """A record waits for up to the commit interval, and then for its commit."""
    print(f"from produce to readable, at 1,000 events/s for 30 s, commit interval {interval_ms} ms", flush=True)
    topic = f"bench-freshness-{interval_ms}"
    bench.shopstream(topic, "topics", "setup")
    bench.shopstream(topic, "schema", "register")
    environment = {**bench.environment(topic, bench.folder / f"lake-freshness-{interval_ms}"),
                   "SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS": str(interval_ms)}
    consumer = subprocess.Popen([BINARY, "--json", "--log-level", "error", "ingest"], env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        bench.shopstream(topic, "generate", "--rate", 1000, "--duration", "30s")
        peak = peak_mib(consumer.pid)
    finally:
        consumer.terminate()
    output, _ = consumer.communicate(timeout=60)
    fresh = json.loads(output)
    say("p50 / p99", f"{fresh['freshness']['p50_ms']} / {fresh['freshness']['p99_ms']} ms",
        "p99 at most 1000 ms" if interval_ms < 1000 else f"p99 at most commit_interval + 0.5 s = {interval_ms + 500} ms")
    say("log commit, p50 / p99", f"{fresh['log_commit']['p50_ms']} / {fresh['log_commit']['p99_ms']} ms")
    say("cut to readable, p50 / p99", f"{fresh['cut']['p50_ms']} / {fresh['cut']['p99_ms']} ms")
    say("peak resident memory, compaction running", f"{peak:.0f} MiB", "at most 300 MB")


def bench_log(bench: Bench) -> None:
    print("10,000 commits in a row, three files each, a compaction every hundred; only the log, on disk", flush=True)
    figures = run([BENCH / "log_bench", bench.folder / "lake-log"], dict(os.environ)).output
    for end in ("first", "last"):
        say(f"{end} hundred commits, p50 / p99",
            f"{figures[f'{end}_p50_ms']:.2f} / {figures[f'{end}_p99_ms']:.2f} ms", "with fsync")
    say("a bare put at those times, p50", f"{figures['first_bare_ms']:.2f}, {figures['last_bare_ms']:.2f} ms")
    beyond = [figures[f"{end}_p50_ms"] / figures[f"{end}_bare_ms"] for end in ("first", "last")]
    say("commit / bare put, first and last hundred", f"{beyond[0]:.2f}, {beyond[1]:.2f}", "the same")
    say("open the table at the end", f"{figures['open_ms']:.0f} ms", "at most 2 s")
    say("checkpoint after 1,000 / 10,000",
        f"{figures['checkpoint_bytes_at_tenth'] / 1024:.0f} / {figures['checkpoint_bytes'] / 1024:.0f} KiB",
        f"{figures['live_files']} live files")
    say("log objects, a day later", f"{figures['log_objects']} to {figures['log_objects_cleaned']}",
        f"cleaned up in {figures['clean_ms']:.0f} ms")
    say("open the table after clean-up", f"{figures['reopen_ms']:.0f} ms")


def bench_day(bench: Bench) -> None:
    print("30 hours at 1,000 events/s in a few minutes, with a commit for every 10 s; on disk", flush=True)
    curve = run([BENCH / "day_bench", bench.folder / "lake-day"], dict(os.environ), timeout=1800).output
    print("  hour  live files  most small  log objects  checkpoint KiB  live MiB  stored MiB  written again  open ms")
    for hour in curve:
        if hour["hour"] % 3 == 0 or hour["hour"] == 1:
            print(f"  {hour['hour']:>4}  {hour['live_files']:>10}  {hour['most_small_files']:>10}  {hour['log_objects']:>11}"
                  f"  {hour['checkpoint_bytes'] / 1024:>14.0f}  {hour['live_bytes'] / 2**20:>8.0f}"
                  f"  {hour['stored_bytes'] / 2**20:>10.0f}  {hour['rewritten_bytes'] / hour['live_bytes']:>13.2f}"
                  f"  {hour['open_ms']:>7.0f}", flush=True)
    say("most small files in a region and day", f"{max(hour['most_small_files'] for hour in curve)}", "about 100")


def bench_optimize(bench: Bench) -> None:
    print(f"table optimize of {bench.events:,} rows in files of about 20 thousand, on disk", flush=True)
    topic = "bench-optimize"
    bench.fill(topic)
    runs = []
    for number in range(bench.rounds):
        lake = bench.folder / f"lake-optimize-{number}"
        bench.shopstream(topic, "ingest", "--until-caught-up", lake=lake,
                         SHOPSTREAM_KAFKA_GROUP=f"{topic}-{number}", SHOPSTREAM_INGEST_MAINTENANCE="false",
                         SHOPSTREAM_INGEST_MEMORY_LIMIT_MB="16", SHOPSTREAM_INGEST_COMMIT_INTERVAL_MS="0")
        runs.append(bench.shopstream(topic, "table", "optimize", "bronze-events", lake=lake))
        shutil.rmtree(lake)
    last = runs[-1].output
    say("files before, after", f"{last['files_before']}, {last['files_after']}", f"{last['commits']} commits")
    say("rows", f"{median([run.output['rows'] / run.output['seconds'] for run in runs]) / 1e6:.2f} million/s")
    say("read", f"{median([run.output['bytes_read'] / run.output['seconds'] for run in runs]) / 1e6:.0f} MB/s")
    say("written / read", f"{last['bytes_written'] / last['bytes_read']:.2f}", f"{last['bytes_written'] / last['rows']:.0f} bytes a row")
    say("CPU per row", f"{median([run.cpu_seconds / run.output['rows'] for run in runs]) * 1e6:.2f} us")
    say("rows and buffers, peak", f"{max(run.output['peak_memory_bytes'] for run in runs) / 2**20:.0f} MiB", "at most 64")
    say("peak resident memory", f"{max(run.peak_mib for run in runs):.0f} MiB")


def bench_registry(bench: Bench) -> None:
    """The registry on one core, its clients on the others."""
    print("registry, look-ups of a schema by its id", flush=True)
    registered = bench.shopstream("bench-registry", "schema", "register", ROOT / "schemas/purchase_event.avsc")
    pid = bench.cluster.registry_pid()
    subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", "0", str(pid)], capture_output=True,
                   timeout=TIMEOUT, check=True)
    url = f"{bench.cluster.registry_url}/schemas/ids/{registered.output['id']}"
    rates, costs = [], []
    for _ in range(bench.rounds):
        before = cpu_seconds(pid)
        done = subprocess.run(["wrk", "--threads", "1", "--connections", "16", "--duration", "5s", url],
                              capture_output=True, text=True, timeout=TIMEOUT, check=True)
        assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
        rates.append(float(re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)[1]))
        costs.append((cpu_seconds(pid) - before) / int(re.search(r"(\d+) requests in", done.stdout)[1]))
    say("look-ups", f"{median(rates):,.0f} /s", "at least 10,000")
    say("CPU per look-up", f"{median(costs) * 1e6:.1f} us")


def bench_refine_part(bench: Bench) -> None:
    bench_refine.measure(bench, say)


def bench_observe_part(bench: Bench) -> None:
    bench_observe.measure(bench, say)


def bench_console_part(bench: Bench) -> None:
    bench_console.measure(bench, say)


def bench_search_part(bench: Bench) -> None:
    bench_search.measure(bench, say)


def bench_build_time(_: Bench) -> None:
    bench_build.measure(say)


PARTS = {"codec": bench_codec, "produce": bench_produce, "ingest": bench_ingest, "garbage": bench_garbage,
         "evolution": bench_evolution, "replay": bench_replay, "s3": bench_s3, "freshness": bench_freshness,
         "refine": bench_refine_part, "log": bench_log, "optimize": bench_optimize, "registry": bench_registry,
         "observe": bench_observe_part, "console": bench_console_part, "search": bench_search_part, "day": bench_day,
         "build": bench_build_time}
LONG = {"day", "refine", "build"}  # Only if named.


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"parts to run: {', '.join(PARTS)}; default: all except {', '.join(sorted(LONG))}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--events", type=int, default=EVENTS, help="number of events in the ingest part")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: stopped by SIGTERM"))
    with tempfile.TemporaryDirectory(dir=BINARY.parent, prefix="bench-") as name:
        cluster = Cluster(pathlib.Path(name) / "cluster",
                          Ports(brokers=19094, controllers=19194, registry=19082, minio=19090))
        try:
            parts = arguments.parts or [part for part in PARTS if part not in LONG]
            if not set(parts) <= {"codec", "log", "day", "build"}:
                cluster.start_brokers()
                cluster.start_registry()
            bench = Bench(cluster, pathlib.Path(name), arguments.rounds, arguments.events)
            for part in parts:
                PARTS[part](bench)
        finally:
            cluster.kill()


if __name__ == "__main__":
    main()
