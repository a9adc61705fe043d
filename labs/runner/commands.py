"""./run lab: the commands.

    lab                       list the labs, with progress
    lab N [--watch]           start lab N, or show it again; --watch: also check after each change
    lab predict ANSWER        answer the lab's question, before the experiment
    lab check [--watch]       look at the lab's state
    lab hint                  the next of three hints
    lab reset                 start over, with a new topic, lake and seed
    lab solution [--give-up]  after a pass, or with --give-up
    lab stop                  delete the lab's topic, groups, folder and own brokers, but not whether it was passed
    lab new NAME              a new lab, from a template
    lab --json ...            the same for programs: runner/answers.py

All but the first two and the last take the number of a lab as well; by default they mean the lab of the folder whose
./lab was run, or the one that was started last.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import random
import re
import shutil
import sys
import time
from collections.abc import Sequence

from confluent_kafka import KafkaException

from cluster import Cluster, ClusterError, cluster_of
from places import CLUSTER
from ports import Asked
from runner import screen
from runner.bench import Bench
from runner.course import FOLDER, LABS, SHARED, Lab, LabError, all_labs, find
from runner.finding import Finding
from runner.own_cluster import own_cluster, remove
from runner.progress import Attempt, Progress, alone, home

DONE, FAILED, USAGE, DIFFERS, INTERRUPTED = 0, 1, 2, 3, 130  # As those of shopstream.
LOOK_EVERY = 1.0  # Seconds between two looks of --watch.


class Student:
    """One student on one cluster; `lab` is the one that the command is about."""

    def __init__(self, cluster: Cluster, folder: pathlib.Path, labs: pathlib.Path = LABS):
        self.cluster = cluster
        self.labs = labs
        self.progress = Progress(folder)
        self._ends: dict[int, int] = {}  # Of the topic's partitions, as --watch last saw them.

    def lab(self, number: int | None) -> Lab:
        if number is None and (here := os.environ.get("SHOPSTREAM_LAB", "")).isdecimal():
            number = int(here)  # From ./lab in a lab's folder.
        if number is not None:
            return find(number, self.labs)
        for lab in all_labs(self.labs):
            if lab.name == self.progress.current:
                return lab
        raise LabError("no lab is started: ./run lab lists them, ./run lab 4 starts one")

    def attempt(self, lab: Lab) -> Attempt:
        found = self.progress.attempt(lab.name)
        if not found.started:
            raise LabError(f"lab {lab.number} is not started: ./run lab {lab.number}")
        return found

    def bench(self, lab: Lab) -> Bench:
        """Where the attempt is; its cluster may not run."""
        cluster = self.cluster if lab.cluster == SHARED else own_cluster(lab, self.progress.folder)
        return Bench(lab, self.attempt(lab), cluster, self.progress.folder)

    def ready_bench(self, lab: Lab) -> Bench:
        found = self.bench(lab)
        found.insist_on_cluster()
        return found

    # Commands.

    def list(self) -> int:
        screen.say("  lab  concept                                             minutes  progress")
        for lab in all_labs(self.labs):
            screen.say(f"  {lab.number:3}  {lab.concept:50}  {lab.minutes:7}  {standing(self.progress.attempt(lab.name))}")
        for lab in filter(self._runs, all_labs(self.labs)):
            screen.say("", f"The brokers of lab {lab.number} run: ./run lab stop {lab.number} stops them.")
        screen.say("", "./run lab N starts one; ./run lab --help lists the other commands.")
        return DONE

    def start(self, lab: Lab) -> int:
        attempt = self.progress.attempt(lab.name)
        self.progress.current = lab.name
        if attempt.started:
            self.progress.save()
            if lab.cluster != SHARED:
                self.ready_bench(lab)  # The machine may have been restarted.
            screen.say(lab.page(), "")
        else:
            self._prepare(lab, attempt)
            screen.say(lab.page(), "")
        self._show_place(lab)
        self._ask(lab, attempt)
        return DONE

    def _runs(self, lab: Lab) -> bool:
        """Whether it has brokers that only it uses."""
        return lab.cluster != SHARED and bool(own_cluster(lab, self.progress.folder).running())

    def _prepare(self, lab: Lab, attempt: Attempt) -> None:
        attempt.token = f"{random.SystemRandom().randrange(16**6):06x}"
        attempt.seed = random.SystemRandom().randrange(1, 10**6)
        bench = self.bench(lab)
        try:
            bench.insist_on_cluster()
            bench.lay_out()
            lab.code().start(bench)
        except BaseException:  # Nobody would know the names of what is left.
            self._clear(lab)
            raise
        self.progress.save()  # Not before: a start that failed is no start.

    def _clear(self, lab: Lab, keep_folder: bool = False) -> None:
        """A cluster that the lab has to itself goes, with all that it has."""
        bench = self.bench(lab)
        if lab.cluster == SHARED:
            bench.insist_on_cluster()
            bench.clear(keep_folder)
        else:
            remove(lab, self.progress.folder)
            bench.clear_folder(keep_folder)

    def _show_place(self, lab: Lab) -> None:
        bench = self.bench(lab)
        screen.say(f"topic     {bench.topic}", f"folder    {shorter(bench.folder)}",
                   "          Run the commands there: cd to it first.")
        if lab.cluster != SHARED:
            screen.say(f"brokers   {bench.cluster.bootstrap_servers}",
                       "          Only this lab uses them: ./brokers shows them, ./lab stop stops them.")
        screen.say("")

    def _ask(self, lab: Lab, attempt: Attempt) -> None:
        if attempt.prediction:
            screen.say(*screen.labelled("", f"You predicted {lab.prediction.in_words(attempt.prediction)}.", 0))
            return
        screen.say("Predict first.", *question(lab), "")
        if not sys.stdin.isatty():
            screen.say(f"Answer with: ./lab predict ANSWER   ({lab.prediction.possible()})")

    def prompt(self, lab: Lab) -> None:
        """Lets a student at a terminal answer immediately. Not under the lock: they may take their time."""
        if self.progress.attempt(lab.name).prediction or not sys.stdin.isatty():
            return
        answer = None
        try:
            while answer is None:
                answer = lab.prediction.accepted(input(f"Your answer ({lab.prediction.possible()}): "))
        except EOFError:
            screen.say("", "Later, then: ./lab predict ANSWER")
            return
        with alone(self.progress.folder):
            self.progress = Progress(self.progress.folder)
            self.predict(lab, answer)

    def predict(self, lab: Lab, text: str) -> int:
        attempt = self.attempt(lab)
        if attempt.checks:
            raise LabError("the experiment has begun, so a prediction comes too late; ./lab reset starts over")
        answer = lab.prediction.accepted(text)
        if answer is None:
            raise LabError(f"{text!r} is not an answer; it is {lab.prediction.possible()}")
        attempt.prediction = answer
        self.progress.save()
        screen.say("Kept. A check confronts it with the result, once there is one.")
        return DONE

    def check(self, lab: Lab) -> int:
        attempt = self.attempt(lab)
        if not attempt.prediction:
            screen.say("Predict first, so that the result can surprise you:", *question(lab), "",
                       f"Answer with: ./lab predict ANSWER   ({lab.prediction.possible()})")
            return DIFFERS
        bench = self.ready_bench(lab)
        if not bench.folder.exists():
            raise LabError(f"{shorter(bench.folder)} is gone: ./run lab reset {lab.number} starts over")
        finding: Finding = lab.code().check(bench)
        attempt.checks += 1
        attempt.finding = dataclasses.asdict(finding)
        first = finding.passed and not attempt.passed
        attempt.passed = attempt.passed or finding.passed
        self.progress.save()
        show(lab, attempt, finding)
        if first:
            screen.say("", lab.text("after.md"), "", "./lab solution shows how others solve it.")
        elif not finding.passed and attempt.checks >= 3 and not attempt.hints:
            screen.say("", "./lab hint gives the first of three hints.")
        return DONE if finding.passed else DIFFERS

    def watch(self, lab: Lab) -> int:
        """Checks after each change of the student's files, the prediction, the topic or the lake, until the lab is passed."""
        seen = None
        while True:
            with alone(self.progress.folder):
                self.progress = Progress(self.progress.folder)  # Another terminal may have predicted, or reset the lab.
                if (now := self._state(lab)) != seen:
                    seen = now  # A file that is saved during the check is the next change.
                    screen.say("", f"--- {time.strftime('%H:%M:%S')}")
                    if self._checked(lab) == DONE:
                        return DONE
                    screen.say("watching for changes; Ctrl-C stops")
            time.sleep(LOOK_EVERY)

    def _checked(self, lab: Lab) -> int:
        """A file that cannot run yet does not stop the watch."""
        try:
            return self.check(lab)
        except (LabError, OSError) as error:
            screen.warn(f"error: {said(error)}")
            return FAILED

    def _state(self, lab: Lab) -> object:
        """All that a check depends on, and that a check does not change."""
        bench = self.bench(lab) if lab.cluster != SHARED else self.ready_bench(lab)
        files = {}
        for path in (*bench.folder.glob("[!.]*"), *bench.folder.glob("config/*")):
            with contextlib.suppress(FileNotFoundError):  # Editors replace files.
                if path.is_file():
                    files[path] = path.stat().st_mtime_ns
        commits = sum(1 for _ in bench.lake.glob("**/_delta_log/*.json")) if bench.lake.exists() else 0
        try:
            self._ends = bench.ends()
        except (KafkaException, LabError):
            if lab.cluster == SHARED:
                raise  # Otherwise an experiment is under way.
        return files, commits, self._ends, self.attempt(lab).prediction

    def hint(self, lab: Lab) -> int:
        attempt = self.attempt(lab)
        hints = lab.hints()
        attempt.hints = min(attempt.hints + 1, len(hints))
        self.progress.save()
        for number in range(1, attempt.hints + 1):
            screen.say(f"Hint {number} of {len(hints)}", "", hints[number - 1], "")
        return DONE

    def reset(self, lab: Lab) -> int:
        attempt = self.attempt(lab)
        self._clear(lab, keep_folder=True)
        self.progress.attempts[lab.name] = fresh = Attempt(passed=attempt.passed, gave_up=attempt.gave_up)
        self._prepare(lab, fresh)
        screen.say(f"Lab {lab.number} starts over, with a new topic, lake and seed.")
        self._show_place(lab)
        self._ask(lab, fresh)
        return DONE

    def stop(self, lab: Lab) -> int:
        attempt = self.attempt(lab)
        self._clear(lab)
        self.progress.attempts[lab.name] = Attempt(passed=attempt.passed, gave_up=attempt.gave_up)
        self.progress.save()
        what = "topic, groups" if lab.cluster == SHARED else "brokers, with all that they had,"
        screen.say(f"The {what} and folder of lab {lab.number} are deleted. Your progress is kept.")
        return DONE

    def solution(self, lab: Lab, give_up: bool) -> int:
        attempt = self.attempt(lab)
        if not (attempt.passed or attempt.gave_up or give_up):
            screen.say("The solution comes after a pass. ./lab hint helps;",
                       "./lab solution --give-up shows it now.")
            return DIFFERS
        if not attempt.passed:
            attempt.gave_up = True
            self.progress.save()
        target = self.progress.folder / lab.name / "solution"
        shutil.copytree(lab.folder / "solution", target, dirs_exist_ok=True)
        for path in sorted(target.iterdir()):
            screen.say(f"--- solution/{path.name}", path.read_text().rstrip(), "")
        screen.say(f"These files are in {shorter(target)}.")
        return DONE

    def new(self, name: str) -> int:
        if not FOLDER.fullmatch(f"00-{name}"):
            raise LabError(f"{name!r} is not a name for a lab: use lower case letters, digits and dashes")
        number = max((lab.number for lab in all_labs(self.labs)), default=0) + 1
        folder = self.labs / f"{number:02}-{name}"
        shutil.copytree(LABS / "template", folder)
        screen.say(f"{shorter(folder)} has the files of a lab that nobody can pass yet.",
                   "docs/labs.md explains them; tests/test_labs.py tests it as all others.")
        return DONE


