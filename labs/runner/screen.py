"""The runner's output: plain text of at most 79 columns."""

import sys
import textwrap

WIDTH = 79


def say(*lines: str) -> None:
    print("\n".join(lines), flush=True)


def warn(text: str) -> None:
    print("\n".join(labelled("", text, 0)), file=sys.stderr, flush=True)


def labelled(label: str, text: str, margin: int = 10) -> list[str]:
    """The text beside its label; further lines are below the first one's text."""
    lines = [line for paragraph in text.splitlines() or [""] for line in
             textwrap.wrap(paragraph, WIDTH - margin, break_long_words=False, break_on_hyphens=False) or [""]]
    return [f"{label if i == 0 else '':{margin}}{line}".rstrip() for i, line in enumerate(lines)]
