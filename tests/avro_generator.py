"""Random Avro schemas of every type, readers that evolved from them, values, and their bytes.

A schema is built of dicts that are shared when a named type is used again; text() writes the definition at its first
place and the name at the others, as Avro requires. Bytes are written here, in several blocks and with their sizes,
so that no library's habits hide one of ours."""

import copy
import random
import struct

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
UNITS_A_DAY = {"date": 1, "timestamp-millis": 86_400_000, "timestamp-micros": 86_400_000_000}
LOGICAL = [("int", "date"), ("int", "time-millis"), ("long", "time-micros"), ("string", "uuid"),
           *[("long", f"{local}timestamp-{unit}") for local in ("", "local-")
             for unit in ("millis", "micros", "nanos")]]
PROMOTIONS = {"int": ["long", "float", "double"], "long": ["float", "double"], "float": ["double"],
              "string": ["bytes"], "bytes": ["string"]}
NAMED = ("record", "enum", "fixed")
TEXTS = ["", "a", "brioche ", "é", "日本", "🛒", "\0", "\"\\\n"]


def kind(schema: dict) -> str:
    return schema["type"]


def name(schema: dict) -> str:
    """The full name of a named type."""
    return f"{schema['namespace']}.{schema['name']}"


def text(schema: dict, defined: set[str] | None = None) -> object:
    """As JSON; keys that begin with _ are ours."""
    defined = set() if defined is None else defined
    if kind(schema) == "union":
        return [text(branch, defined) for branch in schema["branches"]]
    if kind(schema) in NAMED:
        if name(schema) in defined:
            return name(schema)
        defined.add(name(schema))
    out = {key: value for key, value in schema.items() if not key.startswith("_")}
    if set(out) == {"type"}:
        return kind(schema)
    for key in ("items", "values"):
        if key in out:
            out[key] = text(out[key], defined)
    if "fields" in out:
        out["fields"] = [{**field, "type": text(field["type"], defined)} for field in out["fields"]]
    return out


def without_logical_types(schema: object) -> object:
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: value if key == "default" else without_logical_types(value)
            for key, value in schema.items() if key not in ("logicalType", "precision", "scale")}


