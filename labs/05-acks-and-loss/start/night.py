"""One night at the shop: two tills sell, while the brokers have a bad time. Not to be changed.

    careless   acks=1, into a topic with min.insync.replicas=1
    yours      till.py, into your topic

The night is over when one of your receipts turns out to be a lie, or when nobody can buy. night.json has what happened.
"""

import contextlib
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import threading
import time

from confluent_kafka import Consumer, ElectionType, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from settings import BROKERS, CLUSTER, TOPIC

HERE = pathlib.Path(__file__).resolve().parent
CARELESS = f"{TOPIC}-careless"
MANY, FEW = 100, 20  # Purchases.
NIGHTS = 3  # On a very busy machine, a night may not go as planned.
PATIENCE = 90.0  # Seconds; most waits take less than one.


class Till:
    def __init__(self, topic, *command):
        self.topic = topic
        self._night = f"{time.time():.0f}"
        self.sent = 0
        self.receipts = {}  # The offset of each purchase that was acknowledged.
        self.refused = {}
        self._process = subprocess.Popen([sys.executable, *command, topic], cwd=HERE, text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            what, detail, purchase = line.rstrip().split(" ", 2)
            if what == "receipt":
                self.receipts[purchase] = int(detail)
            else:
                self.refused[purchase] = detail

    def sell(self, count):
        for _ in range(count):
            self.sent += 1
            self._process.stdin.write(f"purchase {self.sent} of night {self._night}\n")
        self._process.stdin.flush()

    def answered(self):
        if self._process.poll() is not None:
            sys.exit(f"the till of {self.topic} has failed; see above")
        return len(self.receipts) + len(self.refused)

    def close(self):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._reader.join()

    def kill(self):
        self._process.kill()
        self._process.wait()

    def result(self):
        return {"topic": self.topic, "sent": self.sent, "receipts": self.receipts, "refused": self.refused}


# Kafka.


def brokers(*words):
    subprocess.run([HERE / "brokers", *words], check=True, stdout=subprocess.DEVNULL)


def send(broker, what):
    """Directly, since a frozen broker counts as dead after 9 s, and a busy machine may need long to start ./brokers."""
    os.kill(int(pathlib.Path(CLUSTER, f"broker-{broker}/pid").read_text().split()[0]), what)


def address(broker):
    return BROKERS.split(",")[broker - 1]


def partition(broker, topic):
    """Of the topic's one partition, as this broker knows it."""
    admin = AdminClient({"bootstrap.servers": address(broker), "log_level": 0})
    try:
        return admin.list_topics(topic, timeout=5).topics[topic].partitions[0]
    except (KafkaException, KeyError):
        return None


def sees(broker, leader, in_sync):
    """Whether this broker knows of exactly this leader, and these in-sync replicas, of both topics."""
    found = [partition(broker, topic) for topic in (TOPIC, CARELESS)]
    return all(one and one.leader == leader and sorted(one.isrs) == in_sync for one in found)


def next_leader(broker):
    """Of both topics, as this broker knows it; nothing while it is broker 1, or nobody."""
    leaders = {one.leader if (one := partition(broker, topic)) else -1 for topic in (TOPIC, CARELESS)}
    return leaders.pop() if len(leaders) == 1 and leaders.isdisjoint({-1, 1}) else None


def make_leader(broker):
    """Broker 1, which is the first in the list of replicas."""
    admin = AdminClient({"bootstrap.servers": BROKERS, "log_level": 0})
    with contextlib.suppress(KafkaException):  # It leads already.
        admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(topic, 0) for topic in (TOPIC, CARELESS)]).result(30)
    wait(lambda: sees(broker, broker, [1, 2, 3]), f"broker {broker} leads, and all are in sync")


def copy_end(broker, topic):
    """The offset after the last record of this broker's copy, from its files: the headers of record batches."""
    end = 0
    for path in sorted(pathlib.Path(CLUSTER, f"broker-{broker}/data/{topic}-0").glob("*.log")):
        log, at = path.read_bytes(), 0
        while at + 27 <= len(log):
            base, length = struct.unpack_from(">qi", log, at)
            if length <= 0:
                break
            end = base + struct.unpack_from(">i", log, at + 23)[0] + 1
            at += 12 + length
    return end


def refusal(topic):
    """The reason for which Kafka does not accept a write that all in-sync replicas shall have; empty if it does."""
    reasons = []
    producer = Producer({"bootstrap.servers": BROKERS, "acks": "all", "retries": 0, "message.timeout.ms": 20000, "log_level": 0})
    producer.produce(topic, b"probe", on_delivery=lambda error, _: reasons.append(error.name() if error else ""))
    producer.flush(30)
    return reasons[0] if reasons and reasons[0].startswith("NOT_ENOUGH_REPLICAS") else ""


def write_one(topic, leader):
    """Returns once the leader has it."""
    producer = Producer({"bootstrap.servers": address(leader), "acks": "1", "log_level": 0})
    producer.produce(topic, b"nothing")
    if producer.flush(PATIENCE):
        sys.exit(f"broker {leader} does not accept records")


