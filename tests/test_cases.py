"""Inputs that users of this and other programs had, and the answers that every reader must give; see case_runner.py."""

import pytest

from case_runner import CASES, Cases
from shopstream import Shopstream

# A few of them share a test, because each of their runs waits for its group most of the time.
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
PARTS = 3


@pytest.mark.parametrize("part", range(PARTS))
def test_every_case_has_its_answer(shopstream: Shopstream, part: int) -> None:
    Cases(shopstream).check_all(NAMES[part::PARTS])


def test_no_case_is_missing() -> None:
    assert len(NAMES) >= 20