class Generator:
    """`for_fastavro`: excludes what fastavro 1.13.1 reads differently from the specification and Avro Java:
    - defaults that only the reader has: it uses the JSON as the value, so that bytes stay text;
    - unions with a branch that needs promotion before the branch of the value's own type: the first wins;
    - an int or a long read as a float: it is not rounded to one;
    - a named type used twice: the second use is not always found if the first is in a union."""

    def __init__(self, seed: int, for_fastavro: bool = False):
        self._draw = random.Random(seed)
        self._for_fastavro = for_fastavro
        self._names = 0
        self._known: list[dict] = []  # Named types that may be used again.

    # --- Schemas ---------------------------------------------------------------------------------

    def writer(self) -> dict:
        """A record whose last field, which no reader reads, is some bytes: Java 1.12.2 considers an array truncated
        if fewer bytes follow than its items have in the reader's schema."""
        schema = self.record()
        schema["fields"].append({"name": "tail", "type": {"type": "fixed", "name": "Tail", "namespace": "org",
                                                          "size": 800}})
        return schema

    def record(self, depth: int = 3, fields: int = 6) -> dict:
        schema = self._named("record")
        schema["fields"] = [self._field(depth - 1) for _ in range(self._draw.randrange(fields + 1))]
        self._known.append(schema)
        return schema

    def _fresh(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _named(self, which: str) -> dict:
        return {"type": which, "name": self._fresh("T"), "namespace": self._draw.choice(["com.shop", "org"])}

    def _field(self, depth: int) -> dict:
        field = {"name": self._fresh("f"), "type": self.type(depth)}
        # Java checks a writer's defaults against its types after renaming them by the reader's aliases.
        if self._draw.random() < 0.1 and kind(field["type"]) in PRIMITIVES:
            field["default"] = self.default(field["type"])
        return field

    def type(self, depth: int) -> dict:
        roll = self._draw.random()
        if depth <= 0 or roll < 0.35:
            return {"type": self._draw.choice(PRIMITIVES)}
        if roll < 0.5:
            return self._logical()
        if roll < 0.6:
            return self._draw.choice([self._enum, self._fixed])()
        if roll < 0.65 and self._known and not self._for_fastavro:
            return self._draw.choice(self._known)
        if roll < 0.75:
            return self.record(depth - 1, fields=4)
        if roll < 0.83:
            return {"type": "array", "items": self.type(depth - 1)}
        if roll < 0.89:
            return {"type": "map", "values": self.type(depth - 1)}
        return self._union(depth - 1)

    def _enum(self) -> dict:
        schema = self._named("enum")
        schema["symbols"] = [f"S{i}" for i in range(self._draw.randrange(1, 6))]
        self._known.append(schema)
        return schema

    def _fixed(self) -> dict:
        schema = self._named("fixed")
        schema["size"] = self._draw.choice([0, 1, 5, 20])
        self._known.append(schema)
        return schema

    def _logical(self) -> dict:
        roll = self._draw.random()
        if roll < 0.6:
            base, logical = self._draw.choice(LOGICAL)
            return {"type": base, "logicalType": logical}
        if roll < 0.7:
            return {**self._named("fixed"), **self._draw.choice([{"size": 16, "logicalType": "uuid"},
                                                                 {"size": 12, "logicalType": "duration"}])}
        precision = self._draw.choice([1, 5, 18, 38, 39, 60])
        decimal = {"logicalType": "decimal", "precision": precision,
                   "scale": self._draw.randrange(precision + 1)}
        if self._draw.random() < 0.5:
            return {"type": "bytes", **decimal}
        return {**self._named("fixed"), "size": (precision * 10) // 24 + 2, **decimal}

    def _union(self, depth: int) -> dict:
        branches: list[dict] = []
        for branch in [self.type(depth) for _ in range(self._draw.randrange(1, 5))]:
            self._add_branch(branches, branch)
        if not branches or self._draw.random() < 0.5:
            self._add_branch(branches, {"type": "null"})
        self._draw.shuffle(branches)
        return {"type": "union", "branches": branches}

    def _add_branch(self, branches: list[dict], branch: dict) -> None:
        """Unless the union cannot have it."""
        promoted = {to for old in branches for to in PROMOTIONS.get(kind(old), [])}
        promotes = {kind(old) for old in branches} & {*PROMOTIONS.get(kind(branch), [])}
        if self._for_fastavro and (kind(branch) in promoted or promotes):
            return
        same = name if kind(branch) in NAMED else kind
        if kind(branch) != "union" and all(kind(b) != kind(branch) or same(b) != same(branch) for b in branches):
            branches.append(branch)

    def default(self, schema: dict) -> object:
        """JSON; of a union's first branch."""
        which = kind(schema)
        if which == "union":
            return self.default(schema["branches"][0])
        if which == "record":
            return {field["name"]: self.default(field["type"]) for field in schema["fields"]}
        if which == "array":
            return [self.default(schema["items"]) for _ in range(self._draw.randrange(3))]
        if which == "map":
            return {f"k{i}": self.default(schema["values"]) for i in range(self._draw.randrange(3))}
        value = self.value(schema)
        if which in ("bytes", "fixed"):
            return value.decode("latin-1")
        return value

    # --- Readers ---------------------------------------------------------------------------------

    def evolve(self, writer: dict) -> dict:
        """A reader that can read the writer's values, except for an occasional null."""
        self._evolved: dict[int, dict] = {}
        self._known = []  # The reader has its own copy of each.
        return self._evolve(writer, top=True)

    def _evolve(self, writer: dict, top: bool = False, in_union: bool = False) -> dict:
        if kind(writer) == "union":
            return self._evolve_union(writer)
        if kind(writer) in NAMED:
            if id(writer) not in self._evolved:
                self._evolved[id(writer)] = reader = copy.copy(writer)
                self._evolve_named(writer, reader)
            reader = self._evolved[id(writer)]
        elif kind(writer) in ("array", "map"):
            key = "items" if kind(writer) == "array" else "values"
            reader = {**writer, key: self._evolve(writer[key])}
        else:
            reader = self._promoted(writer, in_union)
        if top or in_union or self._draw.random() < 0.75:
            return reader
        branches = [reader]
        for _ in range(self._draw.randrange(3)):
            other = self.type(0)
            if kind(other) not in (kind(reader), kind(writer)):
                self._add_branch(branches, other)
        if self._draw.random() < 0.7:
            self._add_branch(branches, {"type": "null"})
        self._draw.shuffle(branches)
        return {"type": "union", "branches": branches}

    def _promoted(self, writer: dict, in_union: bool) -> dict:
        if writer.get("logicalType") or in_union or self._draw.random() < 0.5:
            drops = writer.get("logicalType") and self._draw.random() < 0.2
            return {"type": kind(writer)} if drops else writer
        promoted = [to for to in PROMOTIONS.get(kind(writer), []) if to != "float" or not self._for_fastavro]
        reader = {"type": self._draw.choice([*promoted, kind(writer)])}
        if kind(writer) == "bytes" and kind(reader) == "string":
            writer["_text"] = True
        return reader

    def _evolve_union(self, writer: dict) -> dict:
        kinds = {kind(branch) for branch in writer["branches"]}
        values = [b for b in writer["branches"] if kind(b) != "null"]
        if len(values) == 1 and self._draw.random() < 0.3:
            return self._evolve(values[0])
        if kinds <= {"int", "long", "float"} and not any("logicalType" in b for b in values):
            return {"type": "double"}
        branches: list[dict] = []
        for branch in writer["branches"]:
            self._add_branch(branches, self._evolve(branch, in_union=True))
        for _ in range(self._draw.randrange(3)):
            self._add_branch(branches, self.type(1))
        self._draw.shuffle(branches)
        return {"type": "union", "branches": branches}

    def _evolve_named(self, writer: dict, reader: dict) -> None:
        if self._draw.random() < 0.2:
            reader["aliases"] = [name(writer)]
            reader["name"] = self._fresh("N")
        if kind(writer) == "enum":
            reader["symbols"] = [*writer["symbols"], self._fresh("Z")]
            self._draw.shuffle(reader["symbols"])
            if self._draw.random() < 0.4:
                reader["default"] = reader["symbols"].pop()
                reader["symbols"] = [*reader["symbols"][1:], reader["default"]]
        if kind(writer) != "record":
            return
        fields = []
        for field in writer["fields"]:
            if self._draw.random() < 0.15 or field["name"] == "tail":
                continue  # Only the writer has it.
            new = {"name": field["name"], "type": self._evolve(field["type"])}
            if self._draw.random() < 0.15:
                new = {**new, "name": self._fresh("r"), "aliases": [field["name"]]}
            fields.append(new)
        for _ in range(0 if self._for_fastavro else self._draw.randrange(3)):
            new = {"name": self._fresh("n"), "type": self.type(2)}
            fields.append({**new, "default": self.default(new["type"])})
        self._draw.shuffle(fields)
        reader["fields"] = fields

    # --- Values ----------------------------------------------------------------------------------

    def value(self, schema: dict) -> object:
        """Raw, without logical types; of a union, the number of the branch and its value."""
        draw, which = self._draw, kind(schema)
        if which == "union":
            branch = draw.randrange(len(schema["branches"]))
            return branch, self.value(schema["branches"][branch])
        if which == "record":
            return {field["name"]: self.value(field["type"]) for field in schema["fields"]}
        if which == "array":
            return [self.value(schema["items"]) for _ in range(draw.choice([0, 1, 2, 9]))]
        if which == "map":
            keys = {draw.choice(TEXTS) + str(draw.randrange(20)) for _ in range(draw.choice([0, 1, 5]))}
            return {key: self.value(schema["values"]) for key in sorted(keys)}
        if which == "enum":
            return draw.choice(schema["symbols"])
        return self._plain(schema)

    def _plain(self, schema: dict) -> object:
        draw, which = self._draw, kind(schema)
        if schema.get("logicalType") == "decimal":
            limit = 10 ** draw.randrange(schema["precision"] + 1)
            unscaled = draw.choice([0, limit - 1, 1 - limit, draw.randrange(limit)])
            size = schema["size"] if which == "fixed" else (unscaled + (unscaled < 0)).bit_length() // 8 + 1
            return unscaled.to_bytes(size, "big", signed=True)
        if which == "null":
            return None
        if which == "boolean":
            return draw.random() < 0.5
        if which in ("int", "long"):
            bits = draw.randrange(32 if which == "int" else 64)
            value = draw.choice([draw.getrandbits(bits), -1 - draw.getrandbits(bits)])
            units = UNITS_A_DAY.get(schema.get("logicalType"))
            # The years 0001 to 9999; others are refused.
            return value if units is None else min(max(value, -719_162 * units), 2_932_897 * units - 1)
        if which == "float":
            return struct.unpack("<f", struct.pack("<f", draw.uniform(-1e6, 1e6)))[0]
        if which == "double":
            return draw.choice([0.0, -1e300, 5e-324, draw.uniform(-1e6, 1e6)])
        if which == "fixed":
            return draw.randbytes(schema["size"])
        words = "".join(draw.choices(TEXTS, k=draw.randrange(8)))
        if which == "string":
            return words
        return words.encode() if schema.get("_text") else draw.randbytes(draw.choice([0, 1, 15, 17, 60]))

    # --- Bytes -----------------------------------------------------------------------------------

    def encode(self, value: object, schema: dict) -> bytes:
        which = kind(schema)
        if which == "union":
            branch, inner = value
            return varint(branch) + self.encode(inner, schema["branches"][branch])
        if which == "record":
            return b"".join(self.encode(value[f["name"]], f["type"]) for f in schema["fields"])
        if which == "array":
            return self._blocks([self.encode(item, schema["items"]) for item in value])
        if which == "map":
            return self._blocks([varint(len(key.encode())) + key.encode() + self.encode(item, schema["values"])
                                 for key, item in value.items()])
        if which == "enum":
            return varint(schema["symbols"].index(value))
        if which == "null":
            return b""
        if which == "boolean":
            return bytes([value])
        if which in ("int", "long"):
            return varint(value)
        if which in ("float", "double"):
            return struct.pack("<f" if which == "float" else "<d", value)
        if which == "fixed":
            return value
        encoded = value.encode() if which == "string" else value
        return varint(len(encoded)) + encoded

    def _blocks(self, items: list[bytes]) -> bytes:
        out = b""
        while items:
            count = self._draw.randrange(1, len(items) + 1)
            block, items = b"".join(items[:count]), items[count:]
            with_size = self._draw.random() < 0.4
            out += (varint(-count) + varint(len(block)) if with_size else varint(count)) + block
        return out + b"\0"


def varint(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
