"""Lab 12: counts files, by the log and on disk, and compares the rows with Kafka's records."""

import collections
import pathlib
import urllib.parse

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from places import ROOT
from runner.bench import Bench
from runner.finding import Finding, failed, passed

RECORDS = 80
TABLE = "bronze-events"
# A purchase of another region than the one before makes a commit.
BAD_SETTINGS = """  # Somebody wanted to save memory, and switched off what they did not know.
  max_open_partitions: 1
  maintenance: false
"""


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", ROOT / "schemas/purchase_event.avsc")
    bench.shopstream("generate", "--count", RECORDS, "--seed", bench.seed)
    settings = bench.folder / "config/pipeline.yaml"
    settings.write_text(settings.read_text().replace("ingest:\n", f"ingest:\n{BAD_SETTINGS}"))
    bench.shopstream("ingest", "--until-caught-up")


def check(bench: Bench) -> Finding:
    table = DeltaTable(str(bench.lake / TABLE))
    live = {live_path(uri) for uri in table.file_uris()}
    disk = {path.resolve() for path in (bench.lake / TABLE).glob("region=*/**/*.parquet")}
    saw = f"version {table.version()} has {len(live)} files; {len(disk)} files are on disk"
    if lost := sorted(live - disk):
        return failed(saw, "every file that belongs to the table", f"{named(lost[0], bench)} is gone, but the log names it: "
                      "its rows are lost. ./lab reset starts over")
    partitions = collections.Counter(path.parent for path in live)
    most = max(partitions, key=lambda folder: (partitions[folder], str(folder)))
    if partitions[most] > 1:
        return failed(saw, "at most one file for each region and date", f"{named(most, bench)} has {partitions[most]} files")
    if spare := sorted(disk - live):
        return failed(saw, "on disk only what the newest version names",
                      f"{named(spare[0], bench)} is no longer part of the table, and is still there")
    rows = collections.Counter((row["kafka_partition"], row["kafka_offset"])
                               for row in bench.rows(TABLE, "kafka_partition", "kafka_offset"))
    for partition, end in bench.ends().items():
        for offset in range(end):
            if rows[partition, offset] != 1:
                return failed(saw, "every row, once", f"offset {offset} of partition {partition} is there {rows[partition, offset]} times")
    return passed(f"{saw}; all {rows.total()} rows are there", **past(bench))


def past(bench: Bench) -> dict[str, str]:
    """What a reader of an earlier version gets."""
    before = 5  # As the page has it.
    try:
        count = bench.table(TABLE, "kafka_offset", version=before).num_rows
    except (DeltaError, OSError) as error:
        return {"answer": "b", "evidence": f"delta-rs reads version {before}: {str(error).splitlines()[0][:160]}"}
    return {"answer": "a", "evidence": f"delta-rs reads version {before}: {count} rows"}


def live_path(uri: str) -> pathlib.Path:
    return pathlib.Path(urllib.parse.unquote(uri.removeprefix("file://"))).resolve()


def named(path: pathlib.Path, bench: Bench) -> str:
    return str(path.relative_to((bench.lake / TABLE).resolve()))
