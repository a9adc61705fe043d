"""Random Avro schemas of every kind, and variants that someone might change them into."""

import copy
import json
import random
from typing import Any

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
LOGICAL = {"int": ["date", "time-millis"], "string": ["uuid"], "bytes": ["decimal"],
           "long": ["timestamp-millis", "timestamp-micros", "time-micros", "local-timestamp-millis"]}
NAMES = ["Order", "Item", "Address", "Person", "Money", "Node"]
FIELDS = ["id", "name", "amount", "next", "kind", "tags", "note"]
SYMBOLS = ["A", "B", "C", "D"]
NO_DEFAULT = object()

Schema = Any  # str, list or dict, as in Avro's JSON.


class Schemas:
    """One source of randomness: the same seed gives the same schemas."""

    def __init__(self, seed: int):
        self.draw = random.Random(seed)

    def pair(self) -> tuple[Schema, Schema]:
        """A schema and a variant: either may have been changed into the other."""
        self._spaces = self.draw.choice([[""], ["shop"], ["shop", "lab"]])
        first = tidy(self._type(self.draw.randrange(2, 5)))
        second = copy.deepcopy(first)
        for _ in range(self.draw.choice([0, 1, 1, 1, 2, 2, 3, 5])):
            second = self._change(second)
        return first, tidy(second)

    # Making.

    def _type(self, depth: int) -> Schema:
        if depth == 0:
            return self._leaf()
        kind = self.draw.choice(["record"] * 5 + ["union"] * 3 + ["array", "map", "enum", "fixed", "leaf"])
        if kind == "leaf":
            return self._leaf()
        return getattr(self, f"_{kind}")(depth)

    def _leaf(self) -> Schema:
        if self.draw.random() < 0.25:
            return self._full(self.draw.choice(NAMES))  # Removed by tidy if nothing has the name.
        kind = self.draw.choice(PRIMITIVES)
        if kind in LOGICAL and self.draw.random() < 0.3:
            logical = self.draw.choice(LOGICAL[kind])
            return {"type": kind, "logicalType": logical, **({"precision": 4} if logical == "decimal" else {})}
        return kind if self.draw.random() < 0.9 else {"type": kind}

    def _full(self, name: str) -> str:
        space = self.draw.choice(self._spaces)
        return f"{space}.{name}" if space else name

    def _named(self, kind: str) -> dict:
        space, _, name = self._full(self.draw.choice(NAMES)).rpartition(".")
        named = {"type": kind, "name": name, **({"namespace": space} if space else {})}
        if self.draw.random() < 0.2:
            named["aliases"] = [self._full(self.draw.choice(NAMES))]
        return named

    def _record(self, depth: int) -> dict:
        record = self._named("record")
        names = self.draw.sample(FIELDS, self.draw.randrange(0, 5))
        record["fields"] = [self._field(name, depth) for name in names]
        return record

    def _field(self, name: str, depth: int) -> dict:
        field = {"name": name, "type": self._type(depth - 1)}
        if self.draw.random() < 0.4:
            field["default"] = None  # tidy replaces it with a default of the type.
        if self.draw.random() < 0.04:
            field["aliases"] = [self.draw.choice(FIELDS)]
        return field

    def _union(self, depth: int) -> list:
        branches = [self._type(depth - 1) for _ in range(self.draw.randrange(1, 5))]
        return ["null", *branches] if self.draw.random() < 0.4 else branches

    def _array(self, depth: int) -> dict:
        return {"type": "array", "items": self._type(depth - 1)}

    def _map(self, depth: int) -> dict:
        return {"type": "map", "values": self._type(depth - 1)}

    def _enum(self, _: int) -> dict:
        symbols = self.draw.sample(SYMBOLS, self.draw.randrange(1, 4))
        enum = {**self._named("enum"), "symbols": symbols}
        if self.draw.random() < 0.4:
            enum["default"] = symbols[0]
        return enum

    def _fixed(self, _: int) -> dict:
        return {**self._named("fixed"), "size": self.draw.choice([1, 2, 16])}

    # Changing.

    def _change(self, schema: Schema) -> Schema:
        places: list[tuple[Any, Any]] = []  # Container and key of every type.
        _find_types([schema], 0, places)
        container, key = self.draw.choice(places)
        changed = self._changed(container[key])
        if container[key] is schema:
            return changed
        container[key] = changed
        return schema

    def _changed(self, schema: Schema) -> Schema:
        if self.draw.random() < 0.15:
            return self._type(1)
        if self.draw.random() < 0.15:
            return [schema, "null"] if not isinstance(schema, list) else schema[0]
        if isinstance(schema, list):
            return self._changed_union(schema)
        if isinstance(schema, dict) and schema["type"] == "record":
            return self._changed_record(schema)
        if isinstance(schema, dict) and schema["type"] == "enum":
            schema["symbols"] = self.draw.sample(SYMBOLS, self.draw.randrange(1, 5))
            schema.pop("default", None)
            if self.draw.random() < 0.5:
                schema["default"] = schema["symbols"][0]
            return schema
        if isinstance(schema, dict) and schema["type"] == "fixed":
            schema["size"] = self.draw.choice([1, 2, 16])
            return schema
        return self._leaf()

    def _changed_union(self, union: list) -> list:
        if self.draw.random() < 0.5 and len(union) > 1:
            union.pop(self.draw.randrange(len(union)))
        else:
            union.insert(self.draw.randrange(len(union) + 1), self._type(1))
        if self.draw.random() < 0.3:
            self.draw.shuffle(union)
        return union

    def _changed_record(self, record: dict) -> dict:
        fields = record["fields"]
        what = self.draw.choice(["add", "add", "remove", "rename", "default", "name", "order"])
        if what == "add":
            fields.insert(self.draw.randrange(len(fields) + 1), self._field(self.draw.choice(FIELDS), 1))
        elif what == "name":
            old = record["name"]
            record["name"] = self.draw.choice(NAMES)
            if self.draw.random() < 0.6:
                record["aliases"] = [old]
        elif what == "order":
            self.draw.shuffle(fields)
        elif fields:
            field = self.draw.choice(fields)
            if what == "remove":
                fields.remove(field)
            elif what == "default":
                field.update({"default": None}) if "default" not in field else field.pop("default")
            else:
                old, field["name"] = field["name"], self.draw.choice(FIELDS)
                if self.draw.random() < 0.7:
                    field["aliases"] = [old]
        return record


