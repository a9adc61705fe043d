"""`replay --print`: which events the program makes of files; needs no cluster."""

import datetime
import json
import pathlib
import random
import re
import subprocess
import zoneinfo

import pytest

import source_shapes
from cluster import BINARY, ROOT
from replay_cases import make_cases
from test_command_line import ENVIRONMENT

SOURCES = ROOT / "config/sources"


def replay(mapping: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(BINARY), "replay", "--print", str(mapping), *arguments], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=60)


def events_of(mapping: pathlib.Path, *arguments: str) -> list[dict]:
    done = replay(mapping, *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("cases")
    make_cases(folder)
    return folder


@pytest.mark.parametrize(("case", "rows", "titles"), [
    ("r1-large-string-parquet", 20, {"Mug"}),
    ("r2-newlines-csv", 150_000, {f"Gift box\nwith card {'x' * 60}"}),
    ("r3-latin1-csv-encoding", 20, {"Café crème"}),
    ("r4-bad-value-csv-skip", 49_999, {"Mug"}),
    ("r5-short-line-csv-skip", 19, {"Mug"}),
    ("r6-text-customer-csv-hash", 20, {"Mug"}),
    ("r7-missing-customer-csv-skip", 15, {"Mug"}),
    ("r8-utc-suffix-csv", 20, {"Mug"}),
    ("r9-epoch-csv", 20, {"Mug"}),
    ("r10-basic-date-csv", 20, {"Mug"}),
    ("r11-pattern-csv", 20, {"Mug"}),
    ("r12-semicolon-csv", 20, {"Mug"}),
])
def test_files_as_they_are_found_are_replayed(cases: pathlib.Path, case: str, rows: int, titles: set[str]) -> None:
    events = events_of(cases / f"{case}.yaml")
    assert len(events) == rows
    assert {event["product_name"] for event in events} == titles
    midnight = case.startswith("r10")
    assert {event["timestamp"][10:] for event in events} == {"T00:00:00.000Z" if midnight else "T12:00:00.000Z"}
    if case.startswith("r6"):
        assert [event["user_id"] for event in events] == [source_shapes.hashed(f"CG-{12500 + i}") for i in range(20)]


@pytest.mark.parametrize(("case", "message"), [
    ("r3-latin1-csv", "r3-latin1.csv, row 1, column title: bytes that are not UTF-8; set csv: {encoding: cp1252}"),
    ("r4-bad-value-csv", "r4-bad-value.csv, row 40001, column price: 'n/a' is not a number (event field amount); "
                         "to leave out such rows, list the text in 'nulls' and set 'missing: skip', or use 'where'"),
    ("r5-short-line-csv", "r5-short-line.csv, row 13: 5 columns, the header has 6; to leave out such lines, set csv: "
                          "{short_lines: skip}"),
    ("r6-text-customer-csv", "r6-text-customer.csv, row 1, column cust: 'CG-12500' is not a whole number ('hash: true' "
                             "makes one from a text) (event field user_id)"),
    ("r7-missing-customer-csv", "r7-missing-customer.csv, row 3, column cust: there is no value for event_id; give it a "
                                "'default', or leave out such rows with 'missing: skip'"),
])
def test_what_is_wrong_in_a_file_is_named(cases: pathlib.Path, case: str, message: str) -> None:
    done = replay(cases / f"{case}.yaml")
    assert done.returncode == 1 and done.stdout.count("\n") <= 40_000  # The rows before it are printed.
    assert message in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("source", source_shapes.SHAPES)
def test_shipped_mappings_make_the_purchases_that_the_rows_stand_for(source: str, tmp_path: pathlib.Path) -> None:
    expected, counts = source_shapes.SHAPES[source](tmp_path, 5_000, random.Random(11))
    assert len(expected) > 1_000
    done = replay(SOURCES / f"{source}.yaml", "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert made == expected
    assert f"filtered {counts['filtered']:,}" in done.stderr
    for field, missing in counts["missing"].items():
        assert f"without {field} {missing:,}" in done.stderr


def test_the_rates_of_the_real_data_are_those_of_the_synthetic_one() -> None:
    rates = re.findall(r"currency: (\w+), rate: ([\d.]+)", (ROOT / "src/generate/shoppers.yaml").read_text())
    assert len(rates) == 3
    for source in ("complete_journey", "rees46"):
        [text] = re.findall(r"rate: {by: currency, (.*?)}", (SOURCES / f"{source}.yaml").read_text())
        stated = [entry.split(": ") for entry in text.split(", ")]
        assert [(name, float(rate)) for name, rate in stated] == [(name, float(rate)) for name, rate in rates]


ZONES = ("Africa/Cairo", "Africa/Casablanca", "America/Anchorage", "America/Caracas", "America/Chicago",
         "America/Havana", "America/New_York", "America/Santiago", "America/Sao_Paulo", "America/St_Johns",
         "Antarctica/Troll", "Asia/Calcutta", "Asia/Gaza", "Asia/Istanbul", "Asia/Jerusalem", "Asia/Kathmandu",
         "Asia/Pyongyang", "Asia/Tehran", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Dublin",
         "Europe/Lisbon", "Europe/London", "Europe/Moscow", "Europe/Volgograd", "Pacific/Apia", "Pacific/Auckland",
         "Pacific/Kiritimati", "UTC")
TIMES_MAPPING = """file: times.csv
event:
  event_id: {{column: at}}
  user_id: {{value: 1}}
  region: {{value: EU}}
  product_id: {{value: P}}
  product_name: {{value: P}}
  quantity: {{value: 1}}
  amount: {{value: 1}}
  currency: {{value: EUR}}
  timestamp: {{column: at, zone: {zone}}}
"""


@pytest.mark.parametrize("zone", ZONES)
def test_zones_are_those_of_python(zone: str, tmp_path: pathlib.Path) -> None:
    known = zoneinfo.ZoneInfo(zone)
    # Every 29 days and 23 hours, and each half hour of the days whose offset changes.
    clocks = [datetime.datetime(1970, 1, 2) + datetime.timedelta(hours=719 * i) for i in range(860)]
    for day in range(1, 70 * 365):
        midnight = datetime.datetime(1970, 1, 1) + datetime.timedelta(days=day)
        after = midnight + datetime.timedelta(days=1)
        if midnight.replace(tzinfo=known).utcoffset() != after.replace(tzinfo=known).utcoffset():
            clocks += [midnight + datetime.timedelta(minutes=30 * i) for i in range(-2, 50)]
    (tmp_path / "times.csv").write_text("at\n" + "".join(f"{clock}\n" for clock in clocks))
    mapping = tmp_path / "times.yaml"
    mapping.write_text(TIMES_MAPPING.format(zone=zone))
    found = {event["event_id"]: event["timestamp"] for event in events_of(mapping)}
    expected = {str(clock): source_shapes.iso(clock.replace(tzinfo=known)) for clock in clocks}
    assert found == expected


def test_printing_stops_with_the_limit_and_with_its_reader(cases: pathlib.Path) -> None:
    assert len(events_of(cases / "r2-newlines-csv.yaml", "--limit", "1234")) == 1234
    command = f"{BINARY} replay --print {cases}/r2-newlines-csv.yaml | head -1"
    done = subprocess.run(["bash", "-c", command], env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1 and done.stderr == "", done
