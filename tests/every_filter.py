"""Rows of every type with extreme values, and filters on them in the language of each reader."""

import dataclasses
import datetime
import decimal
import math
import random
import struct
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MICROS, LAST_MICROS = -62135596800000000, 253402300799999999  # Years 1 to 9999.
NAN, INFINITY = float("nan"), float("inf")
TIME = pa.timestamp("us", "UTC")
INNER = pa.struct([("day", pa.date32()), ("money", pa.decimal128(38, 9)), ("ratio", pa.float32()), ("at", TIME)])
STRUCT = pa.struct([("n", pa.int64()), ("word", pa.string()), ("x", pa.float64()), ("paid", pa.bool_()),
                    ("inner", INNER)])

# Additional columns of a later version of the table, at the top level and in structs.
LATER = pa.schema([("coupon", pa.string()), ("refunded", pa.bool_()),
                   ("more", pa.struct([("n", pa.int64()), ("at", TIME)]))])
SCHEMA = pa.schema([
    ("id", pa.int64()), ("tiny", pa.int8()), ("small", pa.int16()), ("number", pa.int32()), ("big", pa.int64()),
    ("ratio", pa.float32()), ("x", pa.float64()), ("y", pa.float64()), ("paid", pa.bool_()),
    ("usd", pa.decimal128(9, 2)), ("fee", pa.decimal128(38, 9)), ("vast", pa.decimal128(38, 0)),
    ("day", pa.date32()), ("far_day", pa.date32()), ("at", TIME), ("far_at", TIME), ("word", pa.string()),
    ("note", pa.string()), ("raw", pa.binary()), ("items", pa.list_(pa.int64())),
    ("map", pa.map_(pa.string(), pa.float64())), ("s", STRUCT)])

# A struct with members without statistics: the table as a whole has none.
MIXED = pa.schema([("id", pa.int64()), ("word", pa.string()),
                   ("s", pa.struct([("n", pa.int64()), ("raw", pa.binary()),
                                    ("inner", pa.struct([("items", pa.list_(pa.float64())), ("x", pa.float64())]))]))])


def grown_schema() -> pa.Schema:
    """Also two new members: one of a struct, one of a nested struct."""
    inner = pa.struct([*INNER, pa.field("later", pa.int32())])
    fields = [field for field in STRUCT if field.name != "inner"]
    grown = pa.struct([*fields, pa.field("inner", inner), pa.field("late", pa.string())])
    schema = SCHEMA.set(SCHEMA.get_field_index("s"), pa.field("s", grown))
    return pa.schema([*schema, *LATER])


def extremes(kind: pa.DataType, name: str) -> list[Any]:
    """Values at the limits of a type, as Arrow accepts them (dates and times as numbers)."""
    if pa.types.is_boolean(kind):
        return [True, False]
    if pa.types.is_integer(kind):
        most = 2 ** (kind.bit_width - 1)
        return [-most, most - 1, -1, 0, 1]
    if pa.types.is_floating(kind):
        least, most = (1e-45, 3.4028234663852886e38) if kind == pa.float32() else (5e-324, 1.7976931348623157e308)
        return [-0.0, 0.0, INFINITY, -INFINITY, NAN, least, most, -most, 1.0, 0.1]
    if pa.types.is_decimal(kind):
        ones = decimal.Decimal(1).scaleb(-kind.scale)
        most = decimal.Decimal(10 ** kind.precision - 1).scaleb(-kind.scale, EXACT)
        return [decimal.Decimal(0), ones, -ones, most, most.copy_negate(), EXACT.divide(most, decimal.Decimal(7)).quantize(
            ones, context=EXACT)]
    if pa.types.is_date(kind):
        return [-719162, 2932896, 0, -1] + ([2147483647, -2147483648, 2932897, -719163] if "far" in name else [])
    if pa.types.is_timestamp(kind):
        far = [2060000000000000000, LAST_MICROS + 1, FIRST_MICROS - 1]
        return [FIRST_MICROS, LAST_MICROS, LAST_MICROS - 999, -1, 0, 1, 999] + (far if "far" in name else [])
    if pa.types.is_string(kind):
        return ["", "a", "a\0", "a\0\0", "\U0010ffff" * 40, "é" * 40, "\ud7ff" * 33, "\uffff", "\U00010000", "'\"\\%_",
                "z" * 32, "z" * 33] + (["a" * 5000, "z" * 5000] if name == "note" else [])
    return [b"", b"\0", b"\xff" * 40, b"a"]


EXACT = decimal.Context(prec=60)


