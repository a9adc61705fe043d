"""A script of requests to a schema registry, each with the answer according to Confluent's documentation and release
7.9. Ids are written as "id1", "id2", in the order in which they first appear."""

import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "string"}]}


def order(*fields: dict) -> str:
    return json.dumps({**ORDER, "fields": [*ORDER["fields"], *fields]}, separators=(",", ":"))


PLAIN = order()
WITH_DEFAULT = order({"name": "amount", "type": "double", "default": 0})
WITHOUT_DEFAULT = order({"name": "amount", "type": "double"})
CART = json.dumps({"type": "record", "name": "Cart", "namespace": "shop", "fields": [
    {"name": "order", "type": "Order"}]}, separators=(",", ":"))
REFERENCES = [{"name": "shop.Order", "subject": "S-orders", "version": 1}]


@dataclasses.dataclass
class Step:
    """S- in paths and answers is replaced by a prefix unique to the run."""
    name: str
    method: str
    path: str
    answer: Any  # An error's code, or the body of a 200.
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def schema(text: str, **more: Any) -> dict:
    return {"schema": text, **more}


def version(subject: str, number: int, label: str, text: str, **more: Any) -> dict:
    return {"subject": subject, "version": number, "id": label, "schema": text, **more}


ORDERS = "/subjects/S-orders"
SCRIPT = [
    Step("root", "GET", "/", {}),
    Step("types", "GET", "/schemas/types", ["AVRO"]),
    Step("contexts", "GET", "/contexts", ["."]),
    Step("global config", "GET", "/config", {"compatibilityLevel": "BACKWARD"}),
    Step("global config, set", "PUT", "/config", {"compatibility": "BACKWARD"}, {"compatibility": "BACKWARD"}),
    Step("global mode", "GET", "/mode", {"mode": "READWRITE"}),
    Step("no such subject: versions", "GET", f"{ORDERS}/versions", 40401),
    Step("no such subject: latest", "GET", f"{ORDERS}/versions/latest", 40401),
    Step("no such subject: look-up", "POST", ORDERS, 40401, schema(PLAIN)),
    Step("no such subject: delete", "DELETE", ORDERS, 40401),
    Step("no such subject: config", "GET", "/config/S-orders", 40408),
    Step("no such subject: config, global", "GET", "/config/S-orders?defaultToGlobal=true",
         {"compatibilityLevel": "BACKWARD"}),
    Step("no such subject: delete config", "DELETE", "/config/S-orders", 40401),
    Step("no such subject: mode", "GET", "/mode/S-orders", 40409),
    Step("no such subject: mode, global", "GET", "/mode/S-orders?defaultToGlobal=true", {"mode": "READWRITE"}),
    Step("no such id", "GET", "/schemas/ids/2000000000", 40403),
    Step("an id that is no number", "GET", "/schemas/ids/x", 404),
    Step("no such path", "GET", "/nothing", 404),
    Step("compatible with the latest of nothing", "POST",
         "/compatibility/subjects/S-orders/versions/latest", {"is_compatible": True}, schema(PLAIN)),

    Step("register", "POST", f"{ORDERS}/versions", {"id": "id1"}, schema(PLAIN)),
    Step("register again", "POST", f"{ORDERS}/versions", {"id": "id1"}, schema(PLAIN)),
    Step("register in another form", "POST", f"{ORDERS}/versions", {"id": "id1"},
         schema(json.dumps(json.loads(PLAIN), indent=2))),
    Step("register elsewhere", "POST", "/subjects/S-other/versions", {"id": "id1"}, schema(PLAIN)),
    Step("register, incompatible", "POST", f"{ORDERS}/versions", 409, schema(WITHOUT_DEFAULT)),
    Step("register, compatible", "POST", f"{ORDERS}/versions", {"id": "id2"}, schema(WITH_DEFAULT)),
    Step("register, no schema", "POST", f"{ORDERS}/versions", 42201, schema('{"type": "record"}')),
    Step("register, empty", "POST", "/subjects/empty-S-/versions", 42201, schema("")),
    Step("register, unknown type", "POST", f"{ORDERS}/versions", 42201, schema(PLAIN, schemaType="THRIFT")),
    Step("register with an id", "POST", "/subjects/ids-S-/versions", 42205, schema(WITHOUT_DEFAULT, id=9, version=1)),
    Step("register, wrong media type", "POST", f"{ORDERS}/versions", 415, schema(PLAIN),
         {"Content-Type": "text/html"}),
    Step("asks for HTML", "GET", "/subjects", 406, headers={"Accept": "text/html"}),

    Step("by id", "GET", "/schemas/ids/id1", {"schema": PLAIN}),
    Step("by id, only the schema", "GET", "/schemas/ids/id1/schema", json.loads(PLAIN)),
    Step("by id, subjects", "GET", "/schemas/ids/id1/subjects", ["S-orders", "S-other"]),
    Step("by id, versions", "GET", "/schemas/ids/id2/versions", [{"subject": "S-orders", "version": 2}]),
    Step("subjects", "GET", "/subjects?subjectPrefix=S-", ["S-orders", "S-other"]),
    Step("versions", "GET", f"{ORDERS}/versions", [1, 2]),
    Step("version 1", "GET", f"{ORDERS}/versions/1", version("S-orders", 1, "id1", PLAIN)),
    Step("version latest", "GET", f"{ORDERS}/versions/latest", version("S-orders", 2, "id2", WITH_DEFAULT)),
    Step("version -1", "GET", f"{ORDERS}/versions/-1", version("S-orders", 2, "id2", WITH_DEFAULT)),
    Step("version, only the schema", "GET", f"{ORDERS}/versions/1/schema", json.loads(PLAIN)),
    Step("version that is not there", "GET", f"{ORDERS}/versions/9", 40402),
    Step("version 0", "GET", f"{ORDERS}/versions/0", 42202),
    Step("version that is no number", "GET", f"{ORDERS}/versions/x", 42202),
    Step("look-up", "POST", ORDERS, version("S-orders", 1, "id1", PLAIN), schema(PLAIN)),
    Step("look-up of another", "POST", ORDERS, 40403, schema(WITHOUT_DEFAULT)),
    Step("look-up of no schema", "POST", ORDERS, 42201, schema("{")),
    Step("schemas", "GET", "/schemas?subjectPrefix=S-orders&latestOnly=true",
         [version("S-orders", 2, "id2", WITH_DEFAULT)]),

    Step("check against one", "POST", "/compatibility/subjects/S-orders/versions/1", {"is_compatible": False},
         schema(WITHOUT_DEFAULT)),
    Step("check against all", "POST", "/compatibility/subjects/S-orders/versions", {"is_compatible": True},
         schema(WITHOUT_DEFAULT)),
    Step("check against none", "POST", "/compatibility/subjects/S-orders/versions/9", 40402, schema(PLAIN)),
    Step("check of no schema", "POST", "/compatibility/subjects/S-orders/versions/1", 42201, schema("{")),
    Step("check, verbose", "POST", "/compatibility/subjects/S-orders/versions/1?verbose=true",
         {"is_compatible": True, "messages": []}, schema(WITH_DEFAULT)),

    Step("config of a subject", "PUT", "/config/S-orders", {"compatibility": "FULL"}, {"compatibility": "FULL"}),
    Step("config of a subject, told", "GET", "/config/S-orders", {"compatibilityLevel": "FULL"}),
    Step("config, no such level", "PUT", "/config/S-orders", 42203, {"compatibility": "SOME"}),
    Step("config of a subject, deleted", "DELETE", "/config/S-orders", {"compatibilityLevel": "FULL"}),
    Step("config of a subject, gone", "GET", "/config/S-orders", 40408),

    Step("reference that does not resolve", "POST", "/subjects/S-carts/versions", 42201,
         schema(CART, references=[{**REFERENCES[0], "version": 9}])),
    Step("reference", "POST", "/subjects/S-carts/versions", {"id": "id3"}, schema(CART, references=REFERENCES)),
    Step("reference, told", "GET", "/subjects/S-carts/versions/1",
         version("S-carts", 1, "id3", CART, references=REFERENCES)),
    Step("referenced by", "GET", f"{ORDERS}/versions/1/referencedby", ["id3"]),
    Step("delete what is referenced", "DELETE", f"{ORDERS}/versions/1", 42206),
    Step("delete the referrer", "DELETE", "/subjects/S-carts", [1]),

    Step("read-only", "PUT", "/mode/S-other", {"mode": "READONLY"}, {"mode": "READONLY"}),
    Step("read-only, told", "GET", "/mode/S-other", {"mode": "READONLY"}),
    Step("read-only, register", "POST", "/subjects/S-other/versions", 42205, schema(WITH_DEFAULT)),
    Step("read-only, delete", "DELETE", "/subjects/S-other", 42205),
    Step("read-only, over", "DELETE", "/mode/S-other", {"mode": "READONLY"}),
    Step("no such mode", "PUT", "/mode/S-other", 42204, {"mode": "SOME"}),
    Step("import where schemas are", "PUT", "/mode/S-other", 42205, {"mode": "IMPORT"}),

    Step("delete for good too early", "DELETE", f"{ORDERS}/versions/2?permanent=true", 40407),
    Step("delete a version", "DELETE", f"{ORDERS}/versions/2", 2),
    Step("delete a version again", "DELETE", f"{ORDERS}/versions/2", 40406),
    Step("deleted: versions", "GET", f"{ORDERS}/versions", [1]),
    Step("deleted: versions with it", "GET", f"{ORDERS}/versions?deleted=true", [1, 2]),
    Step("deleted: version", "GET", f"{ORDERS}/versions/2", 40402),
    Step("deleted: version, asked for", "GET", f"{ORDERS}/versions/2?deleted=true",
         version("S-orders", 2, "id2", WITH_DEFAULT)),
    Step("deleted: by id", "GET", "/schemas/ids/id2", {"schema": WITH_DEFAULT}),
    Step("deleted: look-up", "POST", ORDERS, 40403, schema(WITH_DEFAULT)),
    Step("deleted: look-up, asked for", "POST", f"{ORDERS}?deleted=true",
         version("S-orders", 2, "id2", WITH_DEFAULT), schema(WITH_DEFAULT)),
    Step("deleted: registered again", "POST", f"{ORDERS}/versions", {"id": "id2"}, schema(WITH_DEFAULT)),
    Step("deleted: a new version", "GET", f"{ORDERS}/versions", [1, 3]),
    Step("delete a subject for good too early", "DELETE", f"{ORDERS}?permanent=true", 40405),
    Step("delete a subject", "DELETE", ORDERS, [1, 3]),
    Step("delete a subject again", "DELETE", ORDERS, 40404),
    Step("deleted: subjects", "GET", "/subjects?subjectPrefix=S-", ["S-other"]),
    Step("deleted: subjects with it", "GET", "/subjects?subjectPrefix=S-&deleted=true",
         ["S-carts", "S-orders", "S-other"]),
    Step("delete the referrer for good", "DELETE", "/subjects/S-carts?permanent=true", [1]),
    Step("delete a subject for good", "DELETE", f"{ORDERS}?permanent=true", [1, 3]),
    Step("gone: by id", "GET", "/schemas/ids/id2", 40403),
    Step("still used elsewhere: by id", "GET", "/schemas/ids/id1", {"schema": PLAIN}),
]


