"""zombie.py before|inside|side-by-side: freezes sink A, lets sink B work, and wakes A. Not to be changed."""

import os
import shutil
import signal
import subprocess
import sys

point = sys.argv[1] if len(sys.argv) == 2 else ""
if point not in ("before", "inside", "side-by-side"):
    sys.exit("usage: ./python zombie.py before|inside|side-by-side")


def sink(name: str, partition: int, freeze: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "sink.py", name, str(partition)], env={**os.environ, "FREEZE": freeze})


shutil.rmtree("out", ignore_errors=True)
a = sink("A", 0, "before" if point == "before" else "inside")
if not os.WIFSTOPPED(os.waitpid(a.pid, os.WUNTRACED)[1]):
    sys.exit("sink A has failed")
b = sink("B", 1 if point == "side-by-side" else 0, "")
failed = b.wait()  # B does all the work meanwhile.
os.kill(a.pid, signal.SIGCONT)
failed |= a.wait()
sys.exit("a sink has failed" if failed else 0)
