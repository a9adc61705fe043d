"""A folder or a file that ShopStream may not access is reported immediately, by name, with the remedy. Waiting would
not help, and would hide the reason. Needs root, to remove the permissions."""

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from shopstream import Shopstream

BRONZE = "bronze-events"
# Root without the capability to ignore file permissions.
AS_ORDINARY_USER = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search",
                    "--inh-caps", "-dac_override,-dac_read_search"]
SOON = 20  # Seconds. Retries of an outage take 60 and more.


@pytest.fixture
def world(shopstream: Shopstream) -> Iterator[Shopstream]:
    """A lake with several small files, and records that are not in it yet."""
    shopstream.run("topics", "setup")
    for seed in range(1, 4):
        shopstream.run("generate", "--count", 50, "--seed", seed)
        shopstream.run("ingest", "--until-caught-up")
    shopstream.run("generate", "--count", 50, "--seed", 4)
    yield shopstream
    for path in [shopstream.lake, *shopstream.lake.rglob("*")]:
        path.chmod(0o755)


def run(world: Shopstream, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(AS_ORDINARY_USER + world.command(*arguments), env=world.environment(), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


def refused(world: Shopstream, *arguments: object) -> str:
    """Its message: a single one, soon, and with the reason."""
    begun = time.monotonic()
    done = run(world, *arguments)
    words = f"{arguments}: exit code {done.returncode}\n{done.stderr}"
    assert done.returncode > 0, words
    assert time.monotonic() - begun < SOON, words
    assert "trying again" not in words.lower(), words
    assert words.count("Permission denied") == 1, words
    assert "give this user read and write permission" in words, words
    return words


def test_a_lake_that_may_not_be_written_is_refused_and_named(world: Shopstream) -> None:
    for path in [world.lake, *world.lake.rglob("*")]:
        if path.is_dir():
            path.chmod(0o555)
    for arguments in [("ingest", "--until-caught-up"), ("table", "optimize", BRONZE),
                      ("table", "vacuum", BRONZE, "--delete")]:
        assert str(world.lake) in refused(world, *arguments)
    assert run(world, "table", "vacuum", BRONZE).returncode == 0, "a look needs no right to write"


def test_a_log_that_may_not_be_read_is_refused_and_named(world: Shopstream) -> None:
    (world.lake / BRONZE / "_delta_log").chmod(0o000)
    for arguments in [("ingest", "--until-caught-up"), ("table", "files", BRONZE), ("table", "optimize", BRONZE),
                      ("table", "verify", BRONZE), ("audit",)]:
        assert "_delta_log" in refused(world, *arguments)


def test_a_data_file_that_may_not_be_read_is_named_and_the_others_merge(world: Shopstream) -> None:
    files = [path for path in (world.lake / BRONZE).rglob("*.parquet") if "_delta_log" not in path.parts]
    # ASIA has one file only, which nothing merges.
    unreadable = next(path for path in files if "region=US" in path.parts)
    unreadable.chmod(0o000)
    found = run(world, "table", "verify", BRONZE)
    assert found.returncode == 3 and unreadable.name in found.stdout and "Permission denied" in found.stdout, found
    assert unreadable.name in refused(world, "table", "optimize", BRONZE)
    assert len(list((world.lake / BRONZE).rglob("*.parquet"))) > len(files)


def test_health_of_a_lake_that_may_not_be_read_is_neither_up_nor_down(world: Shopstream) -> None:
    (world.lake / BRONZE / "_delta_log").chmod(0o000)
    done = run(world, "--json", "health")
    rows = {row["component"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0, done
    assert rows["lake"]["state"] == rows["ingest"]["state"] == "not allowed to see", rows
    assert "_delta_log" in rows["lake"]["detail"] and "read the lake" in rows["lake"]["remedy"], rows
