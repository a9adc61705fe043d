"""Shows how far the lake is behind: in offsets, and in hours. Not to be changed."""

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, NOW, TOPIC

HOUR = 3_600_000

consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": GROUP, "enable.auto.commit": False})
# What ingest has committed for such displays. The lake's own progress is in its table.
committed = consumer.committed([TopicPartition(TOPIC, p) for p in range(3)], timeout=20)
print("partition  lake continues at  log start  end  lag  first unread record is")
for one in committed:
    start, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, one.partition), timeout=20)
    unread = max(one.offset, start)
    age = "(all is read)"
    if unread < end:
        consumer.assign([TopicPartition(TOPIC, one.partition, unread)])
        record = consumer.poll(20)
        age = f"{(NOW - record.timestamp()[1]) / HOUR:.1f} hours old, at {unread}"
    print(f"{one.partition:9}  {one.offset:17}  {start:9} {end:4} {end - one.offset:4}  {age}")
consumer.close()