def _find_types(container: Any, key: Any, places: list) -> None:
    places.append((container, key))
    schema = container[key]
    if isinstance(schema, list):
        for i in range(len(schema)):
            _find_types(schema, i, places)
    elif isinstance(schema, dict):
        for part in ("items", "values"):
            if part in schema:
                _find_types(schema, part, places)
        for field in schema.get("fields", []):
            _find_types(field, "type", places)


def tidy(schema: Schema) -> Schema:
    """The nearest valid schema."""
    while True:  # Removing a type may remove the definition of a name; each round removes something.
        before = json.dumps(schema)
        schema = _Tidy().type(schema)
        if json.dumps(schema) == before:
            return schema


class _Tidy:
    """Names known and defined once, unions flat and without duplicates, defaults that fit."""

    def __init__(self) -> None:
        self.defined: dict[str, dict] = {}
        self.open: set[str] = set()  # Records whose fields are not all known yet.

    def type(self, schema: Schema, space: str = "") -> Schema:
        if isinstance(schema, list):
            return self._union(schema, space)
        if isinstance(schema, str):
            return schema if schema in PRIMITIVES or schema in self.defined else "int"
        kind = schema["type"]
        if kind in ("record", "enum", "fixed"):
            return self._named(schema, space)
        for part in ("items", "values"):
            if part in schema:
                schema[part] = self.type(schema[part], space)
        return schema

    def _union(self, union: list, space: str) -> Schema:
        branches: dict[str, Schema] = {}
        for branch in union:
            branch = self.type(branch, space)
            for one in branch if isinstance(branch, list) else [branch]:
                branches.setdefault(self._branch_name(one, space), one)
        return list(branches.values())

    def _branch_name(self, branch: Schema, space: str) -> str:
        if isinstance(branch, str):
            return branch
        return _full_name(branch, space) if "name" in branch else branch["type"]

    def _named(self, schema: dict, space: str) -> Schema:
        name = _full_name(schema, space)
        if name in self.defined:
            # Without a namespace of its own it cannot be named from within one.
            return name if "." in name or not space else "string"
        self.defined[name] = schema
        self.open.add(name)
        inner = name.rpartition(".")[0]
        fields: dict[str, dict] = {}
        for field in schema.get("fields", []):
            if field["name"] not in fields:
                field["type"] = self.type(field["type"], inner)
                fields[field["name"]] = field
        if schema["type"] == "record":
            schema["fields"] = list(fields.values())
            for field in schema["fields"]:
                self._tidy_default(field)
        self.open.remove(name)
        return schema

    def _tidy_default(self, field: dict) -> None:
        if "default" in field:
            field["default"] = self._default(field["type"], 0)
            if field["default"] is NO_DEFAULT:
                del field["default"]

    def _default(self, schema: Schema, depth: int) -> Any:
        if isinstance(schema, list):
            return self._default(schema[0], depth)
        if isinstance(schema, str) and schema not in PRIMITIVES:
            if schema in self.open or schema not in self.defined:
                return NO_DEFAULT
            schema = self.defined[schema]
        kind = schema if isinstance(schema, str) else schema["type"]
        plain = {"null": None, "boolean": False, "int": 0, "long": 0, "float": 0.5, "double": 0.5,
                 "bytes": "", "string": "", "array": [], "map": {}}
        if kind in plain:
            return plain[kind]
        if kind == "enum":
            return schema["symbols"][0]
        if kind == "fixed":
            return "\0" * schema["size"]
        if depth > 3:
            return NO_DEFAULT
        values = {}
        for field in schema["fields"]:
            if "default" not in field:
                values[field["name"]] = self._default(field["type"], depth + 1)
        return NO_DEFAULT if NO_DEFAULT in values.values() else values


def _full_name(schema: dict, space: str) -> str:
    space = schema.get("namespace", space)
    return f"{space}.{schema['name']}" if space else schema["name"]
