"""Selects the form of a test: the short one for every change, or the long one of `./run test soak`."""

import os

LONG = "SHOPSTREAM_SOAK" in os.environ


def steps(short: int, long: int) -> int:
    return long if LONG else short
