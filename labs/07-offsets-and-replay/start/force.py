"""Sets the committed offsets of ingest's group to 0, by Kafka's own means: nobody asks whose group it is."""

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from settings import BROKERS, GROUP, TOPIC

admin = AdminClient({"bootstrap.servers": BROKERS})
partitions = admin.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions
wanted = ConsumerGroupTopicPartitions(GROUP, [TopicPartition(TOPIC, p, 0) for p in partitions])
for changed in admin.alter_consumer_group_offsets([wanted])[GROUP].result(30).topic_partitions:
    done = f"refused: {changed.error.str()} (an ingest runs, or has just ended)" if changed.error else "committed offset 0"
    print(f"group {GROUP}, partition {changed.partition}: {done}")
