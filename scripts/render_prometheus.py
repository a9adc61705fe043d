"""Writes deploy/prometheus/prometheus.yml and rules.yml from their templates and parameters.toml.

    python3 scripts/render_prometheus.py              after an edit of parameters.toml
    python3 scripts/render_prometheus.py --check      writes nothing; fails if a file is out of date
"""

import argparse
import json
import pathlib
import re
import sys
import tomllib
from collections.abc import Mapping
from typing import Any

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "deploy/prometheus"
PARAMETERS = FOLDER / "parameters.toml"
RENDERED = ("prometheus.yml", "rules.yml")
PLACE = re.compile(r"@([a-z_0-9]+)@")


def shipped() -> dict[str, Any]:
    """The parameters of parameters.toml."""
    return tomllib.loads(PARAMETERS.read_text())


def render(name: str, parameters: Mapping[str, Any]) -> str:
    """The text of prometheus.yml or rules.yml. Each @name@ is a parameter; a list becomes a YAML list."""
    template = (FOLDER / f"{name}.in").read_text()
    missing = {found[1] for found in PLACE.finditer(template)} - set(parameters)
    if missing:
        raise KeyError(f"{name}.in uses parameters that are not given: {', '.join(sorted(missing))}")
    header = f"# Written by scripts/render_prometheus.py from {name}.in and parameters.toml. Edit those.\n"
    return header + PLACE.sub(lambda found: _text(parameters[found[1]]), template)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, list) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/render_prometheus.py")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    outdated = []
    for name in RENDERED:
        path, text = FOLDER / name, render(name, shipped())
        if path.exists() and path.read_text() == text:
            continue
        outdated.append(name)
        if not check:
            path.write_text(text)
            print(f"wrote {path}")
    if check and outdated:
        print(f"out of date: {', '.join(outdated)}. Run scripts/render_prometheus.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