def question(lab: Lab) -> list[str]:
    return [line for part in lab.prediction.lines() for line in screen.labelled("", part, 2)]


def standing(attempt: Attempt) -> str:
    if attempt.passed:
        return "passed"
    if attempt.gave_up:
        return "gave up"
    return "started" if attempt.started else ""


def shorter(path: pathlib.Path) -> str:
    """As seen from the current folder, if that is shorter."""
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except FileNotFoundError:  # The current folder is deleted.
        return str(path)


def show(lab: Lab, attempt: Attempt, finding: Finding) -> None:
    screen.say("PASSED" if finding.passed else "NOT YET", *screen.labelled("saw", finding.saw))
    if finding.expected:
        screen.say(*screen.labelled("expected", finding.expected))
    if finding.example:
        screen.say(*screen.labelled("example", finding.example))
    if finding.answer:
        right = attempt.prediction == finding.answer
        verdict = ("As you predicted" if right else
                   f"You predicted {lab.prediction.in_words(attempt.prediction)}; it is")
        screen.say("", *screen.labelled("question", lab.prediction.question),
                   *screen.labelled("answer", f"{verdict}: {lab.prediction.in_words(finding.answer)}."),
                   *screen.labelled("", finding.evidence))


def said(error: Exception) -> str:
    """What failed, and what to do."""
    if isinstance(error, KafkaException):
        return f"Kafka: {error.args[0].str()}; ./run status shows the cluster"
    if isinstance(error, PermissionError):
        return f"{error}; set SHOPSTREAM_LABS to a folder of your own"
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} is missing; ./lab reset starts over"
    return f"{error}; ./run status shows the cluster" if isinstance(error, OSError) else str(error)


