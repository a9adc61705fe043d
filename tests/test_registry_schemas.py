"""Schema texts are accepted, refused and printed as in Avro's Java library: a registry must accept what Java accepts,
and no Java client could read what Java refuses."""

import copy
import json
import pathlib
import random
import unicodedata
from typing import Any

import pytest

from avro_java import answered, java_program
from avro_schemas import Schemas
from places import ROOT

DRIVER = ROOT / "build/release/src/registry/schema_driver"
MUTATED = 2_000

Answer = dict[str, Any]


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the Java library."""
    return java_program("ParseSchema", tmp_path_factory.mktemp("classes"), "-XX:TieredStopAtLevel=1", "-Xss16m")


def answers(command: list[str | pathlib.Path], texts: list[str]) -> list[Answer]:
    lines = answered(command, "".join(json.dumps(text) + "\n" for text in texts))
    return [json.loads(line) for line in lines.split("\n")[:-1]]


def field(type: Any, **more: Any) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": type, **more}]},
                      ensure_ascii=False)


def nested(depth: int, one: str) -> str:
    """One type within another; `one` has %s for the inner type and %d for a number."""
    text = '"int"'
    for number in range(depth):
        text = one.replace("%d", str(number)).replace("%s", text)
    return text


FIXED = {"type": "fixed", "name": "F", "size": 2}
ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
INNER = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
RECORD = '{"type": "record", "name": "R%d", "fields": [{"name": "f", "type": %s}]}'
TEXTS = {
    "comment": '{"type": /* a */ "int"}',
    "comment to the end of the line": '{"type": // a\n "int"}',
    "comment after the end": '{"type": "int"} // a',
    "comment in text": field("string", default="/* // */"),
    "byte order mark": "\ufeff\"int\"",
    "text after the end": '"int" "int"',
    "empty union": "[]",
    "namespace null": '{"type": "record", "name": "R", "namespace": null, "fields": []}',
    "namespace number": '{"type": "record", "name": "R", "namespace": 7, "fields": []}',
    "namespace empty within another": '{"type": "record", "name": "a.R", "fields": [{"name": "f", "type": '
                                      '{"type": "fixed", "name": "F", "namespace": "", "size": 1}}]}',
    "namespace with two dots": '{"type": "record", "name": "R", "namespace": "a..b", "fields": []}',
    "name in Cyrillic": '{"type": "record", "name": "Запись", "fields": []}',
    "field in German": '{"type": "record", "name": "R", "fields": [{"name": "größe", "type": "int"}]}',
    "superscript": '{"type": "record", "name": "R²", "fields": []}',
    "name of a primitive": '{"type": "record", "name": "int", "fields": []}',
    "name that begins with a dot": '{"type": "record", "name": ".R", "namespace": "a", "fields": []}',
    "enum default null": json.dumps({**ENUM, "default": None}),
    "enum default number": json.dumps({**ENUM, "default": 1}),
    "enum default of another": json.dumps({**ENUM, "default": "C"}),
    "enum symbol number": '{"type": "enum", "name": "E", "symbols": [1]}',
    "type before its definition": json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "a", "type": "I"}, {"name": "b", "type": INNER}]}),
    "type without a definition": field("Nothing"),
    "type wrapped": '{"type": {"type": "int"}}',
    "record wrapped": json.dumps({"type": INNER}),
    "union wrapped in items": '{"type": "array", "items": {"type": ["null", "int"]}}',
    "definition repeated": json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "a", "type": FIXED}, {"name": "b", "type": FIXED}]}),
    "definition changed": json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "a", "type": FIXED}, {"name": "b", "type": {**FIXED, "size": 3}}]}),
    "order in capitals": field("int", order="IGNORE"),
    "order unknown": field("int", order="up"),
    "fixed of negative size": '{"type": "fixed", "name": "F", "size": -1}',
    "fixed of the largest size": '{"type": "fixed", "name": "F", "size": 2147483639}',
    "fixed of too large a size": '{"type": "fixed", "name": "F", "size": 2147483640}',
    "error": '{"type": "error", "name": "R", "fields": []}',
    "default int text": field("int", default="foo"),
    "default int 1.0": field("int", default=1.0),
    "default int 2^31": field("int", default=2**31),
    "default long text": field("long", default="1"),
    "default long 2^63": field("long", default=2**63),
    "default long 2^64": field("long", default=2**64),
    "default double text": field("double", default="0.0"),
    "default double NaN": field("double", default="NaN"),
    "default double no number": field("double", default="zero"),
    **{f"default double as text {value!r}": field("double", default=value)
       for value in ("0.50", " 1 ", "1e5", ".5", "1f", "1E-7", "12345678.9", "-0", "Infinity")},
    "default float as text": field("float", default="0.1"),
    "default double in a union": field(["double", "null"], default="0.0"),
    "default boolean text": field("boolean", default="false"),
    "default string null": field("string", default=None),
    "default bytes beyond 255": field("bytes", default="\u0100"),
    "default null text": field("null", default="null"),
    "default array text": field({"type": "array", "items": "int"}, default="[]"),
    "default array null": field({"type": "array", "items": "int"}, default=None),
    "default array of others": field({"type": "array", "items": "int"}, default=[1, "a"]),
    "default map": field({"type": "map", "values": "int"}, default={"a": 1}),
    "default record without a field": field(INNER, default={}),
    "default record null": field(INNER, default=None),
    "default record": field(INNER, default={"x": 1}),
    "default enum of another case": field(ENUM, default="a"),
    "default fixed short": field(FIXED, default="a"),
    "default of the second branch": field(["null", "int"], default=1),
    "arrays nested 100": nested(100, '{"type": "array", "items": %s}'),
    "records nested 65": nested(65, RECORD),
    "records in unions nested 100": nested(100, RECORD.replace("%s", '["null", %s]')),
    "numbers": '{"type": "int", "x": 1.0, "z": 12345678901234567890123, "n": -0, "e": "\\u001f\\u00e9/"}',
    "spelling of numbers": '{"type": "int", "a": 1e2, "b": 0.10, "c": 1E-7}',
    "decimal": '{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 0}',
    "props of a mention": json.dumps({"type": "record", "name": "R", "fields": [
        {"name": "a", "type": INNER}, {"name": "b", "type": {"type": "I", "x": 1}}]}),
    "name of a kind": json.dumps({"type": "record", "name": "a.R", "fields": [
        {"name": "x", "type": {**FIXED, "name": "map"}}, {"name": "y", "type": "a.map"}]}),
}

# Where ours differs on purpose.
DIFFERENCES = {
    "props of a mention": "{\"type\": \"I\"} for I: Java accepted it until 1.12.1, and so do registries that use that",
    "spelling of numbers": "Java prints 1e2 as 100.0; we store it as written, and compare the values",
}


def verdict(answer: Answer) -> tuple[bool, bool]:
    return answer["plain"], answer["validated"]


def test_texts_are_judged_and_printed_as_by_java(java: list[str]) -> None:
    ours, theirs = answers([DRIVER], list(TEXTS.values())), answers(java, list(TEXTS.values()))
    found = {}
    for name, our, their in zip(TEXTS, ours, theirs, strict=True):
        assert our.get("again", True), (name, our)
        if verdict(our) != verdict(their) or our.get("text") != their.get("text"):
            found[name] = (their, our)
    assert set(found) == set(DIFFERENCES), json.dumps(found, indent=1, ensure_ascii=False)
    their, our = found["spelling of numbers"]
    assert json.loads(our["text"]) == json.loads(their["text"])


ODD: list[Any] = [None, True, 0, -1, 1.5, "", "int", "Order", "shop.Order", "größe", "a b", [], {}, ["null", "int"],
                  [["int"]], {"type": "int"}, {"type": {"type": "int"}}, 2**31, "ascending", "null"]
KEYS = ["type", "name", "namespace", "fields", "symbols", "items", "values", "size", "default", "order", "aliases",
        "doc", "logicalType", "precision", "other"]


def places(value: Any) -> list[Any]:
    """Every object and list within it."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict | list) and value else []
    return own + [place for one in inner for place in places(one)]


