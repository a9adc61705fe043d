"""Compares our Avro codec with independent ones, fastavro and Apache's avro for Python and Java: both directions,
schema resolution, canonical forms and the compatibility rules. Needs no broker."""

import datetime
import io
import json
import math
import os
import pathlib
import random
import struct
import subprocess

import avro.compatibility
import avro.io
import avro.schema
import fastavro
import fastavro.schema
import pyarrow as pa
import pytest

from avro_generator import Generator, text, without_logical_types
from avro_java import answered, java_program
from avro_mapping import row, whole_micros, with_hex, without_branches
from places import ROOT

DRIVER = pathlib.Path(os.environ.get("SHOPSTREAM_CODEC_DRIVER",
                                     ROOT / "build/release/src/avro/codec_driver"))
PURCHASE = json.loads((ROOT / "schemas/purchase_event.avsc").read_text())
UTC = datetime.timezone.utc


def record(*fields: dict | tuple) -> dict:
    """A record of fields, each {"name": ...} or (name, type)."""
    return {"type": "record", "name": "R",
            "fields": [f if isinstance(f, dict) else {"name": f[0], "type": f[1]} for f in fields]}


MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
EVERY_TYPE = record(("a", "int"), ("b", "long"), ("c", "float"), ("d", "double"), ("e", "boolean"),
                    ("f", "string"), ("g", "bytes"), ("h", MILLIS), ("i", ["null", "int"]),
                    ("j", ["string", "null"]), ("k", ["null", MILLIS]), ("l", ["null", "bytes"]))
# Every field promoted, made nullable, renamed, dropped or new, and in another order.
EVOLVED = record(
    ("k", ["null", MILLIS]), ("d", ["null", "double"]), ("c", "double"), ("b", "double"),
    {"name": "renamed", "aliases": ["a"], "type": "float"}, ("g", "bytes"), ("f", "bytes"),
    ("j", ["null", "string"]), ("i", ["null", "long"]), ("h", ["null", MILLIS]),
    {"name": "new_text", "type": "string", "default": "none"},
    {"name": "new_null", "type": ["null", "long"], "default": None},
    {"name": "new_real", "type": "double", "default": 1.5})


