"""Copies the topic into out/, exactly once: the name of each file has its offsets."""

import pathlib

import storage
from reader import Reader


def stored() -> dict[int, int]:
    """The offset after the last one in out/, of each partition."""
    ends: dict[int, int] = {}
    for path in pathlib.Path("out").glob("*.jsonl"):
        partition, _, end = map(int, path.stem.split("-"))
        ends[partition] = max(end, ends.get(partition, 0))
    return ends


reader = Reader(start=stored())
for batch in reader.batches():
    for partition in {message.partition() for message in batch}:
        mine = [message for message in batch if message.partition() == partition]
        storage.write_whole(f"out/{partition}-{mine[0].offset()}-{mine[-1].offset() + 1}.jsonl",
                            [storage.line(message) for message in mine])
    reader.commit(batch)  # For lag displays only.
