"""`shopstream query` alone: a prompt on a terminal, and statements from standard input without one."""

import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator

import pyarrow as pa
import pytest

from cluster import BINARY
from driven_lake import Lake
from waiting import wait_until

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
LONG = "SELECT count(*) FROM range(100000000) a, range(1000000) b;"
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake(tmp_path_factory.mktemp("prompt") / "lake")
    made.append("bronze-events", pa.RecordBatch.from_pylist(
        [{"id": n, "product_name": f"tea {n}", "region": "EU"} for n in range(7)]), partitions="region")
    return made


class Prompt:
    """What a person sees and types."""

    def __init__(self, lake: Lake, home: pathlib.Path, *arguments: str):
        self._outer, inner = pty.openpty()
        termios.tcsetwinsize(inner, (24, 120))
        self._seen = ""
        self.program = subprocess.Popen(
            [BINARY, "--set", f"lake.uri={lake.folder}", "query", *arguments], stdin=inner, stdout=inner, stderr=inner,
            env={**ENVIRONMENT, "HOME": str(home), "TERM": "xterm", "TMPDIR": str(home), "LC_ALL": "C.UTF-8"},
            start_new_session=True, preexec_fn=take_terminal)
        os.close(inner)
        self.wait_for("shopstream> ")

    def _read(self) -> None:
        if select.select([self._outer], [], [], 0.1)[0]:
            with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error.
                self._seen += os.read(self._outer, 65_536).decode(errors="replace")

    def wait_for(self, words: str, timeout: float = 20) -> str:
        """What was shown up to the words; later calls look behind them."""
        def look() -> bool:
            self._read()
            return words in self._plain()
        wait_until(look, timeout, f"the terminal shows {words!r}; it shows {self._seen!r}", interval=0)
        text = self._plain()
        end = text.index(words) + len(words)
        self._seen = text[end:]
        return text[:end]

    def _plain(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", self._seen)

    def type(self, text: str) -> None:
        os.write(self._outer, text.encode())

    def ask(self, text: str) -> str:
        """The answer to a line, up to the next prompt."""
        self.type(text + "\n")
        self.wait_for("\n")
        return self.wait_for("shopstream> ")

    def end(self) -> int:
        deadline = time.monotonic() + 20
        while self.program.poll() is None and time.monotonic() < deadline:
            self._read()
        return self.program.wait(1)

    def close(self) -> None:
        self.program.kill()
        self.program.wait(10)
        os.close(self._outer)


def take_terminal() -> None:
    """The terminal becomes the program's own, so that Ctrl-C is a signal to it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextlib.contextmanager
def prompt(lake: Lake, home: pathlib.Path, *arguments: str) -> Iterator[Prompt]:
    shown = Prompt(lake, home, *arguments)
    try:
        yield shown
    finally:
        shown.close()


def test_statements_end_with_a_semicolon_and_may_have_lines(lake: Lake, tmp_path: pathlib.Path) -> None:
    with prompt(lake, tmp_path) as shown:
        answer = shown.ask("SELECT count(*) AS orders FROM bronze_events;")
        assert re.search(r"orders\s+7\s+1 row", answer) and "bronze_events at version 1" in answer
        shown.type("SELECT ';' AS sign,\n")
        shown.wait_for("...> ")
        shown.type("  41 + 1 AS answer -- ;\n")
        shown.wait_for("...> ")
        assert "42" in shown.ask(";")
        assert "there is no table nowhere" in shown.ask("SELECT * FROM nowhere;")
        assert "queries only read" in shown.ask("CREATE TABLE x (a INTEGER);")
        assert "caf\u00e9" in shown.ask("SELECT 'caf\u00e9' AS place;")
        shown.type(".quit\n")
        assert shown.end() == 0


def test_every_statement_reads_the_lake_as_it_is_then(lake: Lake, tmp_path: pathlib.Path) -> None:
    own = Lake(tmp_path / "lake")
    row = pa.RecordBatch.from_pylist([{"id": 1, "region": "EU"}])
    own.append("bronze-events", row, partitions="region")
    with prompt(own, tmp_path) as shown:
        assert re.search(r"n\s+1\s", shown.ask("SELECT count(*) AS n FROM bronze_events;"))
        own.append("bronze-events", row, partitions="region")
        assert re.search(r"n\s+2\s", shown.ask("SELECT count(*) AS n FROM bronze_events;"))


def test_the_commands_of_the_prompt(lake: Lake, tmp_path: pathlib.Path) -> None:
    with prompt(lake, tmp_path) as shown:
        assert "bronze_events" in shown.ask(".tables")
        schema = shown.ask(".schema bronze_events")
        assert "product_name" in schema and "VARCHAR" in schema
        assert "1 row" not in shown.ask(".timer off") + shown.ask("SELECT 1;")
        assert "1 row" in shown.ask(".timer on") + shown.ask("SELECT 1;")
        assert ".schema NAME" in shown.ask(".help")
        unknown = shown.ask(".no")
        assert "unknown: .no" in unknown and ".schema NAME" in unknown
        shown.type(CTRL_D)
        assert shown.end() == 0


def test_ctrl_c_ends_the_query_and_not_the_prompt(lake: Lake, tmp_path: pathlib.Path) -> None:
    with prompt(lake, tmp_path) as shown:
        for _ in range(2):
            shown.type(LONG + "\n")
            wait_until(lambda: any(tmp_path.glob("shopstream*")), 20, "the engine starts")
            begin = time.monotonic()
            shown.type(CTRL_C)
            assert "interrupted" in shown.wait_for("shopstream> ")
            assert time.monotonic() - begin < 10
            assert "42" in shown.ask("SELECT 41 + 1;")
        shown.type("SELECT 1,\n")
        shown.wait_for("...> ")
        shown.type("half a line" + CTRL_C)
        shown.wait_for("shopstream> ")
        assert "43" in shown.ask("SELECT 42 + 1;")
        shown.program.send_signal(signal.SIGTERM)
        assert shown.end() == 130


def test_the_history_survives_the_prompt_and_is_private(lake: Lake, tmp_path: pathlib.Path) -> None:
    with prompt(lake, tmp_path) as shown:
        shown.ask("SELECT 41 + 1 AS first;")
        shown.ask("SELECT 2 AS second;")
        shown.type(CTRL_D)
        assert shown.end() == 0
    file = tmp_path / ".shopstream_history"
    assert file.stat().st_mode & 0o777 == 0o600
    with prompt(lake, tmp_path) as shown:
        # What is shown of an earlier line is only what differs from the one before.
        assert re.search(r"first\s+42\s", shown.ask(UP + UP))


def test_names_are_completed(lake: Lake, tmp_path: pathlib.Path) -> None:
    with prompt(lake, tmp_path) as shown:
        shown.type("SELECT count(*) FROM BRON" + TAB)
        shown.wait_for("bronze_events")
        shown.type("WHERE prod" + TAB)
        shown.wait_for("product_name")
        assert re.search(r"count_star\(\)\s+7\s", shown.ask("IS NOT NULL;"))
        shown.type("sel" + TAB)
        shown.wait_for("select")
        assert "44" in shown.ask("44;")


def run(lake: Lake, *arguments: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BINARY, "--set", f"lake.uri={lake.folder}", "query", *arguments], env=ENVIRONMENT,
                          input=stdin, capture_output=True, text=True, timeout=60)


def test_without_a_terminal_statements_come_from_standard_input(lake: Lake) -> None:
    done = run(lake, "--format", "csv", stdin="SELECT count(*) AS n FROM bronze_events")
    assert (done.returncode, done.stdout) == (0, "n\n7\n"), done.stderr
    nothing = run(lake, stdin="")
    assert nothing.returncode == 1 and "stdin has no SQL statement" in nothing.stderr


def test_ctrl_c_ends_the_wait_for_standard_input(lake: Lake) -> None:
    with tempfile.TemporaryFile() as errors, subprocess.Popen(
            [BINARY, "--set", f"lake.uri={lake.folder}", "query", "-f", "-"], env=ENVIRONMENT, stdin=subprocess.PIPE,
            stderr=errors) as program:
        # The handlers are installed first of all; a signal before that kills it with another code.
        wait_until(lambda: handles_interrupts(program.pid), 20, "the program has started")
        program.send_signal(signal.SIGINT)
        assert program.wait(10) == 130
        errors.seek(0)
        assert errors.read() == b"shopstream: interrupted while reading standard input\n"


def handles_interrupts(pid: int) -> bool:
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"SigCgt:\s*([0-9a-f]+)", status)[1], 16)
    return bool(caught >> (signal.SIGINT - 1) & 1)