class Codec:
    """The driver, with schemas in the files that it requires."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder

    def _run(self, command: str, *schemas: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        paths = []
        for number, schema in enumerate(schemas):
            paths.append(self._folder / f"{number}.avsc")
            paths[-1].write_text(json.dumps(schema))
        return subprocess.run([DRIVER, command, *paths], input=stdin, capture_output=True, timeout=60)

    def decode(self, bodies: list[bytes], writer: dict, reader: dict) -> tuple[pa.Table, dict[int, str]]:
        """The rows, and the reason for each rejected body."""
        frames = b"".join(struct.pack("<I", len(body)) + body for body in bodies)
        done = self._run("decode", writer, reader, stdin=frames)
        assert done.returncode == 0, done.stderr.decode()
        refused = dict(line.split(": ", 1) for line in done.stderr.decode().splitlines())
        return pa.ipc.open_stream(done.stdout).read_all(), {int(k): v for k, v in refused.items()}

    def encode(self, rows: pa.Table, schema: dict) -> list[bytes]:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as stream:
            stream.write_table(rows)
        done = self._run("encode", schema, stdin=sink.getvalue().to_pybytes())
        assert done.returncode == 0, done.stderr.decode()
        bodies, source = [], io.BytesIO(done.stdout)
        while size := source.read(4):
            bodies.append(source.read(struct.unpack("<I", size)[0]))
        return bodies

    def canonical(self, schema: object) -> str:
        done = self._run("canonical", schema)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().rstrip("\n")

    def broken_rules(self, pairs: list[tuple[object, object]]) -> list[list[str]]:
        """The violated rules for each reader and writer."""
        lines = [f"{json.dumps(reader)}\t{json.dumps(writer)}\n" for reader, writer in pairs]
        done = self._run("readable", stdin="".join(lines).encode())
        assert done.returncode == 0, done.stderr.decode()
        return [line.split() for line in done.stdout.decode().splitlines()]


@pytest.fixture
def codec(tmp_path: pathlib.Path) -> Codec:
    if not DRIVER.exists():
        pytest.fail(f"{DRIVER} is missing: ./run build")
    return Codec(tmp_path)


class FastAvro:
    CANNOT_RESOLVE: set[str] = set()  # Fields of EVOLVED.

    @staticmethod
    def write(value: dict, schema: dict) -> bytes:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
        return out.getvalue()

    @staticmethod
    def read(body: bytes, writer: dict, reader: dict) -> dict:
        source = io.BytesIO(body)
        value = fastavro.schemaless_reader(source, fastavro.parse_schema(writer),
                                           fastavro.parse_schema(reader))
        assert source.tell() == len(body)
        return value


class ApacheAvro:
    CANNOT_RESOLVE = {"renamed", "f"}  # Neither aliases nor the promotion of string to bytes.

    @staticmethod
    def write(value: dict, schema: dict) -> bytes:
        out = io.BytesIO()
        avro.io.DatumWriter(avro.schema.parse(json.dumps(schema))).write(value, avro.io.BinaryEncoder(out))
        return out.getvalue()

    @staticmethod
    def read(body: bytes, writer: dict, reader: dict) -> dict:
        source = io.BytesIO(body)
        schemas = [avro.schema.parse(json.dumps(schema)) for schema in (writer, reader)]
        value = avro.io.DatumReader(*schemas).read(avro.io.BinaryDecoder(source))
        assert source.tell() == len(body)
        return value


both = pytest.mark.parametrize("other", [FastAvro, ApacheAvro])


def random_value(kind: object, draw: random.Random) -> object:
    if isinstance(kind, list):
        value = next(branch for branch in kind if branch != "null")
        return None if draw.random() < 0.3 else random_value(value, draw)
    if kind == MILLIS:
        return datetime.datetime.fromtimestamp(draw.randrange(253_402_300_800), UTC) + \
            datetime.timedelta(milliseconds=draw.randrange(-(1 << 36), 0))
    if kind in ("int", "long"):
        bits = draw.randrange(32 if kind == "int" else 64)
        return draw.choice([draw.getrandbits(bits), -1 - draw.getrandbits(bits)])
    if kind == "float":
        return struct.unpack("<f", struct.pack("<f", draw.uniform(-1e6, 1e6)))[0]
    if kind == "double":
        return draw.choice([0.0, -1e300, draw.uniform(-1e6, 1e6), math.inf])
    if kind == "boolean":
        return draw.random() < 0.5
    if kind == "string":
        return "".join(draw.choices(["a", "brioche ", "é", "日本", "🛒", "\0"], k=draw.randrange(12)))
    return draw.randbytes(draw.choice([0, 1, 15, 16, 17, 200]))


def random_values(schema: dict, count: int) -> list[dict]:
    draw = random.Random(20251024)
    return [{f["name"]: random_value(f["type"], draw) for f in schema["fields"]} for _ in range(count)]


@both
@pytest.mark.parametrize("schema", [PURCHASE, EVERY_TYPE], ids=["purchase", "every_type"])
def test_reads_what_others_write(codec: Codec, other, schema: dict) -> None:
    values = random_values(schema, 300)
    rows, refused = codec.decode([other.write(value, schema) for value in values], schema, schema)
    assert not refused
    assert rows.to_pylist() == values


@both
def test_resolves_schemas_as_others_do(codec: Codec, other) -> None:
    reader = record(*[f for f in EVOLVED["fields"] if f["name"] not in other.CANNOT_RESOLVE])
    bodies = [other.write(value, EVERY_TYPE) for value in random_values(EVERY_TYPE, 300)]
    rows, refused = codec.decode(bodies, EVERY_TYPE, reader)
    assert not refused
    expected = [other.read(body, EVERY_TYPE, reader) for body in bodies]
    for row, value in zip(rows.to_pylist(), expected, strict=True):
        value["b"] = float(value["b"])  # Apache's returns a long read as a double unchanged.
        if "renamed" in value:  # Nor does Python round an int that is read as a float.
            value["renamed"] = struct.unpack("<f", struct.pack("<f", value["renamed"]))[0]
        assert row == value


@both
def test_others_read_what_it_writes(codec: Codec, other) -> None:
    columns = pa.schema([("a", pa.int32()), ("b", pa.int64()), ("d", pa.float64()), ("e", pa.bool_()),
                         ("f", pa.string()), ("g", pa.binary()), ("h", pa.timestamp("ms", "UTC")),
                         ("i", pa.int32()), ("j", pa.string()), ("k", pa.timestamp("ms", "UTC")),
                         ("l", pa.binary())])
    schema = record(*[f for f in EVERY_TYPE["fields"] if f["name"] in columns.names])
    values = random_values(schema, 300)
    bodies = codec.encode(pa.Table.from_pylist(values, columns), schema)
    assert [other.read(body, schema, schema) for body in bodies] == values
    assert bodies == [other.write(value, schema) for value in values]


@both
def test_refuses_every_truncation_that_others_refuse(codec: Codec, other) -> None:
    body = other.write(random_values(PURCHASE, 1)[0], PURCHASE)
    prefixes = [body[:size] for size in range(len(body))]
    rows, refused = codec.decode([*prefixes, body], PURCHASE, PURCHASE)
    assert rows.num_rows == 1
    assert refused == {size: "the bytes end inside a value" for size in range(len(body))}
    for prefix in prefixes:
        with pytest.raises(Exception):
            other.read(prefix, PURCHASE, PURCHASE)


ORDER = {"type": "record", "name": "Order", "namespace": "com.shop", "doc": "x", "fields": [
    {"name": "id", "type": {"type": "fixed", "name": "Id", "size": 16}, "doc": "y"},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
    {"name": "lines", "type": {"type": "array", "items": {"type": "map", "values": "double"}}},
    {"name": "note", "aliases": ["remark"], "type": ["null", "string"], "default": None},
    {"name": "parent", "type": ["null", "Order"]}, {"name": "at", "type": MILLIS}]}


@pytest.mark.parametrize("schema", [PURCHASE, EVERY_TYPE, EVOLVED, ORDER, "string", ["null", "int"]])
def test_canonical_form_is_that_of_others(codec: Codec, schema: object) -> None:
    assert codec.canonical(schema) == fastavro.schema.to_parsing_canonical_form(schema)


def readable_pairs() -> list[tuple[object, object]]:
    """Every type read as every other, and records that differ by one field."""
    kinds = ["null", "boolean", "int", "long", "float", "double", "bytes", "string",
             ["null", "int"], ["null", "long"], ["string", "int"],
             {"type": "array", "items": "int"}, {"type": "array", "items": "long"},
             {"type": "map", "values": "int"}, {"type": "map", "values": "string"},
             {"type": "fixed", "name": "F", "size": 4}, {"type": "fixed", "name": "F", "size": 8},
             {"type": "enum", "name": "E", "symbols": ["A"]},
             {"type": "enum", "name": "E", "symbols": ["A", "B"]}]
    pairs: list[tuple[object, object]] = [(reader, writer) for reader in kinds for writer in kinds]
    plain = record(("a", "int"), ("b", "string"))
    for reader in [plain, record(("a", "long")), record(("a", "string")), record(("c", "int")),
                   record({"name": "c", "type": "int", "default": 1}),
                   record({"name": "c", "type": "int", "aliases": ["a"]}), {**plain, "name": "S"}]:
        pairs.append((reader, plain))
    return pairs


def test_compatibility_is_that_of_apache(codec: Codec) -> None:
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()
    compatible = avro.compatibility.SchemaCompatibilityType.compatible
    pairs = readable_pairs()
    for (reader, writer), ours in zip(pairs, codec.broken_rules(pairs), strict=True):
        theirs = checker.get_compatibility(avro.schema.parse(json.dumps(reader)),
                                           avro.schema.parse(json.dumps(writer)))
        assert (theirs.compatibility == compatible) == (not ours), (reader, writer, ours)


# --- Random schemas of every type ----------------------------------------------------------------

SCHEMAS = 2_000
BODIES = 3  # Of each.


class Case:
    """A writer, a reader that evolved from it, and bytes."""

    def __init__(self, seed: int, for_fastavro: bool = False):
        draw = Generator(seed, for_fastavro)
        self.writer_type = draw.writer()
        self.reader_type = draw.evolve(self.writer_type)
        values = [draw.value(self.writer_type) for _ in range(BODIES)]
        self.bodies = [draw.encode(value, self.writer_type) for value in values]
        self.writer, self.reader = text(self.writer_type), text(self.reader_type)

    def line(self) -> str:
        return json.dumps({"writer": self.writer, "reader": self.reader,
                           "bodies": [body.hex() for body in self.bodies]}) + "\n"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Those for fastavro come last."""
    return [Case(seed, for_fastavro) for for_fastavro in (False, True) for seed in range(SCHEMAS)]


