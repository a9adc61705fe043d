"""Reads the topic from where it stopped last time, in batches, until the end. Not to be changed."""

from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from settings import BROKERS, GROUP, TOPIC

BATCH = 100


class Reader:
    def __init__(self, start: dict[int, int] | None = None):
        """start: the offset at which each partition begins, 0 for those not in it. Without it, the offsets that were
        committed to Kafka count."""
        self._consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": GROUP, "enable.auto.commit": False,
                                   "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        self._partitions = sorted(self._consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions)
        # All partitions, without joining a group: a restart waits for nobody.
        self._consumer.assign([TopicPartition(TOPIC, p) if start is None else TopicPartition(TOPIC, p, start.get(p, 0))
                               for p in self._partitions])

    def batches(self) -> Iterator[list[Message]]:
        """Each batch is in order within a partition, and may have records of several."""
        ended = set()
        while len(ended) < len(self._partitions):
            batch = []
            for message in self._consumer.consume(BATCH, timeout=0.5):
                if message.error() is None:
                    batch.append(message)
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    ended.add(message.partition())
                else:
                    raise KafkaException(message.error())
            if batch:
                yield batch

    def commit(self, batch: list[Message]) -> None:
        """Stores in Kafka that everything up to this batch is done."""
        ends = {message.partition(): message.offset() + 1 for message in batch}
        self._consumer.commit(offsets=[TopicPartition(TOPIC, p, end) for p, end in ends.items()], asynchronous=False)
