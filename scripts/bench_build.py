"""Measures the cost of compiling the program from scratch, in a separate folder and without ccache.

As a compiler launcher (`bench_build.py LOG COMMAND...`) it runs one command and appends the CPU time it took, and the
file that it wrote, to LOG.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from places import DEPS, ROOT

TOUCHED = "src/lake/delta/table.cc"  # Much of the program calls it.
SLOWEST = 10


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def launch(log: str, command: list[str]) -> int:
    code = subprocess.call(command)
    output = command[command.index("-o") + 1] if "-o" in command else "?"
    with open(log, "a", encoding="utf-8") as lines:
        lines.write(f"{children_cpu():.2f} {output}\n")
    return code


def ninja(folder: pathlib.Path) -> tuple[float, float]:
    """CPU and wall seconds of building the program."""
    cpu, begun = children_cpu(), time.monotonic()
    subprocess.run(["ninja", "-C", folder, "-j", str(os.cpu_count()), "shopstream"], check=True,
                   stdout=subprocess.DEVNULL)
    return children_cpu() - cpu, time.monotonic() - begun


def measure(say: Callable[..., None]) -> None:
    print("the program's release build from scratch, without ccache", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "build", prefix="bench-build-"))
    log = folder / "cpu.log"
    before = (ROOT / TOUCHED).stat()
    try:
        launcher = f"{sys.executable};{pathlib.Path(__file__).resolve()};{log}"
        subprocess.run(["cmake", "--preset", "release", "-B", folder, f"-DSHOPSTREAM_DEPS={DEPS}",
                        f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}"],
                       check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        cpu, wall = ninja(folder)
        costs = sorted(((float(cost), output) for cost, output in map(str.split, log.read_text().splitlines())),
                       reverse=True)
        (ROOT / TOUCHED).touch()
        _, again = ninja(folder)
    finally:
        os.utime(ROOT / TOUCHED, ns=(before.st_atime_ns, before.st_mtime_ns))  # Other builds need not rebuild it.
        shutil.rmtree(folder)
    compiling = sum(cost for cost, _ in costs)
    files = sum(not path.stem.endswith("_test") and "simulate" not in path.parts
                for path in (ROOT / "src").rglob("*.cc"))
    say("CPU", f"{cpu:.0f} s", "at most 330")
    say("wall", f"{wall:.0f} s", f"on {os.cpu_count()} cores")
    say(".cc files", f"{files}", f"compiled as {len(costs)}")
    say("CPU per .cc", f"{compiling / files:.2f} s", "at most 3")
    say(f"after touching {TOUCHED}, wall", f"{again:.1f} s", "at most 15, including linking")
    for cost, output in costs[:SLOWEST]:
        parts = [part for part in pathlib.Path(output).parts if not part.endswith((".dir", "CMakeFiles"))]
        say("/".join(parts).removesuffix(".o"), f"{cost:.1f} s", "of CPU")


if __name__ == "__main__":
    sys.exit(launch(sys.argv[1], sys.argv[2:]))
