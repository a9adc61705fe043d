"""The offset first, so that nothing is read twice. (A kill then loses the rows.)"""

import storage
from reader import Reader

reader = Reader()
for batch in reader.batches():
    reader.commit(batch)
    storage.append("out/rows.jsonl", [storage.line(message) for message in batch])