def mutate(draw: random.Random, schema: Any) -> str:
    schema = copy.deepcopy(schema)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        found = places(schema)
        if not found:
            break
        place = draw.choice(found)
        change = draw.choice(["replace", "replace", "remove", "add", "copy"])
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw.choice(keys)
        if change == "remove":
            del place[key]
        elif change == "add" and isinstance(place, dict):
            place[draw.choice(KEYS)] = draw.choice(ODD)
        elif change == "copy":
            place[key] = copy.deepcopy(draw.choice(found))
        else:
            place[key] = draw.choice(ODD)
    text = json.dumps(schema, ensure_ascii=False)
    if draw.random() < 0.1:
        text = text.replace(": ", ": /* c */ ", 1)
    return text


def is_known(our: Answer, their: Answer) -> bool:
    """Differences on purpose, each with its reason."""
    error = their.get("error", "")
    # It checks the default of a field, or looks for a name, before it has read the definition that follows.
    early = "UnresolvedSchema" in error or "Undefined schema" in error
    # It fails by accident rather than refuses: a missing check, or a record that contains itself.
    # Java accepted {"type": "I"} for the type I until 1.12.1.
    mention = "MUST be a primitive type" in error and our["plain"]
    # It compares repeated definitions before it has resolved a type that contains itself.
    repeated = "Can't redefine" in error and our["plain"]
    accident = any(word in error for word in ("NullPointer", "StackOverflow", "not set yet", "already processed"))
    return early or mention or repeated or accident


def test_mutated_schemas_are_judged_as_by_java(java: list[str]) -> None:
    draw = random.Random(12)
    texts = [mutate(draw, draw.choice(Schemas(seed).pair())) for seed in range(MUTATED)]
    ours, theirs = answers([DRIVER], texts), answers(java, texts)
    different = [(text, our, their) for text, our, their in zip(texts, ours, theirs, strict=True)
                 if verdict(our) != verdict(their) and not is_known(our, their)]
    assert not different, f"{len(different)} differ: {json.dumps(different[:3], indent=1, ensure_ascii=False)}"
    assert all(our.get("again", True) for our in ours)
    printed = [(text, our["text"], their["text"]) for text, our, their in zip(texts, ours, theirs, strict=True)
               if our["plain"] and their["plain"] and our["text"] != their["text"]]
    assert not printed, f"{len(printed)} are printed differently: {json.dumps(printed[:3], indent=1)}"
    accepted = sum(their["plain"] for their in theirs)
    assert MUTATED // 5 < accepted < MUTATED * 4 // 5, accepted
    assert sum(their["plain"] and not their["validated"] for their in theirs) > 20


def test_names_have_javas_letters(java: list[str]) -> None:
    """Every letter and digit of the first plane, in groups; and those beside them."""
    characters = [chr(code) for code in range(0x80, 0x10000)
                  if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code))[0] in "LMN"]
    texts = [json.dumps({"type": "record", "name": f"x{one}", "fields": []}, ensure_ascii=False) for one in characters]
    texts += [json.dumps({"type": "record", "name": one, "fields": []}, ensure_ascii=False)
              for one in characters[::7]]
    ours, theirs = answers([DRIVER], texts), answers(java, texts)
    different = [text for text, our, their in zip(texts, ours, theirs, strict=True) if our["plain"] != their["plain"]]
    assert not different, different[:20]
