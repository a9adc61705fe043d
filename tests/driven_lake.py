"""Tables of the lake through our own code: tests/lake_driver.cc writes and reads them, with rows as an Arrow IPC
stream."""

import io
import os
import pathlib
import subprocess

import pyarrow as pa

ROOT = pathlib.Path(__file__).resolve().parent.parent
DRIVER = pathlib.Path(os.environ.get("SHOPSTREAM_LAKE_DRIVER", ROOT / "build/release/src/lake/lake_driver"))
PARTITIONS = "region,date"


class Lake:
    """A lake for this test only, through our code."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def run(self, command: str, *arguments: str, stdin: bytes = b"",
            expect: int = 0) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run([DRIVER, command, self.folder, *arguments], input=stdin, capture_output=True,
                              timeout=120)
        assert done.returncode == expect, done.stderr.decode()
        return done

    def append(self, table: str, *batches: pa.RecordBatch, partitions: str = PARTITIONS) -> None:
        self.run("append", table, partitions, stdin=stream(batches))

    def refuses_append(self, table: str, batch: pa.RecordBatch, partitions: str = PARTITIONS) -> str:
        return self.run("append", table, partitions, stdin=stream([batch]), expect=1).stderr.decode()

    def read(self, table: str) -> list[dict]:
        return in_order(pa.ipc.open_stream(self.run("read", table).stdout).read_all())

    def refuses_read(self, table: str) -> str:
        return self.run("read", table, expect=1).stderr.decode()

    def path(self, table: str) -> str:
        return str(self.folder / table)

    def log(self, table: str) -> list[str]:
        return sorted(path.name for path in (self.folder / table / "_delta_log").iterdir())


def stream(batches) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def in_order(table: pa.Table) -> list[dict]:
    return sorted(table.select(sorted(table.column_names)).to_pylist(), key=lambda row: row["id"])
