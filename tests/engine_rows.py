"""Rows of the table of tests/test_engines.py: their possible values, and one representation for all readers."""

import datetime
import decimal
import math
import random
import struct
from typing import Any

import pyarrow as pa

UTC = datetime.timezone.utc
PARTITION = "r&d"
# Only ASCII, in the name and in values: Spark leaves other letters unescaped in the folder's name and in the log,
# delta-rs 1.6 spells them %C3%A9 when it removes a file, so that the two disagree, and Spark's VACUUM deletes
# what delta-rs wrote under such a name. No "~" either: delta-rs does not find its own file again when it compacts.
# test_foreign_vacuum.py covers all of those.
PLACES = ["US", "R&D", "two words", " lead", "100%", "a+b", "\"quoted\"", "it's", "a\nb", "a\tb", "..", "a/b",
          "a=b", "a\\b", "%41", "\x01", "x" * 60, None]
DATES = [datetime.date(2025, 10, 24), datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None]

SCHEMA = pa.schema([
    ("id", pa.string()), ("n", pa.int64()), ("small", pa.int32()), ("price", pa.float64()), ("ratio", pa.float32()),
    ("ok", pa.bool_()), ("usd", pa.decimal128(18, 2)), ("tiny", pa.decimal128(38, 9)),
    ("at", pa.timestamp("us", "UTC")), ("day", pa.date32()), ("note", pa.string()), ("raw", pa.binary()),
    ("box", pa.struct([("x", pa.int64()), ("label", pa.string()), ("deep", pa.struct([("ok", pa.bool_())]))])),
    ("items", pa.list_(pa.int64())), ("pairs", pa.map_(pa.string(), pa.float64())),
    (PARTITION, pa.string()), ("date", pa.date32())])
MORE = [("text", pa.string()), ("number", pa.float64()), ("flag", pa.bool_()), ("money", pa.decimal128(10, 3)),
        ("moment", pa.timestamp("us", "UTC")), ("pair", pa.struct([("a", pa.int64()), ("b", pa.string())]))]

Row = dict[str, Any]


class Rows:
    """Makes rows of any schema with unique ids. Timestamps are in the range of Spark's INT96, which delta-rs reads
    as nanoseconds: the years 1677 to 2262."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.made = 0

    def make(self, schema: pa.Schema, count: int) -> list[Row]:
        # Only a few partitions at a time, like a batch.
        places, dates = self.chance.sample(PLACES, 3), self.chance.sample(DATES, 2)
        rows = []
        for _ in range(count):
            row = {field.name: self.value(field.type) for field in schema}
            row |= {"id": f"id-{self.made:06}", "n": self.made, PARTITION: self.chance.choice(places),
                    "date": self.chance.choice(dates)}
            self.made += 1
            rows.append(row)
        return rows

    def value(self, kind: pa.DataType) -> Any:
        if self.chance.random() < 0.15:
            return None
        pick = self.chance.choice
        if pa.types.is_boolean(kind):
            return pick([True, False])
        if pa.types.is_integer(kind):
            edge = 2 ** (kind.bit_width - 1)
            return pick([0, -1, edge - 1, -edge, self.chance.randrange(1000)])
        if pa.types.is_float64(kind):
            return pick([0.0, -0.0, 1.5, -1e300, 5e-324, math.nan, math.inf, -math.inf, self.chance.random()])
        if pa.types.is_float32(kind):
            value = pick([0.0, 1.5, math.nan, math.inf, self.chance.random()])
            return struct.unpack("f", struct.pack("f", value))[0]
        if pa.types.is_decimal(kind):
            digits = pick([0, 1, -1, 10 ** kind.precision - 1, self.chance.randrange(100_000)])
            with decimal.localcontext(prec=60):
                return decimal.Decimal(digits).scaleb(-kind.scale)
        if pa.types.is_timestamp(kind):
            return pick([datetime.datetime(1700, 1, 1, tzinfo=UTC), datetime.datetime(2025, 3, 1, 1, 2, 3, 456789, UTC),
                         datetime.datetime(2261, 12, 31, 23, 59, 59, 999999, UTC)])
        if pa.types.is_date(kind):
            return pick([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(2024, 2, 29)])
        if pa.types.is_string(kind):
            return pick(["", "a", "é" * 40, "\U0010ffff" * 20, "it's \"so\"\n", "z" * 5000 if self.made % 40 == 0 else "z"])
        if pa.types.is_binary(kind):
            return pick([b"", b"\x00\xff", self.chance.randbytes(40)])
        if pa.types.is_struct(kind):
            return {field.name: self.value(field.type) for field in kind}
        if pa.types.is_map(kind):
            return [(key, self.value(kind.item_type)) for key in self.chance.sample("abc", 2)]
        return [self.value(kind.value_type) for _ in range(self.chance.randrange(3))]


def batch(rows: list[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def plain(value: Any, kind: pa.DataType) -> Any:
    """One representation of a value for all readers: comparable, including NaN and signs."""
    if value is None:
        return None
    if pa.types.is_floating(kind):
        return repr(float(value))
    if pa.types.is_timestamp(kind):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat() + "+00:00"
    if pa.types.is_struct(kind):
        return {field.name: plain(value.get(field.name), field.type) for field in kind}
    if pa.types.is_map(kind):
        pairs = value.items() if isinstance(value, dict) else value
        return sorted((key, plain(item, kind.item_type)) for key, item in pairs)
    if pa.types.is_list(kind):
        return [plain(item, kind.value_type) for item in value]
    return value


def content(rows: list[Row], schema: pa.Schema) -> dict[str, Row]:
    """Rows by id; a duplicate id is a difference of its own kind."""
    found: dict[str, Row] = {}
    for row in rows:
        key = row["id"] if row["id"] not in found else f"{row['id']} again {len(found)}"
        found[key] = {field.name: plain(row.get(field.name), field.type) for field in schema}
    return found


def difference(expected: dict[str, Row], found: dict[str, Row]) -> str:
    """The first few rows that differ, in words; empty: none."""
    lines = [f"missing: {expected[key]}" for key in sorted(expected.keys() - found.keys())[:3]]
    lines += [f"too many: {found[key]}" for key in sorted(found.keys() - expected.keys())[:3]]
    for key in sorted(expected.keys() & found.keys()):
        if expected[key] != found[key] and len(lines) < 6:
            lines += [f"{key}: {name} is {found[key][name]!r}, should be {value!r}"
                      for name, value in expected[key].items() if found[key][name] != value]
    return f"{len(expected)} rows expected, {len(found)} found\n" + "\n".join(lines) if lines else ""
