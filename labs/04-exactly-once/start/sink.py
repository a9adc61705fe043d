"""Copies the topic into out/.

Kill it and start it again: is each record there exactly once?
"""

import storage
from reader import Reader

reader = Reader()
for batch in reader.batches():
    storage.append("out/rows.jsonl",
                   [storage.line(message) for message in batch])
    reader.commit(batch)