# Reading the command line.


def parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", default="list", metavar="COMMAND")
    parser.add_argument("rest", nargs="*", metavar="ARGUMENT")
    parser.add_argument("--watch", action="store_true", help="check after each change, until the lab is passed")
    parser.add_argument("--give-up", action="store_true", help="show the solution before a pass")
    asked = parser.parse_args(words)
    if asked.command.isdecimal():
        asked.command, asked.rest = "start", [asked.command, *asked.rest]
    takes = {"list": (0, 0), "start": (1, 1), "predict": (1, 2), "check": (0, 1), "hint": (0, 1), "reset": (0, 1),
             "stop": (0, 1), "solution": (0, 1), "new": (1, 1)}
    if asked.command not in takes:
        parser.error(f"unknown command {asked.command}; ./run lab --help lists them")
    fewest, most = takes[asked.command]
    if not fewest <= len(asked.rest) <= most:
        parser.error(f"{asked.command} takes {fewest}{f' to {most}' if most > fewest else ''} arguments")
    numbered = asked.rest if asked.command in ("start", "check", "hint", "reset", "stop", "solution") else asked.rest[1:]
    if not all(re.fullmatch(r"\d{1,2}", word) for word in numbered if asked.command != "new"):
        parser.error(f"{numbered[-1]!r} is not the number of a lab")
    asked.number = int(numbered[0]) if numbered and asked.command != "new" else None
    return asked


