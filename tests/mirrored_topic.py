"""A mirror of a topic, as MirrorMaker makes it: the records of each partition in their order, with key, value, headers
and timestamp, at other offsets. For tests that need no second cluster."""

from collections.abc import Callable

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

Keep = Callable[[Message], bool]
TIMEOUT = 30.0
SOON = 0.5  # There are fewer records than offsets: markers of transactions have one each.


class MirroredTopic:
    def __init__(self, bootstrap_servers: str, source: str, mirror: str):
        """Creates the mirror, with as many partitions. Aborted records are at its beginning, so that offsets differ."""
        self.source, self.mirror = source, mirror
        self._servers = {"bootstrap.servers": bootstrap_servers, "log_level": 0}
        admin = AdminClient(self._servers)
        self.partitions = len(admin.list_topics(source, timeout=TIMEOUT).topics[source].partitions)
        created = admin.create_topics([NewTopic(mirror, self.partitions, 3)], operation_timeout=TIMEOUT)
        created[mirror].result(TIMEOUT)
        self._producer = Producer({**self._servers, "transactional.id": mirror})
        self._producer.init_transactions(TIMEOUT)
        self._copied = dict.fromkeys(range(self.partitions), 0)
        self._producer.begin_transaction()
        for partition in range(self.partitions):
            for _ in range(5 + partition):
                self._producer.produce(self.mirror, b"aborted", partition=partition)
        self._producer.flush(TIMEOUT)
        self._producer.abort_transaction(TIMEOUT)

    def copy(self, keep_back: int = 0, with_timestamps: bool = True) -> int:
        """Copies what is new, without the last `keep_back` of each partition, one transaction for each. How many."""
        copied = 0
        consumer = Consumer({**self._servers, "group.id": self.mirror, "enable.auto.commit": False,
                             "auto.offset.reset": "earliest", "enable.partition.eof": False})
        for partition, begin in self._copied.items():
            _, end = consumer.get_watermark_offsets(TopicPartition(self.source, partition), TIMEOUT)
            if end - keep_back <= begin:
                continue
            consumer.assign([TopicPartition(self.source, partition, begin)])
            self._producer.begin_transaction()
            while begin < end - keep_back:
                for message in consumer.consume(min(1000, end - keep_back - begin), SOON):
                    assert message.error() is None, message.error()
                    self._send(message, with_timestamps)
                    begin = message.offset() + 1
                    copied += 1
            self._producer.commit_transaction(TIMEOUT)
            self._copied[partition] = begin
        consumer.close()
        return copied

    def _send(self, message: Message, with_timestamp: bool) -> None:
        _, sent_ms = message.timestamp()
        self._producer.produce(self.mirror, message.value(), message.key(), partition=message.partition(),
                               headers=message.headers(), **({"timestamp": sent_ms} if with_timestamp else {}))
        self._producer.poll(0)
