"""Asks what a long-running command serves over HTTP."""

import re
import urllib.error
import urllib.request

from shopstream import Running
from waiting import wait_until


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def served_at(running: Running) -> str:
    """The address without a path."""
    def found() -> re.Match[str] | None:
        return re.search(r"metrics on (http://\S+)/metrics", running.errors.read_text())

    return wait_until(found, 30, "metrics are served")[1]
