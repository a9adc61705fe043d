"""Lab 0: what it checks."""

from runner.bench import Bench
from runner.finding import Finding, failed


def start(bench: Bench) -> None:
    """Prepares the experiment, in at most 10 s."""
    bench.create_topic()


def check(bench: Bench) -> Finding:
    """Reads state with readers that share no code with ShopStream: Confluent's client, delta-rs."""
    records = bench.records()
    return failed(f"{len(records)} records", "what the lab asks for", "the smallest counter-example")
