"""Proves a lab: untouched it fails, with each common wrong answer it fails for its own reason, with its solution it passes."""

import concurrent.futures
import pathlib
import resource
import time

from cluster import Cluster
from runner.bench import Bench
from runner.course import Lab
from runner.finding import Finding
from runner.progress import Attempt

MOST_MACHINE_SECONDS = 40  # Of processor time, without Kafka's.


def proves(lab: Lab, cluster: Cluster, tmp_path: pathlib.Path, at_a_time: int = 1) -> None:
    """`at_a_time`: answers that are tried side by side. Much of a lab is waiting for Kafka."""
    before = machine_seconds()
    answers = ["", *(f"wrong/{name}" for name in lab.wrong), "solution"]
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as students:
        found = dict(zip(answers, students.map(lambda answer: tried(lab, cluster, tmp_path, answer), answers), strict=True))
    assert not found[""].passed, found[""]
    for name, told in lab.wrong.items():
        finding = found[f"wrong/{name}"]
        text = f"{finding.saw} {finding.expected} {finding.example}"
        assert not finding.passed, (name, finding)
        assert told in text, (name, finding)
        assert [other for other in lab.wrong if lab.wrong[other] in text] == [name]
    solved = found["solution"]
    assert solved.passed, solved
    used = machine_seconds() - before
    print(f"{lab.name}: {used:.1f} s of processor time")
    assert used < MOST_MACHINE_SECONDS
    shown = [finding for finding in found.values() if finding.answer]
    assert shown[-1] is solved and all(finding.evidence for finding in shown)
    assert {finding.answer for finding in shown} == {lab.prediction.accepted(solved.answer)}, shown


def tried(lab: Lab, cluster: Cluster, tmp_path: pathlib.Path, answer: str) -> Finding:
    """What the checker finds after a student did what is in the folder `answer` of the lab: files, and steps.sh."""
    token = f"{abs(hash((lab.name, answer, time.monotonic()))) % 16**6:06x}"
    bench = Bench(lab, Attempt(token=token, seed=7, prediction="a"), cluster, tmp_path / token)
    bench.lay_out()
    began = time.monotonic()
    lab.code().start(bench)
    started = time.monotonic()
    if answer:
        bench.put(lab.folder / answer)
        if (steps := bench.folder / "steps.sh").exists():
            bench.run("bash", "-e", steps)
    done = time.monotonic()
    finding = lab.code().check(bench)
    print(f"{lab.name} {answer or 'untouched'}: start {started - began:.1f} s, steps {done - started:.1f} s, "
          f"check {time.monotonic() - done:.1f} s\n  {finding}")
    bench.clear()
    return finding


def machine_seconds() -> float:
    """Of this process and those that it has waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
