"""count.py [VERSION]: counts the rows of bronze-events, as Polars and delta-rs read them."""

import sys
import time

import polars
from deltalake import DeltaTable

began = time.monotonic()
table = DeltaTable("lake/bronze-events", version=int(sys.argv[1]) if len(sys.argv) > 1 else None)
rows = polars.read_delta(table, columns=["kafka_offset", "amount"]).height
print(f"version {table.version()}: {rows} rows in {len(table.file_uris())} files, {1000 * (time.monotonic() - began):.0f} ms")
