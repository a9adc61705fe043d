"""Which form of a test runs: the short one of every change, or the long one of `./run test soak`."""

import os

LONG = "SHOPSTREAM_SOAK" in os.environ


def steps(short: int, long: int) -> int:
    return long if LONG else short
