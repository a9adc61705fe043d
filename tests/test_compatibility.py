"""Compatibility verdicts match those of Apache Avro's own Java library."""

import json
from collections import Counter

import pytest

from avro_java import answered, java_program
from avro_schemas import Schemas
from places import ROOT

DRIVER = ROOT / "build/release/src/avro/compatibility_driver"
PAIRS = 6_000  # Each judged in both directions.


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the Java library."""
    return java_program("Compatibility", tmp_path_factory.mktemp("classes"), "-XX:TieredStopAtLevel=1")


def test_verdicts_equal_those_of_avro_java(java: list[str]) -> None:
    pairs = []
    for seed in range(PAIRS):
        first, second = Schemas(seed).pair()
        pairs += [(first, second), (second, first)]
    lines = "".join(f"{json.dumps(reader)}\t{json.dumps(writer)}\n" for reader, writer in pairs)
    ours, theirs = answered([DRIVER], lines).splitlines(), answered(java, lines).splitlines()
    assert len(ours) == len(theirs) == len(pairs)
    different = [(pair, our, their) for pair, our, their in zip(pairs, ours, theirs, strict=True)
                 if our.split()[0] != their.split()[0]]
    assert not different, f"{len(different)} differ, the first: {json.dumps(different[0], indent=1)}"

    # Both answers, and every rule, occurred often enough to be meaningful.
    verdicts = Counter(line.split()[0] for line in theirs)
    assert min(verdicts["yes"], verdicts["no"]) > len(pairs) // 5, verdicts
    rules = Counter(rule for line in theirs for rule in set(line.split()[1:]))
    for rule in ("NAME_MISMATCH", "FIXED_SIZE_MISMATCH", "MISSING_ENUM_SYMBOLS", "TYPE_MISMATCH",
                 "READER_FIELD_MISSING_DEFAULT_VALUE", "MISSING_UNION_BRANCH"):
        assert rules[rule] >= 20, rules