def answers(command: list[str | pathlib.Path], cases: list[Case]) -> list[dict]:
    """One JSON line for each case."""
    lines = answered(command, "".join(case.line() for case in cases))
    return [json.loads(line) for line in lines.split("\n")[:-1]]


@pytest.fixture(scope="module")
def ours(cases: list[Case]) -> list[dict]:
    return answers([DRIVER, "cases"], cases)


@pytest.fixture(scope="module")
def java(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    return answers(java_program("DecodeAvro", tmp_path_factory.mktemp("classes"), "-Xmx256m"), cases)


def test_random_schemas_give_the_values_of_avro_java(cases: list[Case], ours: list[dict],
                                                     java: list[dict]) -> None:
    decoded = refused = 0
    for seed, (case, our, their) in enumerate(zip(cases, ours, java, strict=True)):
        assert "error" not in our, (seed, our["error"], case.writer, case.reader)
        for got, raw in zip(our["rows"], their["values"], strict=True):
            if "error" in raw:
                # The only thing that a compatible reader may reject.
                assert got.get("error") == "a null is not allowed by the reader's schema", (
                    seed, got, raw, case.writer, case.reader)
                refused += 1
                continue
            assert got == row(raw, case.reader_type), (seed, case.writer, case.reader)
            decoded += 1
    assert decoded > 0.9 * len(cases) * BODIES and refused > 0


def test_random_schemas_give_the_values_of_fastavro(cases: list[Case], java: list[dict]) -> None:
    """Compared with Java's values, which equal ours."""
    for seed, (case, their) in enumerate(zip(cases[SCHEMAS:], java[SCHEMAS:], strict=True)):
        writer, reader = without_logical_types(case.writer), without_logical_types(case.reader)
        for body, raw in zip(case.bodies, their["values"], strict=True):
            if "error" in raw:
                continue
            value = with_hex(FastAvro.read(body, writer, reader))
            assert value == without_branches(raw, case.reader_type), (seed, case.writer, case.reader)


def test_others_read_random_rows_that_it_writes(cases: list[Case], ours: list[dict], java: list[dict]) -> None:
    """Each row, encoded again with the reader's schema, decodes to the original value."""
    for seed, (case, our, their) in enumerate(zip(cases, ours, java, strict=True)):
        raws = [raw for raw in their["values"] if "error" not in raw]
        reader = without_logical_types(case.reader)
        for body, raw in zip(our["encoded"], raws, strict=True):
            value = with_hex(FastAvro.read(bytes.fromhex(body), reader, reader))
            # Fractions of a microsecond are dropped.
            assert value == without_branches(whole_micros(raw, case.reader_type), case.reader_type), seed
