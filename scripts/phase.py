"""What a long command shows of its phases: one line with an estimate, how far it is, and how long it took."""

import contextlib
import json
import os
import time

from places import DEPS

TIMES = DEPS / "log/times.json"  # What phases took on this machine, in seconds, by name.
LINES = 4  # At most this many progress lines if the output is not a terminal,
SHORT = 10  # and none before this many seconds.
WIDTH = 80  # Columns of a terminal that does not report its width.
CLEAR_LINE = "\r\x1b[K"


def took(name: str, default: float) -> float:
    """What this phase took last time."""
    try:
        return float(json.loads(TIMES.read_text())[name])
    except (OSError, ValueError, LookupError, TypeError):  # Nothing is known of this machine yet.
        return default


def remember(name: str, seconds: float) -> None:
    known = {}
    with contextlib.suppress(OSError, ValueError):
        known = dict(json.loads(TIMES.read_text()))
    with contextlib.suppress(OSError):  # Only estimates need it, so a folder that cannot be written is not an error.
        TIMES.parent.mkdir(parents=True, exist_ok=True)
        new = TIMES.with_name(f"times.json.{os.getpid()}")
        new.write_text(json.dumps({**known, name: round(seconds, 2)}, indent=1) + "\n")
        new.rename(TIMES)


def duration(seconds: float) -> str:
    """"40 s", "13 min": as exact as an estimate is."""
    if seconds < 10:
        return f"{max(seconds, 1):.0f} s"
    return f"{round(seconds, -1):.0f} s" if seconds < 95 else f"{seconds / 60:.0f} min"


def show_passing(line: str) -> None:
    """On a terminal, until the next line; cut to its width."""
    columns = os.get_terminal_size(1).columns or WIDTH
    print(f"{CLEAR_LINE}{line[:columns - 1]}", end="", flush=True)


class Phase:
    """On a terminal the progress is one line that changes; elsewhere, at most one line for each quarter."""

    def __init__(self, title: str, estimate: float, note: str = "", even: bool = True):
        """even: every step takes about as long as any other, so that the first ones show how long the rest takes."""
        self._started = time.monotonic()
        self._estimate = estimate
        self._even = even
        self._terminal = os.isatty(1)
        self._quarter = 0
        print(f"{title} (about {duration(estimate)}{note})", flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def progress(self, done: int, total: int, text: str = "") -> None:
        if done == total:
            return
        quarter = LINES * done // total
        line = f"  [{done}/{total}] {text}{', ' if text else ''}{self._left(done / total)}"
        if self._terminal:
            show_passing(line)
        elif quarter > self._quarter and self.seconds > SHORT:
            print(line, flush=True)
        self._quarter = quarter

    def line(self, text: str) -> None:
        """A line that stays."""
        print(f"{self._clear()}  {text}", flush=True)

    def end(self, text: str = "done") -> None:
        self.line(f"{text} in {duration(self.seconds)}")

    def stop(self) -> None:
        """Prints nothing: the caller reports the failure."""
        print(self._clear(), end="", flush=True)

    def _left(self, share: float) -> str:
        """From a tenth on, what was measured here replaces the estimate."""
        if self._even:
            expected = self.seconds / share if share >= 0.1 else self._estimate
            return f"about {duration(expected * (1 - share))} left"
        left = self._estimate - self.seconds
        return f"about {duration(left)} left" if left > 0 else f"{duration(self.seconds)} so far"

    def _clear(self) -> str:
        return CLEAR_LINE if self._terminal else ""
