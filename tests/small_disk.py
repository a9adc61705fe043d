"""A small file system that a test fills up or makes read-only. Mounts, so it needs root."""

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator

from waiting import wait_until

DISK_BYTES = 8 << 20


class Disk:
    """A small file system for this test only."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir()
        mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "shopstream-test", folder)

    def fill(self) -> None:
        """Takes all free space; operations that need none continue."""
        with open(self._ballast, "ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12):
                try:
                    while True:
                        ballast.write(b"\0" * size)
                except OSError as error:
                    assert error.errno == 28, error

    def free(self) -> None:
        self._ballast.unlink()

    def make(self, mode: str) -> None:
        """ro or rw. Busy while a file is open for writing, which is always brief."""
        wait_until(lambda: subprocess.run(["mount", "-o", f"remount,{mode}", self.folder],
                                          capture_output=True).returncode == 0, 20, f"the disk is {mode}")

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", self.folder], check=True)


def mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, f"these tests need root, to mount: {done.stderr}"


@contextlib.contextmanager
def small_disk(folder: pathlib.Path) -> Iterator[Disk]:
    disk = Disk(folder)
    try:
        yield disk
    finally:
        disk.unmount()
