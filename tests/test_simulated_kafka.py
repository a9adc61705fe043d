"""The simulator's Kafka is held to the real one: one script of operations, and equal answers."""

import pathlib
import subprocess
import uuid

from cluster import Cluster

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/tests/simulate/kafka_script"
SCRIPT = pathlib.Path(__file__).with_name("kafka_script.txt")


def answers(*kafka: str) -> list[str]:
    ran = subprocess.run([PROGRAM, *kafka], stdin=SCRIPT.open(encoding="utf-8"), capture_output=True, text=True,
                         timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()


def test_the_simulated_kafka_answers_as_the_real_one(cluster: Cluster) -> None:
    real = answers(cluster.bootstrap_servers, f"script-{uuid.uuid4().hex[:8]}")
    operations = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert len(real) == len(operations)
    assert answers("simulated") == real
