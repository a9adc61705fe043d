"""What a program prints on a terminal of a given width."""

import contextlib
import os
import pty
import subprocess
import termios
from collections.abc import Mapping, Sequence


def shown_on_a_terminal(columns: int, command: Sequence[object], environment: Mapping[str, str]) -> str:
    outer, inner = pty.openpty()
    termios.tcsetwinsize(inner, (24, columns))
    coloured = {name: value for name, value in environment.items() if name != "NO_COLOR"}
    with subprocess.Popen([str(word) for word in command], env={**coloured, "TERM": "xterm"}, stdout=inner,
                          stderr=subprocess.DEVNULL) as program:
        os.close(inner)
        text = b""
        with contextlib.suppress(OSError):  # Linux reports the end of a terminal as an error.
            while piece := os.read(outer, 65_536):
                text += piece
        program.wait(30)
    os.close(outer)
    return text.decode()
