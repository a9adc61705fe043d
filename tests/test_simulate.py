"""Whole histories on simulated time, storage and Kafka: the simulator's guarantees, and that it catches the mistakes
that a protocol like ours invites."""

import pathlib
import subprocess

import pytest
import soak

SIMULATE = pathlib.Path(__file__).resolve().parent.parent / "build/release/tests/simulate/simulate"

# The mistakes of tests/simulate/mistakes.h, and the seed of a history that catches each. After changing
# the meaning of seeds, find new ones with: simulate --mistake NAME --seeds 5000
CAUGHT_BY = {
    "read-uncommitted": 1,
    "offsets-before-rows": 33,
    "rows-before-offsets": 33,
    "no-vacuum-margin": 42,
    "no-skip-set": 4,
    "topic-id-asked-once": 3,
    "put-replaces": 125,
    "merge-regardless": 1,
    "replay-without-fence": 54,
    "outage-is-a-verdict": 6,
    "fence-by-at-least": 104,
    "blind-retry": 7438,
    "no-history-check": 10,
    "epoch-alone": 112,
    "validates-with-the-last-epoch": 46,
    "stop-is-forgotten": 10,
    "no-first-sight": 2,
    "loss-in-commit-info-alone": 1,
    "corrupt-batch-skipped": 1,
    "side-without-fence": 741,
    "ends-from-a-cache": 11,
}


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SIMULATE, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.soak
def test_every_record_is_there_once_after_every_history() -> None:
    ran = simulate("--seeds", soak.steps(300, 10_000), "--every-event")
    assert ran.returncode == 0, ran.stdout


def test_a_seed_replays_to_the_same_trace() -> None:
    ran = simulate("--seeds", 50, "--twice", 50, "--from", 900)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.soak
@pytest.mark.parametrize("mistake", CAUGHT_BY)
def test_a_mistake_is_caught(mistake: str) -> None:
    chosen = ["--seeds", 5000] if soak.LONG else ["--from", CAUGHT_BY[mistake]]
    ran = simulate("--mistake", mistake, *chosen)
    assert ran.returncode == 1 and "fails:" in ran.stdout, ran.stdout


def test_a_failure_names_its_seed_and_shrinks_to_a_history_that_fails_too() -> None:
    seed = CAUGHT_BY["read-uncommitted"]
    ran = simulate("--mistake", "read-uncommitted", "--from", seed, "--shrink")
    whole, _, smaller = ran.stdout.partition("deeds are enough:")
    assert f"seed {seed} fails:" in whole
    deeds = [line.strip() for line in smaller.splitlines() if " ms: " in line]
    # An aborted transaction takes two; hardly anything else is left.
    assert 2 <= len(deeds) <= 4, ran.stdout
    assert any("abort the transaction" in deed for deed in deeds), ran.stdout


def test_unknown_arguments_are_refused() -> None:
    ran = simulate("--seed", 1)
    assert ran.returncode == 2 and "--seed" in ran.stderr
    ran = simulate("--mistake", "none-such")
    assert ran.returncode == 2 and "none-such" in ran.stderr
