"""./run lab --json: the labs for a program, such as the console. Each command prints one JSON object.

    --json list                       all labs, with progress
    --json show N                     lab N: its page, question and hints, and what the last check found
    --json state N                    the topics, groups and tables of lab N, as they are now
    --json ACT N [ANSWER]             start, predict, check, hint, reset or stop; answers as show, with before and after

An error is {"error": {"kind": ..., "message": ...}}, and the exit code is 1.
"""

import contextlib
import io
import json
import pathlib
import sys
from collections.abc import Sequence

from confluent_kafka import KafkaException

from cluster import Cluster, ClusterError, cluster_of
from places import CLUSTER
from ports import Asked
from runner import screen
from runner.bench import Bench
from runner.commands import DONE, FAILED, INTERRUPTED, USAGE, Student, said, standing
from runner.course import HINTS, LABS, SHARED, Lab, LabError, all_labs
from runner.picture import Json, picture
from runner.progress import Attempt, Progress, alone, home

READS = ("show", "state")
ACTS = ("start", "predict", "check", "hint", "reset", "stop")


def row(lab: Lab, attempt: Attempt) -> Json:
    return {"number": lab.number, "name": lab.name, "title": lab.title, "concept": lab.concept, "minutes": lab.minutes,
            "progress": standing(attempt)}


def shown(student: Student, lab: Lab) -> Json:
    attempt = student.progress.attempt(lab.name)
    bench = Bench(lab, attempt, student.cluster, student.progress.folder)
    return {**row(lab, attempt), "started": attempt.started, "page": lab.page(), "question": lab.prediction.question,
            "choices": lab.prediction.choices, "prediction": attempt.prediction or None, "checks": attempt.checks,
            "hints": lab.hints()[:attempt.hints], "hints_in_all": HINTS, "finding": attempt.finding,
            "why": lab.text("after.md") if attempt.passed else None,
            "topic": bench.topic if attempt.started else None, "folder": str(bench.folder) if attempt.started else None,
            "own_brokers": lab.cluster != SHARED}


def standing_of(attempt: Attempt) -> Json:
    """What an act may change."""
    return {"progress": standing(attempt), "prediction": attempt.prediction, "hints": attempt.hints, "checks": attempt.checks}


def state(student: Student, lab: Lab) -> Json:
    attempt = student.progress.attempt(lab.name)
    if not attempt.started:
        return {"attempt": standing_of(attempt), "topic": None, "topics": [], "groups": [], "tables": []}
    bench = student.bench(lab)
    return {"attempt": standing_of(attempt), "topic": bench.topic, **picture(bench)}


def act(student: Student, command: str, lab: Lab, rest: Sequence[str]) -> Json:
    """Does what the command of the same name does, but returns the lab instead of printing it."""
    before = standing_of(student.progress.attempt(lab.name))
    if command == "predict":
        student.predict(lab, rest[0])
    elif command == "check" and not student.attempt(lab).prediction:
        raise LabError("predict first, so that the result can surprise you")
    else:
        {"start": student.start, "check": student.check, "hint": student.hint, "reset": student.reset,
         "stop": student.stop}[command](lab)
    return {"before": before, "after": standing_of(student.progress.attempt(lab.name)), "lab": shown(student, lab)}


def answer(words: Sequence[str], cluster: Cluster | None, folder: pathlib.Path, labs: pathlib.Path) -> Json:
    def student() -> Student:
        return Student(cluster or cluster_of(Asked(), CLUSTER, screen.say), folder, labs)

    command, *rest = words
    if command == "list":
        progress = Progress(folder)
        return {"labs": [row(lab, progress.attempt(lab.name)) for lab in all_labs(labs)]}
    number = int(rest[0])
    if command in READS:  # They do not wait for a check that runs: progress is replaced as a whole.
        asker = student()
        lab = asker.lab(number)
        return shown(asker, lab) if command == "show" else state(asker, lab)
    with alone(folder):
        doer = student()
        return act(doer, command, doer.lab(number), rest[1:])


def is_known(words: Sequence[str]) -> bool:
    command, *rest = words or [""]
    if command == "list":
        return not rest
    return command in READS + ACTS and len(rest) == (2 if command == "predict" else 1) and rest[0].isdecimal()


def main(words: Sequence[str], cluster: Cluster | None = None, folder: pathlib.Path | None = None,
         labs: pathlib.Path = LABS) -> int:
    """`cluster`, `folder` and `labs`: other than the checkout's, for tests."""
    if not is_known(words):
        print(__doc__, file=sys.stderr)
        return USAGE
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Standard output is for the answer alone.
            found = answer(words, cluster, folder or home(), labs)
    except (LabError, ClusterError, KafkaException, OSError) as error:
        kind = "invalid" if isinstance(error, LabError) else "unavailable"
        found = {"error": {"kind": kind, "message": said(error)}}
    except KeyboardInterrupt:
        return INTERRUPTED
    print(json.dumps(found))
    return FAILED if "error" in found else DONE
