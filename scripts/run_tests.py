"""Builds the project, runs the tests and adds up the results.

    run_tests.py                     everything: units, program
    run_tests.py units|program ...   only these tests; `program` passes further arguments to pytest, and has two
                                     workers if there are none
    run_tests.py soak ...            the long forms, which take hours; passes further arguments to pytest
    run_tests.py tsan                data races: the unit tests, and programs that run concurrently
    run_tests.py fuzz ...            the fuzzers, a minute each; passes further arguments to fuzz.py
    run_tests.py simulate ...        2,000 simulated histories; passes further arguments to the simulator:
                                     --seeds N --from S, or --until-stopped

units: the unit tests under ASan and UBSan; program: pytest on tests/, the release build against real brokers; soak: the
tests marked `soak` or `soak_only`, in their long form, an hour of each fuzzer, and tsan; simulate: histories of several
programs on simulated time, storage and Kafka; tsan: under ThreadSanitizer; fuzz: libFuzzer on what parses bytes from
outside. The last line is `N passed, N failed`.
"""

import argparse
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterable

from places import DEPS, ROOT

NOTHING_COLLECTED = 5  # pytest's exit code when no test was selected.
TWO_WORKERS = ["--numprocesses=2"]  # Each has its own cluster; see tests/conftest.py.
NO_TIMEOUT = "--timeout=0"  # For tests that take hours; pytest.ini has the limit of the others.
TSAN_OPTIONS = f"second_deadlock_stack=1 suppressions={ROOT / 'tests/tsan.suppressions'}"
# Several threads and programs at work, on real servers: two ingests with rebalances, registries under load, compaction
# beside ingest, and everything killed at random.
CONCURRENT_TESTS = [
    "tests/test_exactly_once.py::test_consumers_come_and_go_without_a_trace",
    "tests/test_registry.py::test_two_registries_at_once_agree",
    "tests/test_registry.py::test_kill_9_under_load",
    "tests/test_compaction.py::test_ingest_beside_optimizers_killed_at_random_loses_and_doubles_nothing",
    "tests/test_unattended.py::test_everything_at_once_and_killed",
]


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.passed + other.passed, self.failed + other.failed,
                     self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class BuildError(Exception):
    """See the compiler's output above."""


def build(preset: str, *targets: str) -> None:
    if subprocess.run([ROOT / "scripts/build", preset, *targets]).returncode != 0:
        raise BuildError(f"{preset} does not build")


def unit_tests(preset: str) -> Count:
    """Runs every unit test program through ctest, and counts the cases each reports."""
    folder = ROOT / "build" / preset
    reports = fresh_folder(folder / "reports")
    summary = reports / "ctest.xml"
    environment = {
        **os.environ,
        "GTEST_OUTPUT": f"xml:{reports}/",
        "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": TSAN_OPTIONS,
    }
    code = subprocess.run(
        ["ctest", "--test-dir", folder, "--output-on-failure", "--output-junit", summary,
         "--parallel", str(os.cpu_count())], env=environment).returncode
    count = Count()
    for program in xml.parse(summary).iter("testcase"):
        report = reports / f"{program.get('name')}.xml"
        counted = count_report(report)
        if program.get("status") != "run" and counted.failed == 0:
            counted.failed = 1  # It crashed, leaked or hung, which its report does not show.
        count += counted
    return insist(count, code)


def whole_program(arguments: list[str], **environment: str) -> Count:
    report = fresh_folder(ROOT / "build/test-program") / "pytest.xml"
    code = subprocess.run([DEPS / "venv/bin/python", "-m", "pytest", f"--junitxml={report}",
                           *arguments], cwd=ROOT, env={**os.environ, **environment}).returncode
    return Count() if code == NOTHING_COLLECTED else insist(count_report(report), code)


def count_report(path: pathlib.Path) -> Count:
    """Counts a JUnit report of GoogleTest or pytest; if none was written, nothing ran."""
    count = Count()
    if not path.exists():
        return count
    for case in xml.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed"):
            count.skipped += 1
        else:
            count.passed += 1
    return count


def insist(count: Count, exit_code: int) -> Count:
    """A runner that failed counts at least one failure, whatever it reported."""
    return count + Count(failed=1) if exit_code != 0 and count.failed == 0 else count


def fresh_folder(path: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def say(line: str) -> None:
    print(f"\ntest: {line}", flush=True)


def units() -> Count:
    build("asan", "unit_tests")
    return unit_tests("asan")


def tsan() -> Count:
    build("tsan", "unit_tests", "shopstream")
    return unit_tests("tsan") + concurrent_programs()


def concurrent_programs() -> Count:
    """A program that is killed, or whose exit code nobody looks at, reports its races in a file."""
    races = fresh_folder(ROOT / "build/tsan/races")
    count = whole_program([NO_TIMEOUT, *CONCURRENT_TESTS], SHOPSTREAM_BINARY=str(ROOT / "build/tsan/shopstream"),
                          TSAN_OPTIONS=f"{TSAN_OPTIONS} log_path={races}/race")
    for report in sorted(races.iterdir()):
        print(report.read_text(), flush=True)
        count.failed += 1
    return count


def fuzz(arguments: list[str]) -> Count:
    code = subprocess.run([sys.executable, ROOT / "scripts/fuzz.py", *arguments]).returncode
    return Count(failed=1) if code else Count(passed=1)


def soak(arguments: list[str]) -> Count:
    build_program()
    count = whole_program([NO_TIMEOUT, "-m", "soak or soak_only", *arguments], SHOPSTREAM_SOAK="1")
    return count if arguments else count + tsan() + fuzz(["--seconds", "3600"])


def program(arguments: list[str]) -> Count:
    build_program()
    return whole_program(arguments or TWO_WORKERS)


def build_program() -> None:
    build("asan", "lake_test")  # tests/test_s3.py runs its contract tests against real servers.
    build("release", "all")


def simulate(arguments: list[str]) -> Count:
    build("release", "simulate")
    ingest = ["--seeds", "2000", "--twice", "50", "--every-event"]
    refine = ["--refine", "--seeds", "500", "--twice", "10", "--every-event"]
    total = Count()
    for chosen in [arguments] if arguments else [ingest, refine]:
        code = subprocess.run([ROOT / "build/release/tests/simulate/simulate", *chosen]).returncode
        total += Count(failed=1) if code else Count(passed=1)
    return total


def run(suites: Iterable[tuple[str, Callable[[], Count]]]) -> Count:
    total = Count()
    for name, suite in suites:
        started = time.monotonic()
        say(name)
        count = suite()
        say(f"{name}: {count}, in {time.monotonic() - started:.0f} s")
        total += count
    return total


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run test", description=__doc__.replace("run_tests.py", "./run test"),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", choices=["units", "program", "soak", "simulate", "tsan", "fuzz"])
    arguments, rest = parser.parse_known_args()
    if rest and arguments.suite in (None, "units", "tsan"):
        parser.error("only `./run test program`, `soak`, `simulate` and `fuzz` pass arguments on: "
                     + " ".join(rest))
    suites = {"units": units, "program": lambda: program(rest), "simulate": lambda: simulate(rest),
              "soak": lambda: soak(rest), "tsan": tsan, "fuzz": lambda: fuzz(rest)}
    chosen = [arguments.suite] if arguments.suite else ["units", "program"]
    try:
        total = run((name, suites[name]) for name in chosen)
    except BuildError as error:
        say(f"error: {error}")
        total = Count(failed=1)
    print(f"\n{total}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
