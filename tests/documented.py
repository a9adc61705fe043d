"""Finds the commands and runs the Python code in our documents, unchanged."""

import ast
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def section(document: pathlib.Path, *headings: str) -> str:
    """The text below the heading `headings[0]`, below `headings[1]` in it, and so on."""
    text = document.read_text()
    for depth, heading in enumerate(headings, start=2):
        begin = re.search(rf"^{'#' * depth} {re.escape(heading)}$", text, re.MULTILINE)
        assert begin, f"{document} has no section {' / '.join(headings)}"
        end = re.search(rf"^#{{2,{depth}}} ", text[begin.end():], re.MULTILINE)
        text = text[begin.end():begin.end() + end.start()] if end else text[begin.end():]
    return text


def blocks(text: str) -> list[str]:
    return FENCE.findall(text)


def replaced(code: str, replacements: Mapping[str, str]) -> str:
    """Replaces what differs between a reader's machine and a test; every key must occur."""
    for old, new in replacements.items():
        assert old in code, f"{old!r} is not in\n{code}"
        code = code.replace(old, new)
    return code


def run(code: str, names: dict[str, Any]) -> Any:
    """Executes `code` with `names`, which it may extend. Returns the value of its last line, if any."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "document", "exec"), names)
    return eval(compile(ast.Expression(last.value), "document", "eval"), names) if last else None


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command line in the indented blocks, without its comment, and the first line of the output shown below it."""
    lines = [*text.splitlines(), ""]
    for line, following in zip(lines, lines[1:]):
        words = line.removeprefix("    ").removeprefix("$ ")
        if line.startswith("    ") and words.startswith(("./run ", "shopstream ")):
            shown = following.strip() if line.startswith("    $ ") and following.startswith("    ") else ""
            yield words.partition("  #")[0].strip(), shown
