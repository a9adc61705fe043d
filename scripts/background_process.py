"""A process that outlives the command that started it, and can later be stopped as exactly that process."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time


def _boot_id() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _identity(pid: int) -> str | None:
    """Identifies one process uniquely: a pid may be reused, pid + start time + boot id may not.

    None if no such process runs; a zombie does not count as running, unless further threads of it still exit: until
    then its ports are taken.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        threads = len(os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # The program's name may contain spaces and brackets.
    state, start_ticks = fields[0], fields[19]
    if state in "ZX" and threads <= 1:
        return None
    return f"{pid} {start_ticks} {_boot_id()}"


class BackgroundProcess:
    """One process with its own folder: `pid` (its identity) and `output.log` (its output).

    Any later BackgroundProcess with the same folder refers to the same process.
    """

    def __init__(self, name: str, folder: pathlib.Path):
        self.name = name
        self.folder = folder
        self.output = folder / "output.log"
        self._pid_file = folder / "pid"
        self._child: subprocess.Popen | None = None

    def start(self, command: list[str], environment: dict[str, str] | None = None,
              cwd: pathlib.Path | None = None) -> None:
        """Starts `command` in a new session, so that Ctrl-C here does not reach it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.output, "wb") as output:
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd,
                env=environment, start_new_session=True)
        identity = _identity(self._child.pid)
        if identity is not None:
            self._pid_file.write_text(identity)

    def pid(self) -> int | None:
        """The pid while the very process that was started is still running, else None."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        try:
            recorded = self._pid_file.read_text()
        except FileNotFoundError:
            return None
        pid = int(recorded.split()[0]) if recorded else 0
        return pid if pid and _identity(pid) == recorded else None

    def running(self) -> bool:
        return self.pid() is not None

    def runs_since_before(self, *files: pathlib.Path) -> bool:
        """Whether it runs, and was started before one of these files was written."""
        return self.running() and any(file.stat().st_mtime_ns > self._pid_file.stat().st_mtime_ns for file in files)

    def signal(self, number: int) -> bool:
        """False if there was no process to signal."""
        pid = self.pid()
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def wait(self, timeout: float) -> bool:
        """True once the process has exited."""
        deadline = time.monotonic() + timeout
        while self.running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        self._pid_file.unlink(missing_ok=True)
        return True

    def kill(self, timeout: float = 10) -> bool:
        """SIGKILL. False if it had already exited; raises if it does not exit within `timeout`."""
        was_running = self.signal(signal.SIGKILL)
        if not self.wait(timeout):
            raise TimeoutError(f"{self.name} (pid {self.pid()}) is still running {timeout:.0f} s after SIGKILL")
        return was_running

    def last_output(self, lines: int = 15) -> str:
        return tail(self.output, lines)


def tail(path: pathlib.Path, lines: int) -> str:
    try:
        text = path.read_text(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
