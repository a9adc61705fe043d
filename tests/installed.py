"""The program as `cmake --install` puts it into a folder."""

import pathlib
import subprocess

import pytest

from places import ROOT


def install(temporary: pytest.TempPathFactory) -> pathlib.Path:
    """The prefix."""
    folder = temporary.mktemp("installed") / "usr"
    subprocess.run(["cmake", "--install", ROOT / "build/release", "--prefix", folder], check=True, capture_output=True,
                   timeout=60)
    return folder