def ordinary(kind: pa.DataType, center: int, rng: random.Random) -> Any:
    """A value near a file's own center, so that files can be distinguished."""
    near = center * 10 + rng.randrange(10)
    if pa.types.is_boolean(kind):
        return center % 2 == 0
    if pa.types.is_integer(kind):
        return near % 120
    if pa.types.is_floating(kind):
        return near / 4
    if pa.types.is_decimal(kind):
        return EXACT.divide(decimal.Decimal(near), 3).quantize(decimal.Decimal(1).scaleb(-kind.scale), context=EXACT)
    if pa.types.is_date(kind):
        return 20000 + near
    if pa.types.is_timestamp(kind):
        return 1_700_000_000_000_000 + near * 1_000_003
    if pa.types.is_string(kind):
        return f"w{near:04}" + rng.choice(["", "é", " long" * 9])
    return bytes([near % 256, 0, 255])


def column(kind: pa.DataType, name: str, count: int, center: int, rng: random.Random) -> pa.Array:
    """One file's values: around one center, extreme, null, or a mixture."""
    if pa.types.is_struct(kind):
        members = [column(member.type, member.name, count, center, rng) for member in kind]
        nulls = rng.choice([0, 0, 0.3, 1])
        mask = pa.array([rng.random() < nulls for _ in range(count)])
        return pa.StructArray.from_arrays(members, fields=list(kind), mask=mask)
    if pa.types.is_list(kind) or pa.types.is_map(kind):
        item = kind.value_type if pa.types.is_list(kind) else kind.item_type
        lists = [None if rng.random() < 0.2 else [rng.choice([None, NAN, 1.0] if pa.types.is_floating(item) else [1, 2])
                                                  for _ in range(rng.randrange(3))] for _ in range(count)]
        if pa.types.is_map(kind):
            lists = [None if one is None else [(f"k{i}", value) for i, value in enumerate(one)] for one in lists]
        return pa.array(lists, kind)
    nulls = rng.choice([0, 0, 0, 0.3, 1])
    extreme = rng.choice([0, 0, 0, 0.2, 1])
    pool = extremes(kind, name)
    if rng.random() < 0.7:  # A value without a bound hides the others.
        pool = [value for value in pool if not has_no_bound(kind, value)]
    values = [None if rng.random() < nulls else rng.choice(pool) if rng.random() < extreme
              else ordinary(kind, center, rng) for _ in range(count)]
    if pa.types.is_date(kind):
        return pa.array(values, pa.int32()).view(kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).view(kind)
    return pa.array(values, kind)


def has_no_bound(kind: pa.DataType, value: Any) -> bool:
    if pa.types.is_floating(kind):
        return math.isnan(value)
    if pa.types.is_date(kind):
        return not -719162 <= value <= 2932896
    if pa.types.is_timestamp(kind):
        return not FIRST_MICROS <= value <= LAST_MICROS
    return pa.types.is_string(kind) and value.startswith("\U0010ffff" * 33)


def batch(schema: pa.Schema, first_id: int, rng: random.Random) -> pa.RecordBatch:
    count = rng.choice([1, 3, 8, 8])
    center = rng.randrange(12)
    ids = pa.array(range(first_id, first_id + count), pa.int64())
    return pa.RecordBatch.from_arrays(
        [ids] + [column(field.type, field.name, count, center, rng) for field in list(schema)[1:]], schema=schema)


# --- Filters -------------------------------------------------------------------------------------

OPERATORS = ["=", "<", "<=", ">", ">=", "in"]


@dataclasses.dataclass(frozen=True)
class Filter:
    path: tuple[str, ...]
    kind: pa.DataType
    operator: str
    values: tuple[Any, ...] = ()  # Python values; empty for a test of null or NaN.

    def __str__(self) -> str:
        return f"{'.'.join(self.path)} {self.operator} {[repr(value)[:60] for value in self.values]}"

    def arrow(self) -> pc.Expression:
        field = pc.field(*self.path)
        scalars = [pa.scalar(value, self.kind) for value in self.values]
        match self.operator:
            case "is null":
                return field.is_null()
            case "is not null":
                return field.is_valid()
            case "is nan":
                return pc.is_nan(field)
            case "in":
                return field.isin(pa.array(list(self.values), self.kind))
            case "=":
                return field == scalars[0]
            case "<":
                return field < scalars[0]
            case "<=":
                return field <= scalars[0]
            case ">":
                return field > scalars[0]
            case _:
                return field >= scalars[0]

    def has_nan(self) -> bool:
        return any(value != value for value in self.values)

    def has_negative_zero(self) -> bool:
        return any(isinstance(value, float) and value == 0 and math.copysign(1, value) < 0 for value in self.values)

    def triple(self) -> list[tuple[str, str, Any]] | None:
        """In the form of delta-rs's own filters; None if it has no such filter."""
        if len(self.path) > 1 or not self.values:
            return None
        value = list(self.values) if self.operator == "in" else self.values[0]
        return [(self.path[0], self.operator, value)]

    def polars(self) -> Any:
        import polars

        found = polars.col(self.path[0])
        for name in self.path[1:]:
            found = found.struct.field(name)
        kind = polars.from_arrow(pa.array([], self.kind)).dtype
        values = [polars.lit(value, dtype=kind) for value in self.values]
        match self.operator:
            case "is null":
                return found.is_null()
            case "is not null":
                return found.is_not_null()
            case "is nan":
                return found.is_nan()
            case "in":
                return polars.any_horizontal([found == value for value in values])
            case "=":
                return found == values[0]
            case "<":
                return found < values[0]
            case "<=":
                return found <= values[0]
            case ">":
                return found > values[0]
            case _:
                return found >= values[0]

    def sql(self, dialect: str) -> str:
        name = f'`{"`.`".join(self.path)}`' if dialect == "spark" else (
            f't."{self.path[0]}"' + "".join(f"['{member}']" for member in self.path[1:]))
        if self.operator == "is nan":
            return f"isnan({name})"
        if not self.values:
            return f"{name} {self.operator}"
        literals = [literal(value, self.kind, dialect) for value in self.values]
        return f"{name} in ({', '.join(literals)})" if self.operator == "in" else f"{name} {self.operator} {literals[0]}"


