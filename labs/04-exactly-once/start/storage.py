"""A slow disk: each row takes a while, so that you can kill a program while it writes. Not to be changed."""

import json
import os
import pathlib
import time
from collections.abc import Iterable

from confluent_kafka import Message

SECONDS_PER_ROW = float(os.environ.get("SECONDS_PER_ROW", "0.004"))


def line(message: Message) -> str:
    """One record as a line of out/."""
    return json.dumps({"partition": message.partition(), "offset": message.offset(), "user": message.key().decode()})


def append(path: str, lines: Iterable[str]) -> None:
    """Adds lines to a file. A kill leaves those that were written by then."""
    pathlib.Path(path).parent.mkdir(exist_ok=True)
    with open(path, "ab", buffering=0) as file:
        for text in lines:
            time.sleep(SECONDS_PER_ROW)
            file.write(f"{text}\n".encode())


def write_whole(path: str, lines: Iterable[str]) -> None:
    """Makes a file of these lines, which appears under its name only once it is complete, or replaces it."""
    unfinished = f"{path}.unfinished"
    pathlib.Path(unfinished).unlink(missing_ok=True)
    append(unfinished, lines)
    os.replace(unfinished, path)
