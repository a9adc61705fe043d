"""Shows the newest offsets of each partition, and the lag of the display. Not to be changed."""

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC
from shop import until_end

NEWEST = 18


def read(level: str) -> dict[tuple[int, int], str]:
    """The order of each offset that such a reader gets."""
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-look", "isolation.level": level,
                         "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(TOPIC, p, 0) for p in range(3)])
    found = {(m.partition(), m.offset()): dict(m.headers())["order"].decode().rpartition("-")[2]
             for m in until_end(consumer) if not m.error()}
    consumer.close()
    return found


committed, everything = read("read_committed"), read("read_uncommitted")
display = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-display", "isolation.level": "read_uncommitted"})
print("5: order 5, for every reader   (5): only in the log   .: a marker\n")
for p in range(3):
    end = display.get_watermark_offsets(TopicPartition(TOPIC, p), timeout=20)[1]
    at = display.committed([TopicPartition(TOPIC, p)], timeout=20)[0].offset
    first = max(0, end - NEWEST)
    words = [committed.get((p, o)) or (f"({everything[p, o]})" if (p, o) in everything else ".") for o in range(first, end)]
    lag = f"lag of the display {end - at}" if at >= 0 else "the display has not read it yet"
    print(f"partition {p}, offsets {first} to {end - 1}, {lag}\n  {'  '.join(words)}")
display.close()