def literal(value: Any, kind: pa.DataType, dialect: str) -> str:
    if pa.types.is_boolean(kind):
        return str(value).lower()
    if pa.types.is_integer(kind):
        return f"CAST('{value}' AS {['TINYINT', 'SMALLINT', 'INT', 'BIGINT'][[8, 16, 32, 64].index(kind.bit_width)]})"
    if pa.types.is_floating(kind):
        text = {INFINITY: "Infinity", -INFINITY: "-Infinity"}.get(value, "NaN" if value != value else repr(value))
        return f"CAST('{text}' AS {'FLOAT' if kind == pa.float32() else 'DOUBLE'})"
    if pa.types.is_decimal(kind):
        return f"CAST('{value:f}' AS DECIMAL({kind.precision},{kind.scale}))"
    if pa.types.is_date(kind):
        return f"DATE '{value.isoformat()}'"
    if pa.types.is_timestamp(kind):
        micros = (value - EPOCH) // datetime.timedelta(microseconds=1)
        return {"duckdb": f"make_timestamptz({micros})", "spark": f"timestamp_micros({micros})",
                "datafusion": f"arrow_cast(CAST('{micros}' AS BIGINT), 'Timestamp(Microsecond, Some(\"UTC\"))')"}[dialect]
    code = value if isinstance(value, bytes) else value.encode()
    if dialect == "duckdb":
        blob = "'" + "".join(f"\\x{byte:02X}" for byte in code) + "'::BLOB"
        return blob if isinstance(value, bytes) else f"decode({blob})"
    hexed = f"X'{code.hex()}'"
    return hexed if isinstance(value, bytes) else f"CAST({hexed} AS {'STRING' if dialect == 'spark' else 'VARCHAR'})"


def leaves(fields: Any, parents: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], pa.DataType]]:
    found = []
    for field in fields:
        path = (*parents, field.name)
        found.append((path, field.type))
        if pa.types.is_struct(field.type):
            found += leaves(field.type, path)
    return found


def python_value(kind: pa.DataType, value: Any) -> Any:
    """None if Python has no such value."""
    if pa.types.is_date(kind):
        return EPOCH.date() + datetime.timedelta(days=value) if -719162 <= value <= 2932896 else None
    if pa.types.is_timestamp(kind):
        return EPOCH + datetime.timedelta(microseconds=value) if FIRST_MICROS <= value <= LAST_MICROS else None
    if kind == pa.float32():
        return struct.unpack("f", struct.pack("f", value))[0]
    return value


def filters(schema: pa.Schema, count: int, seed: int) -> list[Filter]:
    rng = random.Random(seed)
    columns = leaves(schema)
    made = []
    while len(made) < count:
        path, kind = rng.choice(columns)
        nested = pa.types.is_nested(kind)
        tests = ["is null", "is not null"] + ["is nan"] * pa.types.is_floating(kind)
        if nested or rng.random() < 0.15:
            made.append(Filter(path, kind, rng.choice(tests)))
            continue
        operator = rng.choice(OPERATORS)
        drawn = [python_value(kind, rng.choice(extremes(kind, path[-1])) if rng.random() < 0.5
                              else ordinary(kind, rng.randrange(12), rng)) for _ in range(3 if operator == "in" else 1)]
        if None not in drawn:
            made.append(Filter(path, kind, operator, tuple(drawn)))
    return made