def log(topic):
    """The offset of every record, by its value."""
    consumer = Consumer({"bootstrap.servers": BROKERS, "group.id": f"{topic}-night", "enable.auto.commit": False,
                         "enable.partition.eof": True, "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = {}
    try:
        while True:
            message = consumer.poll(PATIENCE)
            if message is None:
                sys.exit(f"{topic} cannot be read")
            if message.error() is None:
                found[message.value().decode()] = message.offset()
            elif message.error().code() == KafkaError._PARTITION_EOF:
                return found
    finally:
        consumer.close()


def lost(till):
    """Purchases with a receipt that are not in the topic."""
    stored = log(till.topic)
    return [purchase for purchase in list(till.receipts) if purchase not in stored]


def wait(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            sys.exit(f"not within {PATIENCE:.0f} s: {what}. ./brokers start starts what does not run; then try again")
        time.sleep(0.02)
    return result


# The night.


def tell(event, *tills):
    print(event)
    for name, till in tills:
        print(f"    {name:9} {len(till.receipts):3} receipts for {till.sent} purchases", flush=True)


class NotAsPlanned(Exception):
    pass


def restart_leader(careless, yours):
    """While a follower hangs, which becomes the next leader."""
    tills = ("careless", careless), ("yours", yours)
    for _, till in tills:
        till.sell(1)
    wait(lambda: all(till.answered() == 1 and copy_end(1, till.topic) == copy_end(2, till.topic) for _, till in tills),
         "the tills are open, and broker 2 has their first purchase")
    base = {till: copy_end(1, till.topic) for _, till in tills}
    send(2, signal.SIGSTOP)
    write_one(CARELESS, 1)  # Broker 2 had asked for new records before it was frozen: this is all that it gets.
    for _, till in tills:
        till.sell(MANY)
    wait(lambda: careless.answered() == 1 + MANY and all(copy_end(1, till.topic) >= base[till] + MANY for _, till in tills),
         "broker 1 has the purchases")
    tell("1. Broker 2, a follower, hangs.                  in sync: 1, 2, 3; leader 1", *tills)
    send(1, signal.SIGTERM)
    leader = wait(lambda: next_leader(3), "broker 1 hands over")
    send(1, signal.SIGSTOP)  # Until broker 2 leads, which could otherwise still copy from it.
    send(2, signal.SIGCONT)
    if leader == 2:
        wait(lambda: next_leader(2) == 2, "broker 2 knows that it leads")
        for _, till in tills:
            write_one(till.topic, 2)
    send(1, signal.SIGCONT)
    brokers("stop", "1")  # It waits for the end.
    if leader != 2:
        raise NotAsPlanned(f"Broker 2 counted as dead before broker 1 handed over, so broker {leader} leads.")


def night(careless, yours):
    """Its end, and what belongs to it."""
    tills = ("careless", careless), ("yours", yours)
    restart_leader(careless, yours)
    wait(lambda: sees(3, 2, [2, 3]), "broker 2 leads")
    sold = 1 + MANY
    stuck = wait(lambda: "no" if yours.answered() == sold else refusal(TOPIC), f"answers for your {sold} purchases")
    tell("2. Broker 1 is stopped. Broker 2 leads, wakes up. in sync: 2, 3; leader 2", *tills)
    facts = {"careless_lost": lost(careless), "lost": lost(yours), "stuck": stuck}
    if not facts["careless_lost"]:
        raise NotAsPlanned("Broker 2 had copied everything before it hung.")
    if facts["lost"] or stuck != "no":
        return facts

    for _, till in tills:
        till.sell(MANY)
    wait(lambda: yours.answered() == sold + MANY, "answers for further purchases")
    tell("3. Broker 1 is still down, and the shop sells.    in sync: 2, 3; leader 2", *tills)

    brokers("stop", "3")
    wait(lambda: sees(2, 2, [2]), "broker 2 is the only one in sync")
    for _, till in tills:
        till.sell(FEW)
    wait(lambda: careless.answered() == sold + MANY + FEW, "receipts of the careless till")
    refused = wait(lambda: "no" if yours.answered() == sold + MANY + FEW else refusal(TOPIC), "answers for the last purchases")
    tell("4. Broker 3 is stopped, too.                      in sync: 2; leader 2", *tills)
    end = copy_end(3, TOPIC)
    return {**facts, "refused": refused, "alone": [p for p, offset in list(yours.receipts.items()) if offset >= end]}


def play():
    brokers("start")
    make_leader(1)
    tills = Till(CARELESS, "-c", "from counter import sell; sell({'acks': '1'})"), Till(TOPIC, "till.py")
    careless, yours = tills
    try:
        facts = night(*tills)
        brokers("start")
        wait(lambda: sees(1, 2, [1, 2, 3]), "all are in sync")
        for till in tills:
            till.close()
        tell("5. The next morning, all brokers are back.        in sync: 1, 2, 3", ("careless", careless), ("yours", yours))
        return {**facts, "lost": lost(yours), "careless": careless.result(), "yours": yours.result()}
    except BaseException:  # Ctrl-C, too.
        brokers("start")
        raise
    finally:
        for till in tills:
            till.kill()


def main():
    for left in reversed(range(NIGHTS)):
        try:
            facts = play()
            break
        except NotAsPlanned as error:
            print(f"{error} Once more.", flush=True)
            if not left:
                sys.exit("the machine is too busy for this night: try later")
    (HERE / "night.json").write_text(json.dumps(facts, indent=1) + "\n")
    for name, count in (("the careless till", len(facts["careless_lost"])), ("your till", len(facts["lost"]))):
        print(f"Of the receipts of {name}, {count or 'none'} {'are' if count > 1 else 'is'} for a purchase that is gone.")
    if alone := facts.get("alone"):
        print(f"For some hours, {len(alone)} purchases with your receipt were on the disk of broker 2 alone.")
    if facts["stuck"] != "no":
        print(f"With one broker down, nobody could buy: {facts['stuck']}.")
    if facts.get("refused", "no") != "no":
        print(f"With one replica left, Kafka refused to write: {facts['refused']}.")


if __name__ == "__main__":
    main()
