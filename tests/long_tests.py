"""A test that takes too long fails, so that the whole suite stays within its time."""

import os
from collections.abc import Generator
from typing import Any

import pytest

import soak

# 60 s on the machine of CI; others are slower. Without the time for what several tests share.
MOST_SECONDS = float(os.environ.get("SHOPSTREAM_LONGEST_TEST", "90"))
# Processes that want to run, per processor: two workers with their brokers. More are other people's, and take our time.
USUAL_LOAD = 4


def most_seconds() -> float:
    return MOST_SECONDS * max(1, os.getloadavg()[0] / USUAL_LOAD / (os.cpu_count() or 1))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    has_limit = not soak.LONG and item.config.getoption("timeout") != 0  # Not under ThreadSanitizer either.
    if has_limit and call.when == "call" and report.passed and call.duration > most_seconds():
        report.outcome = "failed"
        report.longrepr = (f"{item.nodeid} passed, but took {call.duration:.1f} s. A test may take 60 s on the machine of "
                           f"CI, and {MOST_SECONDS:g} s on any that is not busy: make it faster, or mark it soak_only")
