"""crew.py N: N workers send the mails of the topic, which has one partition. Writes what happens to events.jsonl.
Not to be changed."""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable

import worker
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from settings import BROKERS, GROUP, TOPIC

MAIL = 0.02  # Seconds that it takes to send one.
FULL = 2  # So often, a full mailbox refuses a mail.
LIMIT = 5  # Deliveries, after which Kafka gives up: its default for share groups.
LONGEST = 90.0
# A new share group would begin at the end of the topic. A lock of a minute outlasts the wait for the other workers.
SHARE_GROUP = {"share.auto.offset.reset": "earliest", "share.record.lock.duration.ms": "60000"}


class Crew:
    def __init__(self, names: str):
        self.names = names
        self.group = f"{GROUP}-crew-{uuid.uuid4().hex[:8]}"
        self.mails = 0
        self._lock = threading.Lock()
        self._log = open("events.jsonl", "w")
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(name,)) for name in names]
        self._rounds = dict.fromkeys(names, 0)  # How often each worker has asked for mails.
        self._rounds_then = dict(self._rounds)  # When the last mail was done.
        self._members: set[str] = set()
        self._have_mail: set[str] = set()
        self._all_have_mail = threading.Event()
        self._is_queue = False  # A share group counts deliveries, a consumer group does not.
        self._tries: dict[int, int] = {}  # Deliveries of each offset.
        self._sent: dict[int, str] = {}  # By whom, in order.
        self._hopeless: set[int] = set()  # The address does not exist.

    def run(self) -> None:
        self._make_group()
        self.mails = self._end_of_topic()
        for thread in self._threads:
            thread.start()
        self._give_each_a_mail()
        done = -1
        while done < sum(self._tries.values()) and self._working():  # Until a new mail is all that was left to deliver.
            self._wait_for(self._everything_is_tried)
            done = sum(self._tries.values()) + 1
            self._add_mail()
            self._wait_for(lambda: self.mails - 1 in self._sent)
        self._go_home()
        for thread in self._threads:
            thread.join()
        print("; ".join(f"{name} has sent {list(self._sent.values()).count(name)}" for name in self.names))

    def _go_home(self) -> None:
        self._closing.set()
        self._all_have_mail.set()

    # The workers' side.

    def _work(self, name: str) -> None:
        def closing() -> bool:
            self._rounds[name] += 1
            return self._closing.is_set()

        def on_statistics(text: str) -> None:
            if json.loads(text).get("cgrp", {}).get("join_state") == "steady":
                self._members.add(name)

        settings = {"bootstrap.servers": BROKERS, "group.id": self.group, "log_level": 0, "statistics.interval.ms": 100,
                    "stats_cb": on_statistics}
        try:
            worker.work(settings, lambda message: self._send(name, message), closing)
        except Exception as error:
            self._note(name, failed=f"{type(error).__name__}: {error}")
            print(f"worker {name} has failed: {type(error).__name__}: {error}", flush=True)
            self._go_home()

    def _send(self, name: str, message: Message) -> bool:
        """Sends a mail; False if that fails."""
        text, offset, delivery = message.value().decode(), message.offset(), message.delivery_count() or 0
        if delivery:  # Nobody begins before the others are there.
            self._is_queue = True
            self._have_mail.add(name)
            if len(self._have_mail) == len(self.names):
                self._all_have_mail.set()
            self._all_have_mail.wait(LONGEST)
        time.sleep(MAIL)
        with self._lock:
            self._tries[offset] = self._tries.get(offset, 0) + 1
            fails = "nobody" in text or ("full" in text and self._tries[offset] <= FULL)
            if "nobody" in text:
                self._hopeless.add(offset)
            if not fails:
                self._sent[offset] = name
            self._rounds_then = dict(self._rounds)
        self._note(name, offset=offset, text=text, delivery=delivery, sent=not fails)
        if fails or delivery > 1:
            print(f"worker {name}: mail {offset}{f', delivery {delivery}' if delivery else ''}: {'FAILS' if fails else 'sent'}", flush=True)
        return not fails

    def _note(self, name: str, **facts: object) -> None:
        with self._lock:
            self._log.write(json.dumps({"worker": name, **facts}) + "\n")
            self._log.flush()

    # The topic and the group.

    def _make_group(self) -> None:
        admin = AdminClient({"bootstrap.servers": BROKERS, "log_level": 0})
        changes = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in SHARE_GROUP.items()]
        resource = ConfigResource(ResourceType.GROUP, self.group, incremental_configs=changes)
        admin.incremental_alter_configs([resource])[resource].result(20)

    def delete_group(self) -> None:
        admin = AdminClient({"bootstrap.servers": BROKERS, "log_level": 0})
        admin.delete_consumer_groups([self.group])[self.group].exception(20)  # Or it never had a member.

    def _end_of_topic(self) -> int:
        consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{self.group}-end"})
        end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=20)[1]
        consumer.close()
        return end

    def _add_mail(self) -> None:
        """Behind all others: what is still in the queue is delivered before it."""
        producer = Producer({"bootstrap.servers": BROKERS})
        producer.produce(TOPIC, value="to a customer who is late", partition=0)
        producer.flush(20)
        self.mails += 1

    # Waiting.

    def _give_each_a_mail(self) -> None:
        """If all that are in the topic have been taken, the workers without one get a new one each."""
        while self._working() and not self._all_have_mail.is_set():
            self._wait_for(lambda: self._all_have_mail.is_set() or (self._tries and not self._is_queue)
                           or (self._have_mail and self._members | self._have_mail == set(self.names)
                               and self._have_asked_twice(set(self.names) - self._have_mail)))
            if not self._is_queue:
                return
            if not self._all_have_mail.is_set():
                with self._lock:
                    self._rounds_then = dict(self._rounds)
                self._add_mail()

    def _have_asked_twice(self, names: set[str]) -> bool:
        """Since the last mail was done. What they acknowledged then has arrived."""
        return all(self._rounds[name] >= self._rounds_then[name] + 2 for name in names)

    def _everything_is_tried(self) -> bool:
        with self._lock:
            if len(self._tries) < self.mails:
                return False
            given_up = all(self._tries[offset] >= LIMIT for offset in self._hopeless)
            return len(self._sent | dict.fromkeys(self._hopeless)) == self.mails and given_up or self._have_asked_twice(set(self.names))

    def _working(self) -> bool:
        return not self._closing.is_set() and any(thread.is_alive() for thread in self._threads)

    def _wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + LONGEST
        while not condition() and self._working():
            if time.monotonic() > deadline:
                print(f"not within {LONGEST:.0f} s: ./run status shows the cluster", file=sys.stderr, flush=True)
                self._go_home()
            time.sleep(0.02)


if len(sys.argv) != 2 or not sys.argv[1].isdecimal() or not 1 <= int(sys.argv[1]) <= 10:
    sys.exit("usage: ./python crew.py N, from 1 to 10")
crew = Crew("ABCDEFGHIJ"[:int(sys.argv[1])])
crew.run()
crew.delete_group()
