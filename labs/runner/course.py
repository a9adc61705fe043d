"""The labs of a course, as they are in their folders. docs/labs.md describes the files of a lab."""

import dataclasses
import importlib.util
import pathlib
import re
import tomllib
from types import ModuleType

LABS = pathlib.Path(__file__).resolve().parent.parent
FOLDER = re.compile(r"(\d\d)-([a-z0-9-]+)")
HINTS = 3
SHARED, OWN, SECURED = CLUSTERS = ("shared", "own", "secured")


class LabError(Exception):
    """The message says what failed, on what, and what to do."""


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One question before the experiment; without choices, the answer is a number."""
    question: str
    choices: dict[str, str]

    def lines(self) -> list[str]:
        return [self.question, *(f"  {name}) {text}" for name, text in self.choices.items())]

    def accepted(self, text: str) -> str | None:
        """The answer in its usual form; nothing if the question has no such answer."""
        answer = text.strip().strip(")").lower()
        if self.choices:
            return answer if answer in self.choices else None
        return str(int(answer)) if answer.isdecimal() else None

    def possible(self) -> str:
        return ", ".join(self.choices) if self.choices else "a number"

    def in_words(self, answer: str) -> str:
        return f"{answer} ({self.choices[answer]})" if answer in self.choices else answer


@dataclasses.dataclass(frozen=True)
class Lab:
    folder: pathlib.Path
    number: int
    name: str  # As its folder's: "04-exactly-once".
    title: str
    concept: str
    minutes: int
    prediction: Prediction
    wrong: dict[str, str]  # Each common wrong answer, and the words of its finding.
    cluster: str = SHARED  # Where it runs; not on the shared one if it harms brokers, or if users must log in.
    brokers: int = 3  # Of that cluster.

    @classmethod
    def read(cls, folder: pathlib.Path) -> "Lab":
        facts = tomllib.loads((folder / "lab.toml").read_text())
        asked = facts["prediction"]
        cluster = facts.get("cluster", SHARED)
        if cluster not in CLUSTERS:
            raise LabError(f"{folder}/lab.toml: cluster is {cluster!r}, which is none of {', '.join(CLUSTERS)}")
        return cls(folder, int(folder.name[:2]), folder.name, facts["title"], facts["concept"], facts["minutes"],
                   Prediction(asked["question"], asked.get("choices", {})), facts.get("wrong", {}),
                   cluster, facts.get("brokers", 1 if cluster == SECURED else 3))

    @property
    def nodes(self) -> tuple[int, ...]:
        """The numbers of the brokers."""
        return tuple(range(1, self.brokers + 1))

    def text(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def page(self) -> str:
        return self.text("page.md")

    def hints(self) -> list[str]:
        """From a nudge to nearly the solution."""
        return [hint.strip() for hint in re.split(r"^---$", self.text("hints.md"), flags=re.MULTILINE)]

    def code(self) -> ModuleType:
        """lab.py: start(bench) prepares the experiment, check(bench) returns a Finding."""
        spec = importlib.util.spec_from_file_location(f"lab_{self.number:02}", self.folder / "lab.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def all_labs(labs: pathlib.Path = LABS) -> list[Lab]:
    return [Lab.read(folder) for folder in sorted(labs.iterdir()) if FOLDER.fullmatch(folder.name)]


def find(number: int, labs: pathlib.Path = LABS) -> Lab:
    known = all_labs(labs)
    for lab in known:
        if lab.number == number:
            return lab
    raise LabError(f"there is no lab {number}; the labs are {', '.join(str(lab.number) for lab in known)} (./run lab)")
