"""Programs of tests/java, which call Apache's Avro library for Java, and the drivers whose answers they check."""

import pathlib
import subprocess

from places import DEPS, ROOT

JARS = DEPS / "avro/libs"


def java_program(name: str, classes: pathlib.Path, *flags: str) -> list[str]:
    """Compiles tests/java/NAME.java into the folder, and returns the command that runs it. `flags`: further ones of
    the virtual machine."""
    if not JARS.exists():
        raise FileNotFoundError(f"{JARS} is missing: ./run setup")
    subprocess.run(["javac", "-cp", f"{JARS}/*", "-d", classes, ROOT / f"tests/java/{name}.java"], check=True,
                   timeout=120)
    return ["java", "-XX:+UseSerialGC", *flags, "-cp", f"{JARS}/*:{classes}", name]


def answered(command: list[str | pathlib.Path], text: str) -> str:
    """What the command prints when it is given the text on standard input."""
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()
