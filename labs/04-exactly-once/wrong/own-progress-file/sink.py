"""The offsets in a separate file, written atomically. (It is still a second write.)"""

import json
import pathlib

import storage
from reader import Reader

progress = pathlib.Path("progress.json")
done = {int(p): end for p, end in json.loads(progress.read_text()).items()} if progress.exists() else {}
reader = Reader(start=done)
for batch in reader.batches():
    storage.append("out/rows.jsonl", [storage.line(message) for message in batch])
    done |= {message.partition(): message.offset() + 1 for message in batch}
    new = progress.with_suffix(".new")
    new.write_text(json.dumps(done))
    new.rename(progress)