class Player:
    """Plays the script against one registry."""

    def __init__(self, url: str, prefix: str):
        self._url = url
        self._prefix = prefix
        self._labels: dict[int, str] = {}

    def play(self, step: Step) -> Any:
        """The answer, in the form in which the script expects it."""
        path = step.path.replace("S-", self._prefix)
        for id, label in self._labels.items():
            path = path.replace(f"/{label}", f"/{id}")
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json", **step.headers}
        body = None if step.body is None else json.dumps(step.body).replace("S-", self._prefix).encode()
        request = urllib.request.Request(self._url + path, body, headers, method=step.method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                told = _json(reply.read())
                return reply.status if told is None else self._plain(told, step.answer)
        except urllib.error.HTTPError as error:
            told = _json(error.read())
            return told.get("error_code", error.code) if isinstance(told, dict) else error.code

    def _plain(self, told: Any, expected: Any) -> Any:
        """With labels for ids and S- for the prefix. Extra members of objects are allowed."""
        if isinstance(told, dict):
            if isinstance(told.get("id"), int):
                told["id"] = self._label_of(told["id"], expected)
            wanted = expected if isinstance(expected, dict) and expected else told
            return {name: self._plain(told[name], wanted.get(name)) for name in wanted if name in told}
        if isinstance(told, list):
            one = expected[0] if isinstance(expected, list) and expected else None
            items = [self._label(self._plain(item, one), one) for item in told]
            # The order of names is up to the registry.
            return sorted(items) if all(isinstance(item, str) for item in items) else items
        return told.replace(self._prefix, "S-") if isinstance(told, str) else told

    def _label_of(self, id: int, expected: Any) -> str:
        label = expected.get("id", "") if isinstance(expected, dict) else ""
        if id not in self._labels and label and label not in self._labels.values():
            self._labels[id] = label
        return self._labels.get(id, "another id")

    def _label(self, told: Any, expected: Any) -> Any:
        is_id = isinstance(expected, str) and expected.startswith("id") and isinstance(told, int)
        return self._labels.get(told, told) if is_id else told


def _json(text: bytes) -> Any:
    """None if it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
