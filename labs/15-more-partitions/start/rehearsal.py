"""A topic of its own, a shop that is open, and a service that is behind. Not to be changed.

The service has two workers: A reads partitions 0 to 2, B reads those that are added. B has no backlog, so it is faster.
"""

import collections
import json
import pathlib
import random
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from settings import BROKERS, SEED, TOPIC

CHANCE = random.Random(SEED)
SHOPPERS = CHANCE.sample(range(100, 1000), 100)
HANDLED = pathlib.Path("handled.json")
SHOWN = 5
MEANWHILE = 20  # Purchases that arrive during a step, while the shop is open.


def new_producer() -> Producer:
    """For one sale: it asks for the topic's partitions at its first purchase. Created ahead, as it takes half a second."""
    return Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True, "partitioner": "murmur2_random"})


class Rehearsal:
    """The shop is open, each shopper has bought something, and the service is 60 purchases behind."""

    def __init__(self) -> None:
        HANDLED.unlink(missing_ok=True)
        self._next_producer = new_producer()
        admin = AdminClient({"bootstrap.servers": BROKERS})
        if old := [name for name in admin.list_topics(timeout=20).topics if name.startswith(f"{TOPIC}-rollout-")]:
            for deleted in admin.delete_topics(old).values():
                deleted.result(30)
        self.topic = f"{TOPIC}-rollout-{time.time_ns():x}"
        self._run("create", 3)
        self._open = True
        self._bought: collections.Counter[int] = collections.Counter()  # By each shopper.
        self._sent = 0
        self._handled: list[tuple[int, int, int, int]] = []  # Partition, offset, shopper, the shopper's how-manieth purchase.
        self._behind = 0  # At the last expansion.
        self._sell(SHOPPERS)
        self._handle(40)

    def pause_shop(self) -> None:
        """Nobody can buy anything until the shop is open again."""
        self._open = False

    def open_shop(self) -> None:
        self._open = True

    def serve(self) -> None:
        """The service handles all purchases that are there at the beginning of this step."""
        self._handle()
        self._meanwhile()

    def expand(self, partitions: int) -> None:
        """Adds partitions, up to this number. Purchases that arrive during this step know of them."""
        self._behind = self._sent - len(self._handled)
        self._run("expand", partitions)
        self._meanwhile()

    def finish(self) -> None:
        """If the shop is open, each shopper buys something else. The service handles all that is left."""
        if self._open:
            self._sell(SHOPPERS)
        self._handle()
        HANDLED.write_text(json.dumps({"topic": self.topic, "behind": self._behind, "handled": self._handled}))
        self._report()

    def _report(self) -> None:
        print(f"At the expansion, the service was {self._behind} purchases behind.")
        places: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
        for partition, _, shopper, number in self._handled:
            places[shopper].append((number, partition))
        wrong = sorted(shopper for shopper, handled in places.items() if handled != sorted(handled))
        for shopper in wrong[:SHOWN]:
            print(f"shopper {shopper}: {', '.join(f'purchase {n} (partition {p})' for n, p in places[shopper])}")
        if len(wrong) > SHOWN:
            print("...")
        split = sum(len({p for _, p in handled}) > 1 for handled in places.values())
        print(f"{len(wrong)} of 100 shoppers were handled in the wrong order.")
        print(f"{split} of 100 shoppers have purchases in two partitions.")

    def _run(self, command: str, partitions: int) -> None:
        done = subprocess.run(["./shopstream", "topics", command, self.topic, "--partitions", str(partitions)],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"topics {command} failed: {done.stderr}")

    def _meanwhile(self) -> None:
        if self._open:
            self._sell(CHANCE.sample(SHOPPERS, MEANWHILE))

    def _sell(self, shoppers: list[int]) -> None:
        producer, self._next_producer = self._next_producer, new_producer()
        for shopper in shoppers:
            self._bought[shopper] += 1
            self._sent += 1
            producer.produce(self.topic, key=str(shopper), value=json.dumps({"shopper": shopper, "number": self._bought[shopper]}))
        if left := producer.flush(60):
            sys.exit(f"{left} purchases are not acknowledged: ./run status")

    def _handle(self, most: int | None = None) -> None:
        """The next purchases, those of worker B first; each worker takes its partitions in turn."""
        waiting = sorted(self._waiting(), key=lambda message: (message.partition() < 3, message.offset(), message.partition()))
        for message in waiting[:most]:
            purchase = json.loads(message.value())
            self._handled.append((message.partition(), message.offset(), purchase["shopper"], purchase["number"]))

    def _waiting(self) -> list:
        next_of = {partition: offset + 1 for partition, offset, _, _ in self._handled}
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{TOPIC}-service", "enable.auto.commit": False})
        partitions = consumer.list_topics(self.topic, timeout=20).topics[self.topic].partitions
        consumer.assign([TopicPartition(self.topic, p, next_of.get(p, 0)) for p in partitions])
        waiting: list = []
        while len(waiting) < self._sent - len(self._handled):
            message = consumer.poll(1)
            if message is not None and message.error():
                sys.exit(f"the service cannot read: {message.error()}")
            if message is not None:
                waiting.append(message)
        consumer.close()
        return waiting
