"""One thing that set-up installs, and running several of them in parallel."""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterable

import phase
from places import DEPS

PACKAGES_STEP = "packages"
STEP_TIMEOUT = 3600  # Seconds for one command; the slowest (MinIO) takes 220 on two idle cores.
# Seconds of each step on two cores, before this machine is known.
SECONDS = {PACKAGES_STEP: 60, "python": 45, "librdkafka": 50, "duckdb": 10, "page": 15, "kafka": 40, "minio": 230,
           "versitygw": 180, "registry-clients": 20, "avro": 15, "apicurio": 30, "mirror": 10, "spark": 90}
LAST_LINES = 20  # Shown from a failed step's log.


class SetupError(Exception):
    """The message says what failed, why, and what to do."""


class Step:
    """One thing to install. It is done while the stamp matches and every one of `makes` exists."""

    def __init__(self, name: str, work: Callable[["Step"], None], inputs: Iterable[str] = (),
                 makes: Iterable[pathlib.Path] = (), needs_packages: bool = False):
        self.name = name
        self.needs_packages = needs_packages
        self._work = work
        self._makes = makes
        self._stamp = DEPS / "stamps" / name
        self._fingerprint = hashlib.sha256("\0".join([str(DEPS), *inputs]).encode()).hexdigest()
        self.log = DEPS / "log" / f"{name}.log"
        self.folder = DEPS / "work" / name

    def done(self) -> bool:
        return (self._stamp.exists() and self._stamp.read_text() == self._fingerprint
                and all(path.exists() for path in self._makes))

    def run(self) -> None:
        self._stamp.unlink(missing_ok=True)
        for folder in (self._stamp.parent, self.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.write_text("")
        self._work(self)
        shutil.rmtree(self.folder)
        self._stamp.write_text(self._fingerprint)

    def command(self, *words: object, cwd: pathlib.Path | None = None,
                environment: dict[str, str] | None = None) -> None:
        """Runs one command, with its output in the step's log."""
        text = " ".join(map(str, words))
        with open(self.log, "a") as log:
            log.write(f"$ {text}\n")
            log.flush()
            try:
                code = subprocess.run(list(map(str, words)), cwd=cwd, stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log, timeout=STEP_TIMEOUT,
                                      env={**os.environ, **(environment or {})}).returncode
            except FileNotFoundError as error:
                raise SetupError(f"{words[0]} is not installed") from error
            except subprocess.TimeoutExpired as error:
                raise SetupError(f"`{text}` did not finish within {STEP_TIMEOUT} s") from error
        if code != 0:
            raise SetupError(f"`{text}` failed with exit code {code}")


@dataclasses.dataclass
class Failure:
    step: Step
    reason: str

    def __str__(self) -> str:
        lines = self.step.log.read_text(errors="replace").splitlines()[-LAST_LINES:] if self.step.log.exists() else []
        return "\n".join([f"error: {self.step.name}: {self.reason}",
                          *(f"    {line}" for line in lines), f"    whole log: {self.step.log}"])


class Schedule:
    """Runs steps in parallel; those that need packages start once the packages are installed."""

    def __init__(self, todo: list[Step]):
        self._todo = todo
        self._started: dict[str, float] = {}
        self._packages_ended = threading.Event()
        self._failures: list[Failure] = []
        self._shown: phase.Phase | None = None

    def run(self) -> list[Failure]:
        self._shown = phase.Phase(f"Setting up: {', '.join(step.name for step in self._todo)}", self._estimate(),
                                  f"; logs in {DEPS / 'log'}", even=False)
        with concurrent.futures.ThreadPoolExecutor(len(self._todo)) as pool:
            waiting = {pool.submit(self._run, step) for step in self._todo}
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, timeout=1)
                for future in done:
                    future.result()
                running = ", ".join(sorted(self._started.copy()))
                self._shown.progress(len(self._todo) - len(waiting), len(self._todo), running)
        if self._failures:
            self._shown.stop()
        else:
            self._shown.end("set up")
        return self._failures

    def _estimate(self) -> float:
        """Packages first; the other steps share the cores, and take at least as long as the longest."""
        times = {step.name: phase.took(f"setup {step.name}", SECONDS.get(step.name, 1)) for step in self._todo}
        packages = times.pop(PACKAGES_STEP, 0)
        return packages + max(sum(times.values()) / (os.cpu_count() or 1), max(times.values(), default=0))

    def _run(self, step: Step) -> None:
        if step.needs_packages:
            self._packages_ended.wait()
            if any(failure.step.name == PACKAGES_STEP for failure in self._failures):
                return
        started = self._started[step.name] = time.monotonic()
        try:
            step.run()
            seconds = time.monotonic() - started
            phase.remember(f"setup {step.name}", seconds)
            self._shown.line(f"{step.name}: {seconds:.0f} s")
        except (SetupError, OSError, tarfile.TarError) as error:
            self._shown.line(f"{step.name}: failed after {time.monotonic() - started:.0f} s")
            self._failures.append(Failure(step, str(error)))
        finally:
            del self._started[step.name]
            if step.name == PACKAGES_STEP:
                self._packages_ended.set()
