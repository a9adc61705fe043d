"""Deletes what is older than the topic's retention.ms, as Kafka does at its next look. Not to be changed.

It is always the hour at which you started this lab."""

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from settings import BROKERS, NOW, TOPIC

admin = AdminClient({"bootstrap.servers": BROKERS})
resource = ConfigResource(ResourceType.TOPIC, TOPIC)
retention = int(admin.describe_configs([resource])[resource].result(20)["retention.ms"].value)
print(f"retention.ms is {retention}: {retention / 3_600_000:g} hours")
consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": "cleanup"})
asked = [TopicPartition(TOPIC, p, NOW - retention) for p in range(3)]
found = consumer.offsets_for_times(asked, timeout=20)  # The first record that is not older.
consumer.close()
for deleted in admin.delete_records(found).values():
    deleted.result(30)
for one in found:
    print(f"partition {one.partition}: the log now starts at offset {one.offset}")
