"""Lab 4: kills the student's sink at random rows, and reads what it has left."""

import collections
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys

from runner.bench import Bench, wait_until
from runner.course import LabError
from runner.finding import Finding, failed, passed

RECORDS = 3000
KILLS = 10
ROWS_UNTIL_A_KILL = (30, 230)  # Any number: a batch has 100.
BYTES_PER_ROW = 47
TOOLS = ("reader.py", "storage.py")  # The checker uses its own.
Coordinate = tuple[int, int]  # Partition, offset.


def start(bench: Bench) -> None:
    bench.create_topic()
    bench.shopstream("schema", "register", f"{bench.lab.folder.parent.parent}/schemas/purchase_event.avsc")
    bench.shopstream("generate", "--count", RECORDS, "--seed", bench.seed)


def check(bench: Bench) -> Finding:
    ends = bench.ends()
    start_file = bench.lab.folder / "start/sink.py"
    naive = Killed(bench, start_file, ends).problem()
    if naive is None:
        raise LabError("the sink that you were given survived ten kills, which is luck: check again")
    saw, _, example = naive
    told = {"answer": "c", "evidence": f"The sink that you were given left {saw}; {example}."}
    mine = bench.folder / "sink.py"
    found = naive if mine.read_bytes() == start_file.read_bytes() else Killed(bench, mine, ends).problem()
    if found is not None:
        return failed(*found, **told)
    return bronze(bench, ends, told)


def bronze(bench: Bench, ends: dict[int, int], told: dict[str, str]) -> Finding:
    rows = bench.rows("bronze-events", "kafka_partition", "kafka_offset")
    counts = collections.Counter((row["kafka_partition"], row["kafka_offset"]) for row in rows)
    expected = f"each of the {sum(ends.values())} records once in bronze-events"
    saw = f"your sink is right after {KILLS} kills; bronze-events has {len(rows)} rows"
    if wrong := first_wrong(counts, ends, "bronze-events"):
        return failed(saw, f"{expected}: ./shopstream ingest --until-caught-up", wrong, **told)
    return passed(f"{saw}, as out/ has: each record exactly once", **told)


class Killed:
    """One experiment: a sink in its own folder and group, killed until it has gone wrong, at most KILLS times."""

    def __init__(self, bench: Bench, sink: pathlib.Path, ends: dict[int, int]):
        self.ends = ends
        self.chance = random.Random(f"{bench.seed} {bench.attempt.checks}")
        self.kills = 0
        self.folder = bench.folder / ".check"
        self.out = self.folder / "out"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for name in TOOLS:
            shutil.copy(bench.lab.folder / "start" / name, self.folder)
        shutil.copy(sink, self.folder / "sink.py")
        group = f"{bench.topic}-killed-{self.chance.randrange(16**8):08x}"
        (self.folder / "settings.py").write_text((bench.folder / "settings.py").read_text() + f'GROUP = "{group}"\n')

    def problem(self) -> tuple[str, str, str] | None:
        """What was seen, expected, and the smallest counter-example; nothing if all is right after the last kill."""
        for self.kills in range(1, KILLS + 1):
            self._run_and_kill()
            counts = self._counts()
            highest = {p: max(o for q, o in counts if q == p) + 1 for p in {p for p, _ in counts}}
            if wrong := first_wrong(counts, highest, "out/"):
                return self._seen(counts), "each record exactly once", wrong
        process = self._start()
        try:
            if process.wait(60) != 0:
                raise LabError(f"sink.py failed:\n{self._log()}")
        except subprocess.TimeoutExpired:
            raise LabError("sink.py has not copied all records in 60 s; it must exit at the end") from None
        finally:
            process.kill()
        counts = self._counts()
        if wrong := first_wrong(counts, self.ends, "out/"):
            return self._seen(counts), f"each of the {sum(self.ends.values())} records exactly once", wrong
        return None

    def _seen(self, counts: collections.Counter[Coordinate]) -> str:
        twice = sum(1 for n in counts.values() if n > 1)
        return f"{counts.total()} rows of {len(counts)} records after {in_words(self.kills)}, {twice} of them more than once"

    def _run_and_kill(self) -> None:
        goal = self._size() + self.chance.randint(*ROWS_UNTIL_A_KILL) * BYTES_PER_ROW
        process = self._start()
        try:
            wait_until(lambda: self._size() >= goal or process.poll() is not None, 30, "sink.py writes rows into out/")
        finally:
            process.kill()
            process.wait()
        if process.returncode > 0:
            raise LabError(f"sink.py failed:\n{self._log()}")

    def _start(self) -> subprocess.Popen[bytes]:
        with open(self.folder / "output.log", "wb") as log:
            return subprocess.Popen([sys.executable, "sink.py"], cwd=self.folder, stdout=log, stderr=log,
                                    env={**os.environ, "SECONDS_PER_ROW": "0.0003"})

    def _log(self) -> str:
        return (self.folder / "output.log").read_text()[-1500:]

    def _size(self) -> int:
        size = 0
        for path in self.out.iterdir() if self.out.exists() else ():
            with contextlib.suppress(FileNotFoundError):  # The sink renames and deletes files.
                size += path.stat().st_size
        return size

    def _counts(self) -> collections.Counter[Coordinate]:
        counts: collections.Counter[Coordinate] = collections.Counter()
        for path in sorted(self.out.glob("*.jsonl")):
            for number, text in enumerate(path.read_text().splitlines(), start=1):
                try:
                    row = json.loads(text)
                    counts[row["partition"], row["offset"]] += 1
                except (ValueError, LookupError, TypeError):
                    raise LabError(f"out/{path.name} line {number} is no row, but {text[:60]!r}: a row is what "
                                   "storage.line() makes of a record") from None
        return counts


def first_wrong(counts: collections.Counter[Coordinate], ends: dict[int, int], place: str) -> str:
    """The smallest counter-example; empty if each offset below `ends` is there once, and no other."""
    for partition, end in sorted(ends.items()):
        for offset in range(end):
            if counts[partition, offset] != 1:
                found = counts[partition, offset]
                return f"offset {offset} of partition {partition} is {f'{times(found)} in' if found else 'missing from'} {place}"
    return ""


def times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def in_words(kills: int) -> str:
    return f"{kills} kill{'s' if kills > 1 else ''}"
