"""An independent version of the table in docs/avro.md, to compare ours with: from a raw Avro value to its row.

Raw values are those of DecodeAvro.java: bytes in hexadecimal, a value of a union with the number of its branch.
Schemas are those of avro_generator.py."""

import struct
import uuid

from avro_generator import NAMED, kind, name

MICROS = {"timestamp-millis": lambda n: n * 1000, "timestamp-micros": lambda n: n,
          "timestamp-nanos": lambda n: n // 1000}


def member_names(values: list[dict]) -> list[str]:
    plain = [kind(value) for value in values if "logicalType" not in value]
    wide = {"int": "long", "float": "double"}
    names = []
    for value in values:
        if kind(value) in NAMED:
            names.append(value["name"])
        elif "logicalType" in value:
            names.append(value["logicalType"].replace("-", "_"))
        else:
            wider = wide.get(kind(value), kind(value))
            names.append(kind(value) if wider in plain else wider)
    folded = [each.lower() for each in names]
    return [name(value).replace(".", "_") if kind(value) in NAMED and folded.count(each.lower()) > 1 else each
            for value, each in zip(values, names, strict=True)]


def row(raw: dict, schema: dict) -> dict:
    """Of the whole record."""
    return {field["name"]: row_value(raw[field["name"]], field["type"]) for field in schema["fields"]}


def row_value(raw: object, schema: dict) -> object:
    """As codec_driver prints it."""
    which = kind(schema)
    if which == "union":
        return union_value(raw, schema["branches"])
    if which == "record":
        return row(raw, schema) or {"_empty": None}
    if which == "array":
        return [row_value(item, schema["items"]) for item in raw]
    if which == "map":
        return {key: row_value(item, schema["values"]) for key, item in raw.items()}
    logical = schema.get("logicalType")
    if logical in MICROS:
        return MICROS[logical](raw)
    if logical == "decimal":
        return decimal_value(raw, schema)
    if which == "fixed" and logical == "uuid":
        return str(uuid.UUID(hex=raw))
    if logical == "duration":
        months, days, millis = struct.unpack("<3I", bytes.fromhex(raw))
        return f"P{months}M{days}DT{millis // 1000}.{millis % 1000:03}S"
    return raw.upper() if which in ("bytes", "fixed") else raw


def union_value(raw: list, branches: list[dict]) -> object:
    branch, inner = raw
    values = [b for b in branches if kind(b) != "null"]
    if kind(branches[branch]) == "null":
        return None
    value = row_value(inner, branches[branch])
    if len(values) == 1:
        return value
    chosen = next(i for i, candidate in enumerate(values) if candidate is branches[branch])
    return {each: value if i == chosen else None for i, each in enumerate(member_names(values))}


def decimal_value(raw: str, schema: dict) -> str:
    number = int.from_bytes(bytes.fromhex(raw), "big", signed=True)
    if schema["precision"] <= 38:
        return str(number)
    digits, scale = str(abs(number)), schema["scale"]
    if scale:
        digits = digits.rjust(scale + 1, "0")
        digits = f"{digits[:-scale]}.{digits[-scale:]}"
    return ("-" if number < 0 else "") + digits


def whole_micros(raw: object, schema: dict) -> object:
    """Truncates nanoseconds to the microseconds that a row keeps."""
    which = kind(schema)
    if which == "union":
        return [raw[0], whole_micros(raw[1], schema["branches"][raw[0]])]
    if which == "record":
        return {f["name"]: whole_micros(raw[f["name"]], f["type"]) for f in schema["fields"]}
    if which == "array":
        return [whole_micros(item, schema["items"]) for item in raw]
    if which == "map":
        return {key: whole_micros(item, schema["values"]) for key, item in raw.items()}
    return raw // 1000 * 1000 if schema.get("logicalType") == "timestamp-nanos" else raw


def without_branches(raw: object, schema: dict) -> object:
    """For libraries that do not report the chosen branch."""
    which = kind(schema)
    if which == "union":
        return without_branches(raw[1], schema["branches"][raw[0]])
    if which == "record":
        return {f["name"]: without_branches(raw[f["name"]], f["type"]) for f in schema["fields"]}
    if which == "array":
        return [without_branches(item, schema["items"]) for item in raw]
    if which == "map":
        return {key: without_branches(item, schema["values"]) for key, item in raw.items()}
    return raw


def listed(value: object) -> object:
    """Branches of unions with their values as lists, which avro_generator.py has as tuples."""
    if isinstance(value, (tuple, list)):
        return [listed(item) for item in value]
    return {key: listed(item) for key, item in value.items()} if isinstance(value, dict) else value


def with_hex(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [with_hex(item) for item in value]
    if isinstance(value, dict):
        return {key: with_hex(item) for key, item in value.items()}
    return value
