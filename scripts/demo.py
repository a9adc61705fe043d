"""./run demo: loads real purchases into a lake and prints a summary. arguments.py describes it."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
from deltalake import DeltaTable

import arguments
import phase
from background_process import tail
from cluster import BROKERS, MINIO_PASSWORD, MINIO_USER, Cluster, ClusterError, cluster_of, exit_code, in_words
from places import BINARY, CLUSTER, DEPS, ROOT
from ports import environment

TOPIC = "shopstream-purchases"
GROUP = "purchase-ingestion-consumers"
SCHEMA = ROOT / "schemas/purchase_event.avsc"
SOURCE = ROOT / "config/sources/complete_journey.yaml"
REAL_DATA = DEPS / "data/complete_journey/transactions.parquet"
SYNTHETIC = 200_000
# Shares of the synthetic purchases, so that quarantine, and later the finer tables, get some data.
SHARES = {"--late-share": "0.01", "--duplicate-share": "0.005", "--malformed-share": "0.001"}

LOG_ENTRY = re.compile(r"\d{4}-\d\d-\d\dT\S+ +(?P<level>\w+) +(?P<text>.*)")
TROUBLE = re.compile(r"\b(WARN|ERROR|FATAL|warning|error)\b")
STEP_TIMEOUT = 600.0  # Seconds; the longest step takes about 10 on an idle two-core machine.


class DemoError(ClusterError):
    """The message names the step that failed and what is known about the failure."""


class Screen:
    """The demo's output, with headings and colours on a terminal."""

    def __init__(self, steps: int):
        self._steps = steps
        self._step = 0
        self.title = "set-up"  # The current step.
        self._terminal = sys.stdout.isatty()
        self._colours = self._terminal and "NO_COLOR" not in os.environ

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Prints a numbered heading before, and the seconds it took after."""
        self._step += 1
        self.title = title
        self.line()
        self.line(self._paint("1;36", f"[{self._step}/{self._steps}] {title}"))
        started = time.monotonic()
        yield
        self.line(self._paint("2", f"      {time.monotonic() - started:.1f} s"))

    def heading(self, title: str) -> None:
        self.line()
        self.line(self._paint("1", title))

    def line(self, text: str = "") -> None:
        print(f"{phase.CLEAR_LINE if self._terminal else ''}{text}", flush=True)

    def detail(self, text: str) -> None:
        self.line(f"      {text}")

    def passing(self, text: str) -> None:
        """On a terminal, until the next line; elsewhere not at all."""
        if self._terminal:
            phase.show_passing(f"      {text}")

    def good(self, text: str) -> None:
        self.line(self._paint("32", text))

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> None:
        """The first `texts` columns are text, the others right-aligned numbers."""
        cells = [list(head), *map(list, rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        for row in cells:
            parts = [cell.ljust(width) if i < texts else cell.rjust(width)
                     for i, (cell, width) in enumerate(zip(row, widths))]
            text = "  " + "   ".join(parts).rstrip()
            self.line(self._paint("2", text) if row is cells[0] else text)

    def facts(self, facts: Iterable[tuple[str, str]]) -> None:
        for name, fact in facts:
            self.line(f"  {name:22} {fact}")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


@dataclasses.dataclass(frozen=True)
class Lake:
    """Where the tables are, and the credentials that a program and a reader need."""
    uri: str
    environment: dict[str, str]
    storage_options: dict[str, str]

    @classmethod
    def on_disk(cls, folder: pathlib.Path) -> "Lake":
        return cls(str(folder), {"SHOPSTREAM_LAKE_URI": str(folder)}, {})

    @classmethod
    def in_minio(cls, uri: str, cluster: Cluster) -> "Lake":
        return cls(uri, {"SHOPSTREAM_LAKE_URI": uri, **cluster.s3_environment},
                   {"AWS_ENDPOINT_URL": cluster.minio_url, "AWS_ALLOW_HTTP": "true",
                    "AWS_ACCESS_KEY_ID": MINIO_USER, "AWS_SECRET_ACCESS_KEY": MINIO_PASSWORD})

    def table(self, name: str) -> str:
        """With a bare s3:// the name is the bucket's."""
        return self.uri + name if self.uri == "s3://" else f"{self.uri.rstrip('/')}/{name}"


