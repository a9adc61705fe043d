"""What 50 shoppers do: each adds something to the cart, pays, and cancels. Not to be changed."""

import json
import random
import time
from collections.abc import Iterator

from settings import SEED

STEPS = ("add", "pay", "cancel")
SHOPPERS = 50
RUN = time.time_ns()  # The newest run counts.


def steps() -> Iterator[tuple[int, str]]:
    """(shopper, step), as they happen: those of a shopper in order, those of different shoppers mixed."""
    chance = random.Random(SEED)
    shoppers = chance.sample(range(100, 1000), SHOPPERS)
    done = dict.fromkeys(shoppers, 0)
    while done:
        user = chance.choice(list(done))
        yield user, STEPS[done[user]]
        done[user] += 1
        if done[user] == len(STEPS):
            del done[user]


def event(user: int, step: str) -> bytes:
    return json.dumps({"run": RUN, "user": user, "step": step}).encode()
