"""What the shoppers do: in each cart, they add something, pay, and cancel. Not to be changed."""

import json
import random
import time
from collections.abc import Iterator

from settings import SEED

STEPS = ("add", "pay", "cancel")
RUN = time.time_ns()  # The newest run counts.


def steps() -> Iterator[tuple[int, int, str]]:
    """(shopper, cart, step), as they happen: those of a cart in order, those of different carts mixed."""
    chance = random.Random(SEED)
    shoppers = chance.sample(range(100, 1000), 400)
    owners = [4711] * 1200 + shoppers * 2
    chance.shuffle(owners)
    moments = []
    for cart, shopper in enumerate(owners):
        for step, moment in zip(STEPS, sorted(chance.random() for _ in STEPS)):
            moments.append((moment, shopper, cart, step))
    for _, shopper, cart, step in sorted(moments):
        yield shopper, cart, step


def event(shopper: int, cart: int, step: str) -> bytes:
    return json.dumps({"run": RUN, "shopper": shopper, "cart": cart, "step": step}).encode()