def run(asked: argparse.Namespace, student: Student) -> int:
    """All but --watch, which lets commands in other terminals run."""
    if asked.command == "list":
        return student.list()
    if asked.command == "new":
        return student.new(asked.rest[0])
    lab = student.lab(asked.number)
    if asked.command == "start":
        return student.start(lab)
    if asked.command == "check":
        return DONE if asked.watch else student.check(lab)
    if asked.command == "predict":
        return student.predict(lab, asked.rest[0])
    if asked.command == "solution":
        return student.solution(lab, asked.give_up)
    return {"hint": student.hint, "reset": student.reset, "stop": student.stop}[asked.command](lab)


def main(words: Sequence[str], cluster: Cluster | None = None, folder: pathlib.Path | None = None,
         labs: pathlib.Path = LABS) -> int:
    """`cluster`, `folder` and `labs`: other than the checkout's, for tests."""
    asked = parse(words)
    folder = folder or home()
    try:
        with alone(folder):
            student = Student(cluster or cluster_of(Asked(), CLUSTER, screen.say), folder, labs)
            code = run(asked, student)
        if asked.command in ("start", "reset") and code == DONE:
            student.prompt(student.lab(asked.number))
        watches = asked.watch and asked.command in ("start", "check")
        return student.watch(student.lab(asked.number)) if watches else code
    except (LabError, ClusterError, KafkaException, OSError) as error:
        screen.warn(f"error: {said(error)}")
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED
