"""Runs docs/your-own-events.md unchanged, against a cluster and a lake for this test only."""

import pathlib
import re
import subprocess
import sys

from shopstream import Shopstream

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/your-own-events.md"


def commands() -> list[list[str]]:
    block = re.search(r"```console\n(.*?)```", DOCUMENT.read_text(), re.DOTALL).group(1)
    return [line.removeprefix("$ ").split() for line in block.splitlines() if line.startswith("$ ")]


def run_one(command: list[str], world: Shopstream) -> str:
    """With this machine's programs, and the test's addresses and topic instead of the defaults."""
    addresses = {"SHOPSTREAM_KAFKA_TOPIC": world.topic, "SHOPSTREAM_KAFKA_GROUP": world.group}
    if command[0] == ".deps/venv/bin/python":
        command = [sys.executable, *command[1:]]
        if command[1].endswith("produce_ad_clicks.py"):
            command += ["--bootstrap", world.cluster.bootstrap_servers, "--registry", world.cluster.registry_url,
                        "--topic", world.topic]
        command = [str(world.lake) if word == ".shopstream/lake" else word for word in command]
    else:
        assert command[:2] == ["./run", "shopstream"], command
        command = [str(world.cluster.binary), *command[2:]]
    done = subprocess.run(command, cwd=ROOT, env=world.environment(**addresses), capture_output=True, text=True,
                          timeout=90)
    assert done.returncode == 0, f"$ {' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_document_does_what_it_says(shopstream: Shopstream) -> None:
    outputs = [run_one(command, shopstream) for command in commands()]
    assert len(outputs) == 5
    assert "Clean: 1,000 records" in outputs[3], outputs[3]
    # 1,000 clicks, alternating between three campaigns; the cost of click n is n % 50.
    costs = {name: sum(n % 50 for n in range(1000) if n % 3 == i) for i, name in enumerate(("spring", "summer", "brand"))}
    counts = {"spring": 334, "summer": 333, "brand": 333}
    expected = [f"{name} {counts[name]} {costs[name]}" for name in sorted(costs)]
    assert outputs[4].splitlines() == [*expected, "pages /page/0 /page/1 /page/2 /page/3 /page/4",
                                       "from a phone 500", "with a width 500"]
    assert {path.name for path in (shopstream.lake / "ad-clicks").glob("campaign=*")} == {
        "campaign=spring", "campaign=summer", "campaign=brand"}
