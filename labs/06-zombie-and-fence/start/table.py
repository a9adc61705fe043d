"""A table in a folder: a log of numbered entries, each with rows of one partition. Not to be changed."""

import dataclasses
import json
import os
import pathlib
import signal

FOLDER = pathlib.Path("out")


@dataclasses.dataclass(frozen=True)
class State:
    """What the table is at one moment."""
    version: int  # The number of the newest entry; -1 if there is none.
    next: dict[int, int]  # For each partition, the offset after the last row.


class Table:
    def __init__(self, me: str):
        self.me = me
        self._froze = False
        (FOLDER / "log").mkdir(parents=True, exist_ok=True)

    def read(self) -> State:
        version, following = -1, {}
        while (path := FOLDER / f"log/{version + 1:06}.json").exists():
            version += 1
            entry = json.loads(path.read_text())
            following[entry["partition"]] = entry["end"]
        return State(version, following)

    def put_if_absent(self, version: int, partition: int, begin: int, end: int, rows: list[int]) -> bool:
        """Writes entry `version`, whole. False, and nothing is written, if there is one with this number."""
        if os.environ.get("FREEZE") == "inside" and not self._froze:
            self._froze = True
            os.kill(os.getpid(), signal.SIGSTOP)
        new = FOLDER / f"new-{self.me}"
        new.write_text(json.dumps({"by": self.me, "partition": partition, "begin": begin, "end": end, "rows": rows}))
        try:
            os.link(new, FOLDER / f"log/{version:06}.json")  # Fails if the name exists.
            return True
        except FileExistsError:
            return False
        finally:
            new.unlink()

    # A lease on a partition: the sink that started last holds it.

    def take_lease(self, partition: int) -> None:
        (FOLDER / f"lease-{partition}").write_text(self.me)

    def holds_lease(self, partition: int) -> bool:
        return (FOLDER / f"lease-{partition}").read_text() == self.me
