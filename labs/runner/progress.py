"""How far one student is, in one file, which survives a restart of anything."""

import contextlib
import dataclasses
import fcntl
import getpass
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

from places import ROOT


def home() -> pathlib.Path:
    """The student's folder: its own for each login name, or as SHOPSTREAM_LABS says."""
    chosen = os.environ.get("SHOPSTREAM_LABS")
    return pathlib.Path(chosen).absolute() if chosen else ROOT / ".shopstream/labs" / getpass.getuser()


@dataclasses.dataclass
class Attempt:
    """One student's work on one lab. Topic, groups and tables belong to it alone: their names have `token`."""
    token: str = ""  # Empty while it has not been started.
    seed: int = 0
    prediction: str = ""
    hints: int = 0
    checks: int = 0
    passed: bool = False
    gave_up: bool = False
    finding: dict[str, Any] | None = None  # What the last check found.

    @property
    def started(self) -> bool:
        return bool(self.token)


class Progress:
    """A student's attempts, by the lab's name."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self._file = folder / "progress.json"
        self.current = ""  # The lab that was started last.
        self.attempts: dict[str, Attempt] = {}
        with contextlib.suppress(FileNotFoundError):
            found = json.loads(self._file.read_text())
            self.current = found["current"]
            self.attempts = {name: Attempt(**fields) for name, fields in found["labs"].items()}

    def attempt(self, name: str) -> Attempt:
        return self.attempts.setdefault(name, Attempt())

    def save(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"current": self.current, "labs": {
            name: dataclasses.asdict(attempt) for name, attempt in self.attempts.items()}}, indent=1) + "\n")
        new.rename(self._file)


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[None]:
    """A second command of the same student waits until the first is done."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
