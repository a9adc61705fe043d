"""count.py [VERSION]: counts the rows of bronze-events, as delta-rs reads them."""

import sys
import time

from deltalake import DeltaTable

began = time.monotonic()
table = DeltaTable("lake/bronze-events", version=int(sys.argv[1]) if len(sys.argv) > 1 else None)
rows = table.to_pyarrow_table(columns=["kafka_offset", "amount"]).num_rows
print(f"version {table.version()}: {rows} rows in {len(table.file_uris())} files, {1000 * (time.monotonic() - began):.0f} ms")
