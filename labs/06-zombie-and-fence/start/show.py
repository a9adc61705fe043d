"""Shows the table's log."""

import json
import pathlib

for path in sorted(pathlib.Path("out/log").glob("*.json")):
    entry = json.loads(path.read_text())
    print(f"entry {int(path.stem):3} by {entry['by']}: partition {entry['partition']}, offsets {entry['begin']} to {entry['end'] - 1}")
