"""The installed program as an image runs it: nobody's user id, no capabilities, a root that cannot be written."""

import pathlib
import re

import pytest

from installed import install
from probes import get
from shopstream import Running, Shopstream
from waiting import wait_until

NOBODY = 65534
COUNT = 500
# $0: what is installed. Nobody may not enter the folders of tests, so it is mounted where everybody may.
CONFINED = f"""set -e
mount --make-rprivate /
mount -t tmpfs -o mode=0755 shopstream-test /mnt
mkdir /mnt/usr /mnt/lib
mount --bind "$0" /mnt/usr
chown {NOBODY}:{NOBODY} /mnt/lib
mount -o remount,bind,ro /
mount -t tmpfs -o mode=1777 shopstream-test /tmp
cd /mnt/lib
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""
# Nobody may write to the folder in which the programs start, and to /tmp.
PIPELINE = """set -e
shopstream=/mnt/usr/bin/shopstream
! touch /mnt/usr/file /var/tmp/file 2>/dev/null
$shopstream ingest --until-caught-up
$shopstream refine
$shopstream query 'SELECT count(*) AS n FROM silver_events'
exec $shopstream console
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return install(tmp_path_factory)


def confined(world: Shopstream, installed: pathlib.Path, folder: str, *command: str, **settings: str) -> Running:
    """These tests need root, to mount."""
    (world.folder / folder).mkdir()
    environment = world.environment(SHOPSTREAM_LAKE_URI="/mnt/lib/lake", SHOPSTREAM_REFINE_STATE_FOLDER="/mnt/lib/refine",
                                    **settings)
    return Running(["unshare", "--mount", "bash", "-c", CONFINED, str(installed), *command], environment,
                   world.folder / folder)


def address_of(running: Running, after: str) -> str:
    def found() -> re.Match[str] | None:
        assert running.running(), running.words()
        return re.search(rf"{after} (http://[\d.:]+)", running.errors.read_text())

    return wait_until(found, 60, "it serves")[1]


def test_it_fills_and_shows_a_lake(shopstream: Shopstream, installed: pathlib.Path) -> None:
    shopstream.run("topics", "setup")
    shopstream.run("schema", "register")
    shopstream.run("generate", "--count", COUNT)
    running = confined(shopstream, installed, "pipeline", "sh", "-c", PIPELINE, SHOPSTREAM_CONSOLE_LISTEN="127.0.0.1:0")
    try:
        address = address_of(running, "open")
        assert running.output.read_text().endswith(f"n\n{COUNT}\n"), running.words()
        assert "bronze-events" in get(f"{address}/api/tables")[1]
        status = pathlib.Path(f"/proc/{running.pid}/status").read_text()
        assert f"Uid:\t{NOBODY}\t{NOBODY}\t" in status and set(re.findall(r"Cap\w+:\s+(\w+)", status)) == {"0" * 16}
        assert running.stop() == 0, running.words()
    finally:
        running.kill()


def test_it_serves_schemas(shopstream: Shopstream, installed: pathlib.Path) -> None:
    shopstream.run("schema", "register")
    running = confined(shopstream, installed, "registry", "/mnt/usr/bin/shopstream", "registry",
                       SHOPSTREAM_REGISTRY_LISTEN="127.0.0.1:0")
    try:
        subjects = f"{address_of(running, 'on')}/subjects"
        wait_until(lambda: f"{shopstream.topic}-value" in get(subjects)[1], 30, "the registry has read its topic")
        assert running.stop() == 0, running.words()
    finally:
        running.kill()