class Program:
    """`shopstream`, with all locations passed in its environment; it reports in JSON."""

    def __init__(self, cluster: Cluster, lake: Lake, screen: Screen):
        self._cluster = cluster
        self._screen = screen
        # Ignores settings for other clusters and lakes in the caller's environment.
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")},
            "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
            "SHOPSTREAM_KAFKA_TOPIC": TOPIC,
            "SHOPSTREAM_KAFKA_GROUP": GROUP,
            "SHOPSTREAM_REGISTRY_URL": cluster.registry_url,
            "SHOPSTREAM_LOG_FORMAT": "text",  # As LOG_ENTRY reads it.
            **lake.environment,
        }

    def run(self, *arguments: str) -> Any:
        """Its output, parsed as JSON. Its warnings and its progress go to the screen."""
        command = [str(BINARY), "--json", *arguments]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.PIPE, text=True, errors="replace")
            relay = threading.Thread(target=self._relay, args=(process.stderr,))
            relay.start()
            try:
                code = process.wait(STEP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise DemoError(f"{shlex.join(command)}\ndid not finish within {STEP_TIMEOUT:.0f} s.\n"
                                f"{self._last_words()}") from None
            finally:
                relay.join()
            output.seek(0)
            text = output.read().decode(errors="replace")
        if code != 0:
            raise DemoError(f"{shlex.join(command)}\nexited with code {code}.\n{text}{self._last_words()}")
        return json.loads(text) if text.strip() else None

    def _relay(self, lines: Iterable[str]) -> None:
        """Below the step's heading, and without the time, which the demo's own lines do not have either."""
        for line in lines:
            entry = LOG_ENTRY.fullmatch(line.rstrip())
            if entry and entry["level"] == "info":
                self._screen.passing(entry["text"])
            else:
                self._screen.detail(f"{entry['level']}: {entry['text']}" if entry else line.rstrip())

    def _last_words(self) -> str:
        """Warnings of the servers: the program's own log has been on the screen all along."""
        logs = {f"broker {n}": self._cluster.log_file(n) for n in BROKERS}
        logs["the registry"] = self._cluster.directory / "registry/output.log"
        if self._cluster.minio_pid() is not None:
            logs["minio"] = self._cluster.directory / "minio/output.log"
        words = []
        for name, path in logs.items():
            lines = [line for line in tail(path, 200).splitlines() if TROUBLE.search(line)][-3:]
            words.append(f"Log of {name}: {path}" + "".join(f"\n  {line}" for line in lines))
        return "\n".join(words)


@dataclasses.dataclass
class Results:
    """The results of the steps, as in the program's JSON."""
    synthetic: dict[str, Any]
    real: dict[str, Any]
    ingest: dict[str, Any]
    refine: dict[str, Any]
    audit: dict[str, Any]
    quarantine: dict[str, Any]
    tables: list[dict[str, Any]]


# ---- the steps

def check_set_up() -> None:
    for path, what in ((BINARY, "the program"), (REAL_DATA, "the real purchases")):
        if not path.exists():
            raise DemoError(f"{what} ({path}) is missing; ./run demo or ./run build provides it")


def source_mapping() -> pathlib.Path:
    """The mapping of the real purchases; a copy with their path if the dependencies are not in this checkout."""
    if DEPS.resolve() == (ROOT / ".deps").resolve():
        return SOURCE
    copy = ROOT / "build" / SOURCE.name
    copy.write_text(SOURCE.read_text().replace("../../.deps/data/", f"{DEPS / 'data'}/"))
    return copy


@contextlib.contextmanager
def running(cluster: Cluster, with_minio: bool, keep: bool, screen: Screen) -> Iterator[None]:
    """Starts the cluster; afterwards, even on failure, stops what was started here."""
    brokers = [n for n in BROKERS if cluster.broker_pid(n) is None]
    registry = cluster.registry_pid() is None
    minio = with_minio and cluster.minio_pid() is None
    parts = ["three Kafka brokers", "the schema registry", *(["MinIO"] if with_minio else [])]
    try:
        with screen.step(f"Start {in_words(parts)}"), cluster.locked():
            cluster.insist_on_free_ports(registry, minio)
            if with_minio:
                cluster.start_minio()
            cluster.start_brokers()
            cluster.start_registry()
        yield
    finally:
        if (brokers or registry or minio) and not keep:
            screen.heading("Stop what this demo started (data is kept; --keep leaves it running)")
            with cluster.locked():
                if minio:
                    cluster.stop_minio()
                if registry:
                    cluster.stop_registry()
                cluster.stop_brokers(brokers)


def produce(program: Program, screen: Screen, *arguments: str) -> dict[str, Any]:
    report = program.run(*arguments)
    screen.detail(f"{report['acknowledged']:,} events, each on at least two brokers "
                  f"({report['rate']:,.0f}/s, {size(report['bytes'])})")
    return report


def ingest(program: Program, screen: Screen) -> dict[str, Any]:
    report = program.run("ingest", "--until-caught-up")
    screen.detail(f"{report['rows']:,} rows into Bronze, {report['quarantined']:,} records into "
                  f"quarantine ({report['records_per_second']:,}/s)")
    return report


def refine(program: Program, screen: Screen) -> dict[str, Any]:
    report = program.run("refine")
    screen.detail(f"{report['rows']:,} rows: {report['silver']:,} into Silver, {report['rejects']:,} rejected or "
                  f"repeated ({report['rows_per_second']:,}/s)")
    return report


def audit(program: Program, screen: Screen) -> dict[str, Any]:
    report = program.run("audit")
    partitions = report["partitions"]
    gaps, doubles = (sum(p[kind] for p in partitions) for kind in ("gaps", "doubles"))
    screen.detail(f"offset by offset, Kafka against the lake: {gaps:,} missing, {doubles:,} duplicated")
    return report


def perform(program: Program, screen: Screen) -> Results:
    with screen.step(f"Create the topic {TOPIC}"):
        for change in program.run("topics", "setup")["changes"] or ["it already exists, with the right settings"]:
            screen.detail(change)
    with screen.step("Register the schema of a purchase"):
        schema = program.run("schema", "register", str(SCHEMA))
        screen.detail(f"{schema['subject']}: version {schema['version']}, id {schema['id']}")
    with screen.step(f"Generate {SYNTHETIC:,} purchases, a few of them late, repeated or malformed"):
        shares = [word for share in SHARES.items() for word in share]
        synthetic = produce(program, screen, "generate", "--count", str(SYNTHETIC), *shares)
    with screen.step("Replay a year of real purchases from 457 stores"):
        real = produce(program, screen, "replay", str(source_mapping()))
    with screen.step("Ingest from Kafka to Bronze until caught up"):
        ingested = ingest(program, screen)
    with screen.step("Refine Bronze to Silver and Gold: rules, duplicates, dollars, metrics"):
        refined = refine(program, screen)
    with screen.step("Audit"):
        audited = audit(program, screen)
    return Results(synthetic, real, ingested, refined, audited, program.run("quarantine", "list", "--limit", "1"),
                   program.run("table", "list"))


# ---- the summary

def size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def quantiles(latency: dict[str, int]) -> str:
    return f"p50 {latency['p50_ms']:,} ms, p99 {latency['p99_ms']:,} ms"


def summarize(results: Results, lake: Lake, screen: Screen) -> None:
    screen.title = "summary"
    started = time.monotonic()
    bronze = DeltaTable(lake.table("bronze-events"),
                        storage_options=lake.storage_options).to_pyarrow_dataset()
    totals = duckdb.sql("""
        SELECT region, currency, product_name, count(*) AS events, sum(amount) AS amount,
               min(date) AS first_day, max(date) AS last_day
        FROM bronze GROUP BY ALL""").to_arrow_table()
    seconds = time.monotonic() - started

    screen.heading(f"Bronze, read by delta-rs and DuckDB in {seconds:.1f} s")
    regions = duckdb.sql("""
        SELECT region, currency, sum(events), sum(amount), min(first_day), max(last_day)
        FROM totals GROUP BY ALL ORDER BY ALL""").fetchall()
    screen.table(["region", "currency", "events", "amount", "first day", "last day"],
                 [[region, currency, f"{events:,}", f"{amount:,.2f}", str(first), str(last)]
                  for region, currency, events, amount, first, last in regions], texts=2)
    screen.heading("Bought most often")
    favourites = duckdb.sql("""
        SELECT product_name, sum(events) AS events, sum(events) FILTER (region = 'US'),
               sum(events) FILTER (region = 'EU'), sum(events) FILTER (region = 'ASIA')
        FROM totals GROUP BY product_name ORDER BY events DESC, product_name LIMIT 5""").fetchall()
    screen.table(["product", "events", "US", "EU", "ASIA"],
                 [[name, *(f"{count or 0:,}" for count in counts)] for name, *counts in favourites])
    show_agreement(results, sum(row[2] for row in regions), screen)
    show_figures(results, screen)
    show_quarantine(results, screen)


# What a shop's owner asks, in SQL over Gold, Silver and rejects.
REVENUE = """
    SELECT region, sum(orders) AS orders, sum(units) AS units, sum(revenue_usd) AS revenue,
           sum(revenue_usd) / sum(orders) AS average
    FROM gold_revenue_hourly GROUP BY region ORDER BY revenue DESC, region"""
CATEGORIES = """
    SELECT coalesce(category, 'not in the catalogue') AS category, sum(orders) AS orders, sum(revenue_usd) AS revenue
    FROM gold_product_daily GROUP BY ALL ORDER BY revenue DESC, category LIMIT 5"""
BEST_HOURS = """
    SELECT hour(event_hour) AS hour, sum(orders) AS orders, sum(revenue_usd) AS revenue
    FROM gold_revenue_hourly WHERE date < DATE '2018-01-01' GROUP BY ALL ORDER BY revenue DESC, hour LIMIT 3"""
REFUSED = """
    SELECT CASE WHEN reasons = 'duplicate' THEN 'sent twice: the first copy stays'
                WHEN quantity = 0 AND amount <= 0 THEN 'nothing bought, nothing paid'
                WHEN quantity = 0 THEN 'a quantity of zero'
                WHEN amount <= 0 THEN 'not paid for'
                WHEN quantity > 1000 THEN 'more than 1,000 units: fuel and coupons, sold by volume'
                ELSE reasons END AS why, count(*) AS purchases
    FROM silver_rejects GROUP BY ALL ORDER BY purchases DESC, why"""
QUALITY = """
    SELECT sum(bronze_rows) AS bronze, sum(silver_rows) AS silver, sum(rejected_rows) AS rejected,
           sum(duplicate_rows) AS repeated, sum(late_rows) FILTER (date > DATE '2018-01-01') AS late
    FROM gold_quality_daily"""


def show_business(program: Program, screen: Screen) -> None:
    def ask(sql: str) -> list[dict[str, Any]]:
        return program.run("query", sql)["rows"]

    screen.heading("Gold: what a shop's owner asks")
    screen.table(["region", "orders", "units", "revenue, USD", "average order"],
                 [[row["region"], f"{row['orders']:,}", f"{row['units']:,}", f"{row['revenue']:,.2f}",
                   f"{row['average']:,.2f}"] for row in ask(REVENUE)])
    screen.line()
    screen.table(["category", "orders", "revenue, USD"],
                 [[row["category"], f"{row['orders']:,}", f"{row['revenue']:,.2f}"] for row in ask(CATEGORIES)])
    hours = ", ".join(f"{row['hour']:02}:00 ({row['revenue']:,.0f} USD)" for row in ask(BEST_HOURS))
    screen.line(f"  Best hours of 2017, UTC: {hours}")

    quality = ask(QUALITY)[0]
    if quality["bronze"] != quality["silver"] + quality["rejected"] + quality["repeated"]:
        raise DemoError(f"the books do not balance: {quality}; run ./run shopstream refine status")
    screen.heading("What Silver did not take, and why")
    screen.table(["why", "purchases", "share"],
                 [[row["why"], f"{row['purchases']:,}", f"{100 * row['purchases'] / quality['bronze']:.2f} %"]
                  for row in ask(REFUSED)])
    screen.line()
    screen.good(f"{quality['bronze']:,} rows of Bronze = {quality['silver']:,} of Silver + {quality['rejected']:,} "
                f"rejected + {quality['repeated']:,} repeated.")
    screen.line(f"  {quality['late']:,} of the generated purchases arrived more than an hour late, and are counted.")


def show_agreement(results: Results, counted: int, screen: Screen) -> None:
    """Kafka's records as counted by the audit, and rows as counted by the independent reader."""
    partitions = results.audit["partitions"]
    bronze = sum(p["bronze_rows"] for p in partitions)
    quarantined = sum(p["quarantined_rows"] for p in partitions)
    if counted != bronze + results.audit.get("rows_without_coordinates", 0):
        raise DemoError(f"DuckDB counts {counted:,} rows in Bronze, the audit {bronze:,}")
    screen.line()
    screen.good(f"{bronze + quarantined:,} records went through Kafka: {bronze:,} are rows of Bronze, "
                f"{quarantined:,} are in quarantine, none is missing, none is duplicated.")


def show_figures(results: Results, screen: Screen) -> None:
    produced = [results.synthetic, results.real]
    events = sum(report["events"] for report in produced)
    sent = sum(report["bytes"] for report in produced)
    ingested = results.ingest
    bronze = next(table for table in results.tables if table["table"] == "bronze-events")
    screen.heading("Figures of this run")
    screen.facts([
        ("produce, synthetic", f"{results.synthetic['rate']:,.0f} events/s"),
        ("produce, real", f"{results.real['rate']:,.0f} events/s"),
        ("ingest", f"{ingested['records_per_second']:,} events/s"),
        ("refine", f"{results.refine['rows_per_second']:,} rows/s"),
        ("commits", f"{ingested['commits']:,}"),
        ("log commit", quantiles(ingested["log_commit"])),
        ("cut to readable", quantiles(ingested["cut"])),
        ("size of an event in Kafka", f"{sent / events:,.1f} bytes before compression"),
        ("size of a row in Bronze", f"{bronze['bytes'] / bronze['rows']:,.1f} bytes"),
        ("Bronze", f"{bronze['files']:,} files, {size(bronze['bytes'])}, version {bronze['version']:,}"),
    ])


def show_quarantine(results: Results, screen: Screen) -> None:
    screen.heading("Quarantine: undecodable records, kept byte for byte")
    causes = sorted(results.quarantine["by_cause"], key=lambda row: -row["rows"])
    screen.table(["cause", "records"], [[row["cause"], f"{row['rows']:,}"] for row in causes])


def show_next_steps(lake: Lake, cluster: Cluster, console: str | None, screen: Screen) -> None:
    """`console`: its address; None: nothing is left running."""
    serving = console is not None
    address = f'"{lake.table("bronze-events")}"'
    if lake.storage_options:
        address += ", storage_options=minio"
    screen.heading("Read it yourself")
    screen.line(f"$ {sys.executable}")
    code = [f"minio = {json.dumps(lake.storage_options)}"] if lake.storage_options else []
    code += ["from deltalake import DeltaTable", f"bronze = DeltaTable({address}).to_pyarrow_dataset()",
             "import duckdb", 'duckdb.sql("SELECT region, count(*), sum(amount) FROM bronze GROUP BY ALL")',
             "import polars", f'polars.scan_delta({address}).group_by("region").len().collect()']
    for line in code:
        screen.line(f">>> {line}")
    screen.heading("Next steps" if serving else f"Next steps, after ./run up{' --minio' if lake.storage_options else ''}")
    settings = dict(lake.environment) if lake.storage_options else {}
    if cluster.directory != CLUSTER:  # Otherwise ./run shopstream finds them.
        settings |= environment(cluster.ports)
    if settings:
        screen.line("export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in settings.items()))
    screen.line("./run shopstream quarantine list --limit 10\n"
                "./run shopstream query\n"
                "./run shopstream refine status\n"
                "./run shopstream table history bronze-events\n"
                "./run shopstream group describe")
    if lake.storage_options and serving:
        screen.line(f"MinIO's console: http://127.0.0.1:{cluster.ports.minio_console} "
                    f"({MINIO_USER}, {MINIO_PASSWORD})")
    if serving:
        screen.line("./run down")
        screen.heading("See it")
        screen.line(f"The console shows all of this, live: {console}")


def main() -> int:
    asked = arguments.parse("demo", sys.argv[1:])
    screen = Screen(steps=8)
    try:
        cluster = cluster_of(arguments.asked_ports(asked), asked.directory, screen.detail)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    lake = Lake.in_minio(asked.lake, cluster) if asked.lake else Lake.on_disk(ROOT / ".shopstream/lake")
    return exit_code(cluster, lambda: load_and_summarize(cluster, lake, asked.keep, screen),
                     lambda: f"\nerror: {screen.title}: ", "\ninterrupted")


def labs_of(cluster: Cluster) -> dict[str, str]:
    """The console's setting for labs, which use the cluster of the checkout."""
    return {"SHOPSTREAM_CONSOLE_LABS_COMMAND": f"{ROOT / 'run'},lab"} if cluster.directory == CLUSTER else {}


def load_and_summarize(cluster: Cluster, lake: Lake, keep: bool, screen: Screen) -> None:
    started = time.monotonic()
    check_set_up()
    screen.line(f"topic {TOPIC} on {cluster.bootstrap_servers}\nlake  {lake.uri}")
    screen.line("Existing data is kept; this run adds to it.")
    with_minio = bool(lake.storage_options)
    was_up = (all(cluster.broker_pid(n) is not None for n in BROKERS)
              and (not with_minio or cluster.minio_pid() is not None))
    with running(cluster, with_minio, keep, screen):
        program = Program(cluster, lake, screen)
        results = perform(program, screen)
        summarize(results, lake, screen)
        show_business(program, screen)
        screen.line()
        screen.line(f"Total time: {time.monotonic() - started:.0f} s.")
        console = cluster.console.serve(BINARY, program.environment | labs_of(cluster), ROOT) if keep or was_up else None
        show_next_steps(lake, cluster, console, screen)


if __name__ == "__main__":
    sys.exit(main())
