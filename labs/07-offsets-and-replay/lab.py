"""Lab 7: which records the board has read again, and whether ingest goes by the offsets in Kafka."""

import collections
import datetime
import json
import random
import shutil
import time

from confluent_kafka import ConsumerGroupTopicPartitions, Message, TopicPartition

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed

PURCHASES = 240
HOURS = 5
MINUTE = 60 * 1000  # All times are in milliseconds.
LAGOS = datetime.timezone(datetime.timedelta(hours=1))  # All year.
INCIDENT = """The board's new version was installed in Lagos (UTC+1) at {:%Y-%m-%d %H:%M}.
For each purchase sent from that minute on, it shows a hundred times the
dollars. All purchases sent before are right.
"""
Coordinate = tuple[int, int]  # Partition, offset.


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", ROOT / "schemas/purchase_event.avsc")
    chance = random.Random(bench.seed)
    first = int(time.time()) // 60 * MINUTE - HOURS * 60 * MINUTE
    incident = first + chance.randrange(120, 150) * MINUTE
    times = [first + chance.randrange(HOURS * 60 * MINUTE) for _ in range(PURCHASES - 2)] + [incident - 1, incident]
    (bench.folder / ".incident").write_text(str(incident))
    (bench.folder / "incident.txt").write_text(INCIDENT.format(datetime.datetime.fromtimestamp(incident / 1000, LAGOS)))
    bench.run(bench.folder / "python", "-c", "import board, purchases; "
              f"purchases.sell({times}, {bench.seed}); board.read_on({incident})")
    bench.shopstream("ingest", "--until-caught-up")


def check(bench: Bench) -> Finding:
    told = forced_back(bench)
    ends, rows = bench.ends(), counted(bench, "bronze-events")
    if wrong := next((f"offset {offset} of partition {p} is there {rows[p, offset]} times"
                      for p, end in sorted(ends.items()) for offset in range(end) if rows[p, offset] != 1), ""):
        return failed(f"{rows.total()} rows in bronze-events", "each record once: ./shopstream ingest --until-caught-up",
                      wrong, **told)
    incident = int((bench.folder / ".incident").read_text())
    records = {(record.partition(), record.offset()): record for record in bench.records()}
    wanted = {at for at, record in records.items() if record.timestamp()[1] >= incident}
    number, read = newest_reading(bench)
    expected = f"its newest reading has exactly the {len(wanted)} purchases that were sent at {clock(incident)} or later"
    if number == 1:
        return failed(f"the board has one reading, of {len(read)} purchases, and has not read anything again", expected, **told)
    saw = f"reading {number} of the board has {len(read)} purchases"
    if early := sorted(read - wanted):
        return failed(saw, expected, f"{named(early[0], records)} was right the first time, and is read again", **told)
    if missing := sorted(wanted - read):
        return failed(saw, expected, f"{named(missing[0], records)} is not read again: the board still has the wrong amount", **told)
    for partition, offset in sorted(committed(bench, ends).items()):
        if offset != ends[partition]:
            return failed(saw, "the board has committed the end of each partition: ./python board.py",
                          f"it has committed {offset} in partition {partition}, which ends at {ends[partition]}", **told)
    return passed(f"{saw}, which are those sent at {clock(incident)} or later; bronze-events has each of {rows.total()} records "
                  "once", **told)


def forced_back(bench: Bench) -> dict[str, str]:
    """What an ingest does whose group was set back. It works on a copy of the lake, and in a group for this check alone."""
    copy = bench.folder / ".check"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(bench.lake, copy / "lake")
    group = f"{bench.topic}-forced-{time.time_ns():x}"
    settings = (bench.folder / "config/pipeline.yaml").read_text()
    (copy / "pipeline.yaml").write_text(settings.replace(str(bench.lake), f"{copy}/lake").replace(bench.group, group))
    ends = bench.ends()
    beginning = ConsumerGroupTopicPartitions(group, [TopicPartition(bench.topic, p, 0) for p in ends])
    for changed in bench.admin().alter_consumer_group_offsets([beginning])[group].result(30).topic_partitions:
        if changed.error:
            raise LabError(f"group {group} cannot be set to 0: {changed.error.str()}")
    bench.run(bench.cluster.binary, "--config", copy / "pipeline.yaml", "ingest", "--until-caught-up")
    rows = counted(bench, f"{copy}/lake/bronze-events")
    twice = sum(1 for count in rows.values() if count > 1)
    return {"answer": "c" if twice == 0 else "a" if twice == len(rows) else "b",
            "evidence": "We set the group of an ingest to 0, on a copy of your lake, and ran it: bronze-events has "
                        f"{rows.total()} rows of {sum(ends.values())} records, {twice or 'none'} of them twice."}


def counted(bench: Bench, table: str) -> collections.Counter[Coordinate]:
    """How often each record is there. `table`: its folder, below the lake or not."""
    return collections.Counter((row["kafka_partition"], row["kafka_offset"])
                               for row in bench.rows(table, "kafka_partition", "kafka_offset"))


def newest_reading(bench: Bench) -> tuple[int, set[Coordinate]]:
    rows = [json.loads(line) for line in (bench.folder / "readings.jsonl").read_text().splitlines()]
    newest = max(row["reading"] for row in rows)
    return newest, {(row["partition"], row["offset"]) for row in rows if row["reading"] == newest}


def committed(bench: Bench, ends: dict[int, int]) -> dict[int, int]:
    """What Kafka has for the board's group."""
    with bench.closing(bench.consumer(**{"group.id": f"{bench.group}-board"})) as consumer:
        found = consumer.committed([TopicPartition(bench.topic, p) for p in ends], timeout=20)
        return {partition.partition: partition.offset for partition in found}


def named(at: Coordinate, records: dict[Coordinate, Message]) -> str:
    return f"offset {at[1]} of partition {at[0]}, sent at {clock(records[at].timestamp()[1])},"


def clock(milliseconds: int) -> str:
    return f"{datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc):%H:%M:%S} UTC"
