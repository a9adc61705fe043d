"""crew.py N: N workers of one group, which join one after another. Writes what happens to events.jsonl. Not to be changed."""

import json
import sys
import threading
import time
import uuid

import worker
from confluent_kafka import Consumer
from settings import GROUP

PARTITIONS = {0, 1, 2}
SETTLED = 1.0  # Seconds without a change, until the next worker joins.
LONGEST = 60.0

count = int(sys.argv[1]) if len(sys.argv) == 2 and sys.argv[1].isdecimal() else sys.exit("usage: ./python crew.py N")
group = f"{GROUP}-crew-{uuid.uuid4().hex[:8]}"
lock = threading.Lock()
log = open("events.jsonl", "w")
last_change = time.monotonic()
stopping = threading.Event()
owned: dict[str, set[int]] = {}  # By worker, once it has an assignment, if an empty one.


def note(name: str, what: str, **facts: object) -> None:
    global last_change
    with lock:
        log.write(json.dumps({"worker": name, "what": what, "joined": joined, **facts}) + "\n")
        log.flush()
        if what in ("assigned", "revoked"):
            last_change = time.monotonic()
            mine = owned.setdefault(name, set())
            mine.symmetric_difference_update(facts["partitions"])
            print(f"worker {name} {'gets' if what == 'assigned' else 'gives up'} {facts['partitions']}", flush=True)


def work(name: str) -> None:
    consumer = Consumer(worker.settings(group))

    def assigned(_: Consumer, partitions: list) -> None:
        note(name, "assigned", partitions=sorted(p.partition for p in partitions))

    def revoked(_: Consumer, partitions: list) -> None:
        if not stopping.is_set():
            note(name, "revoked", partitions=sorted(p.partition for p in partitions))

    worker.begin(consumer, assigned, revoked)
    while not stopping.is_set():
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            note(name, "read", partition=message.partition(), offset=message.offset())
    consumer.close()


def settled() -> bool:
    with lock:
        return (len(owned) == joined and set().union(*owned.values()) == PARTITIONS
                and time.monotonic() - last_change > SETTLED)


threads, joined = [], 0
for name in "ABCDEFGH"[:count]:
    joined += 1
    print(f"worker {name} joins", flush=True)
    last_change = time.monotonic()
    threads.append(threading.Thread(target=work, args=(name,)))
    threads[-1].start()
    deadline = time.monotonic() + LONGEST
    while not settled() and time.monotonic() < deadline:
        if not all(thread.is_alive() for thread in threads):
            stopping.set()
            sys.exit("a worker has failed: look at worker.py")
        time.sleep(0.05)
stopping.set()
for thread in threads:
    thread.join()
