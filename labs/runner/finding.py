"""What a check found: a value, which the commands print."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the checker saw. If it is not what the lab asks for: what it expected, and the smallest counter-example."""
    passed: bool
    saw: str
    expected: str = ""
    example: str = ""
    # The answer to the lab's prediction, once the experiment has shown it, and how it has.
    answer: str = ""
    evidence: str = ""


def passed(saw: str, answer: str = "", evidence: str = "") -> Finding:
    return Finding(True, saw, answer=answer, evidence=evidence)


def failed(saw: str, expected: str, example: str = "", answer: str = "", evidence: str = "") -> Finding:
    return Finding(False, saw, expected, example, answer, evidence)
