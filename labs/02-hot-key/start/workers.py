"""Reads the newest run with six workers, one for each partition, and shows how far behind each is. Not to be changed."""

import collections
import json
import threading
import time

from confluent_kafka import Consumer, TopicPartition
from settings import BROKERS, GROUP, TOPIC

PER_SECOND = 1000  # Records that a worker can do.
BAR = 10


def everything() -> list[collections.deque]:
    """The newest run: what each partition has."""
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{GROUP}-workers", "enable.auto.commit": False,
                         "enable.partition.eof": True})
    partitions = sorted(consumer.list_topics(TOPIC, timeout=20).topics[TOPIC].partitions)
    consumer.assign([TopicPartition(TOPIC, p, 0) for p in partitions])
    queues, ended = [collections.deque() for _ in partitions], set()
    while len(ended) < len(partitions):
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            ended.add(message.partition())
        else:
            queues[message.partition()].append(json.loads(message.value()))
    consumer.close()
    newest = max(event["run"] for queue in queues for event in queue)
    return [collections.deque(event for event in queue if event["run"] == newest) for queue in queues]


def work(queue: collections.deque) -> None:
    began, done = time.monotonic(), 0
    while queue:
        while queue and done < (time.monotonic() - began) * PER_SECOND:
            queue.popleft()
            done += 1
        time.sleep(0.01)


queues = everything()
total, most = sum(map(len, queues)), max(map(len, queues))
busiest = max(queues, key=len)
partition = queues.index(busiest)
shopper, share = collections.Counter(event["shopper"] for event in busiest).most_common(1)[0]
workers = [threading.Thread(target=work, args=(queue,)) for queue in queues]
began = time.monotonic()
for worker in workers:
    worker.start()
print("seconds  " + " ".join(f"{f'worker {p}':{BAR}}" for p in range(len(queues))).rstrip())
while any(worker.is_alive() for worker in workers):
    bars = ["#" * -(-len(queue) * BAR // most) for queue in queues]
    print(f"{time.monotonic() - began:6.1f}   {' '.join(f'{bar:{BAR}}' for bar in bars)}".rstrip(), flush=True)
    next_line = time.monotonic() + 0.5
    for worker in workers:
        worker.join(max(0, next_line - time.monotonic()))
print(f"{time.monotonic() - began:6.1f}   all {total:,} records are done\n")
print(f"The busiest partition is {partition}: it has {most:,} records, {most * len(queues) / total:.1f} times the mean, "
      f"and {share:,}\nof them are shopper {shopper}'s. One worker would need {total / PER_SECOND:.0f} seconds for all.")
