"""Runs libFuzzer on every target of fuzz/, several at a time, starting from fuzz/corpus/.

    fuzz.py [--seconds N] [--keep] [TARGET...]

What a target finds is in build/fuzz/found/TARGET and is continued by the next run; inputs that break a guarantee are in
build/fuzz/broken/TARGET, and the exit code is then 1. --keep adds to fuzz/corpus what reaches code that the corpus did
not reach before; the unit tests replay it from then on.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from places import ROOT

CORPUS = ROOT / "fuzz/corpus"
BUILD = ROOT / "build/fuzz"
MOST_BYTES = 4096  # Of an input; as in fuzz/replay_test.cc.
MEMORY_MIB = 2048
SECONDS_TO_MERGE = 600
SECONDS_FOR_AN_INPUT = 60
LEEWAY = 120  # Seconds that a run may take beyond its time, for its start and its last input.


class Target:
    def __init__(self, name: str):
        self.name = name
        self.found = BUILD / "found" / name
        self.broken = BUILD / "broken" / name
        self.log = BUILD / f"{name}.log"
        for folder in (self.found, self.broken):
            folder.mkdir(parents=True, exist_ok=True)

    def run(self, *arguments: str, timeout: float) -> bool:
        command = [str(BUILD / f"fuzz/{self.name}_fuzz"), f"-max_len={MOST_BYTES}", f"-rss_limit_mb={MEMORY_MIB}",
                   f"-timeout={SECONDS_FOR_AN_INPUT}", f"-artifact_prefix={self.broken}/", *arguments]
        with open(self.log, "a") as log:
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=timeout)
            except subprocess.TimeoutExpired:
                print(f"did not end within {timeout:.0f} s", file=log)
                return False
            return done.returncode == 0

    def look(self, seconds: int) -> bool:
        well = self.run(f"-max_total_time={seconds}", "-print_final_stats=1", str(self.found),
                        str(CORPUS / self.name), timeout=seconds + LEEWAY)
        found = sum(1 for _ in self.found.iterdir())
        verdict = "ok" if well else f"broken, see {self.log} and {self.broken}"
        print(f"fuzz: {self.name}: {verdict}; {found} inputs found", flush=True)
        return well

    def keep(self) -> bool:
        before = set((CORPUS / self.name).iterdir())
        merged = self.run("-merge=1", str(CORPUS / self.name), str(self.found), timeout=SECONDS_TO_MERGE)
        for path in set((CORPUS / self.name).iterdir()) - before:
            path.rename(path.with_name(f"found_{path.name[:10]}"))
        after = sum(1 for _ in (CORPUS / self.name).iterdir())
        verdict = "" if merged else f"; the merge failed, see {self.log}"
        print(f"fuzz: {self.name}: {after - len(before)} inputs kept{verdict}", flush=True)
        return merged


def main() -> int:
    names = sorted(folder.name for folder in CORPUS.iterdir())
    parser = argparse.ArgumentParser(prog="./run test fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(names)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("--keep", action="store_true", help="add to fuzz/corpus what reaches new code")
    arguments = parser.parse_args()
    for name in arguments.targets:
        if name not in names:
            parser.error(f"there is no target {name}; targets are {', '.join(names)}")
    targets = [Target(name) for name in arguments.targets or names]
    built = subprocess.run([ROOT / "scripts/build", "fuzz", *(f"{target.name}_fuzz" for target in targets)])
    if built.returncode != 0:
        return built.returncode
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        well = list(pool.map(lambda target: target.look(arguments.seconds), targets))
    if arguments.keep:
        well += [target.keep() for target in targets]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
