"""A script of requests to a schema registry, each with the answer according to Confluent's documentation and release
7.9. Ids are written as "id1", "id2", in the order in which they first appear."""

import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [{"name": "id", "type": "string"}]}


def text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def order(*fields: dict) -> str:
    return text({**ORDER, "fields": [*ORDER["fields"], *fields]})


PLAIN = order()
WITH_DEFAULT = order({"name": "amount", "type": "double", "default": 0})
WITHOUT_DEFAULT = order({"name": "amount", "type": "double"})
CART = text({"type": "record", "name": "Cart", "namespace": "shop", "fields": [{"name": "order", "type": "Order"}]})
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
    Step("types", "GET", "/schemas/types", ["AVRO", "JSON", "PROTOBUF"]),
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
    Step("an id that is not a number", "GET", "/schemas/ids/x", 404),
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
    Step("version that is not a number", "GET", f"{ORDERS}/versions/x", 42202),
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
    Step("config of a subject, read back", "GET", "/config/S-orders", {"compatibilityLevel": "FULL"}),
    Step("config, no such level", "PUT", "/config/S-orders", 42203, {"compatibility": "SOME"}),
    Step("config of a subject, deleted", "DELETE", "/config/S-orders", {"compatibilityLevel": "FULL"}),
    Step("config of a subject, gone", "GET", "/config/S-orders", 40408),

    Step("reference that does not resolve", "POST", "/subjects/S-carts/versions", 42201,
         schema(CART, references=[{**REFERENCES[0], "version": 9}])),
    Step("reference", "POST", "/subjects/S-carts/versions", {"id": "id3"}, schema(CART, references=REFERENCES)),
    Step("reference, read back", "GET", "/subjects/S-carts/versions/1",
         version("S-carts", 1, "id3", CART, references=REFERENCES)),
    Step("referenced by", "GET", f"{ORDERS}/versions/1/referencedby", ["id3"]),
    Step("delete what is referenced", "DELETE", f"{ORDERS}/versions/1", 42206),
    Step("delete the referrer", "DELETE", "/subjects/S-carts", [1]),

    Step("read-only", "PUT", "/mode/S-other", {"mode": "READONLY"}, {"mode": "READONLY"}),
    Step("read-only, read back", "GET", "/mode/S-other", {"mode": "READONLY"}),
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


def optional(number: int) -> str:
    """A record whose number makes it another schema; all are compatible."""
    fields = [{"name": "f1", "type": "string"}]
    fields += [{"name": f"f{n}", "type": "string", "default": ""} for n in range(2, number + 1)]
    return text({"type": "record", "name": "Rx", "fields": fields})


def of_one_field(type: Any, **more: Any) -> str:
    return text({"type": "record", "name": "Rx", "fields": [{"name": "f", "type": type, **more}]})


def rules(*rule: dict, of: str = "domainRules") -> dict:
    return {of: list(rule)}


OWNER = {"properties": {"owner": "shop"}}
ENCRYPT = {"name": "encrypt", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "ENCRYPT"}
SUB = {"type": "record", "name": "Sub", "namespace": "otherns", "fields": [{"name": "x", "type": "string"}]}
HOLDER = {"type": "record", "name": "Holder", "namespace": "ns", "fields": [{"name": "s", "type": "otherns.Sub"}]}
INLINED = {**HOLDER, "fields": [{"name": "s", "type": SUB}]}
SUB_REFERENCE = [{"name": "otherns.Sub", "subject": "S-sub", "version": 1}]
NUMBERS = '{"type":"int","z":1.0,"a":{"c":1e2,"b":12345678901234567890123}}'
PROTO = 'syntax = "proto3"; message R {}'


def facts(subject: str, *steps: Step) -> list[Step]:
    """Steps whose paths are relative to their own subject."""
    return [dataclasses.replace(step, path=step.path.replace("@", f"S-{subject}")) for step in steps]


VERSIONS = "/subjects/@/versions"
LATEST = "/subjects/@/versions/latest"

# What Confluent's release 7.9 answers, each fact from its tests or its code, which the name gives. They need a
# registry that serves contexts, metadata and rules as Confluent's does.
FACTS = [
    *facts("meta", Step("testRegisterWithAndWithoutMetadata", "POST", VERSIONS, {"id": "meta1"},
                        schema(optional(1), metadata=OWNER)),
           Step("the same without metadata: same id", "POST", VERSIONS, {"id": "meta1"}, schema(optional(1))),
           Step("testConfigMetadata: a new version inherits", "POST", VERSIONS, {"id": "meta2"}, schema(optional(2))),
           Step("the inherited metadata", "GET", LATEST, {"version": 2, "metadata": OWNER}),
           Step("getLatestWithMetadata", "GET", "/subjects/@/metadata?key=owner&value=shop", {"version": 2}),
           Step("getLatestWithMetadata: no such", "GET", "/subjects/@/metadata?key=owner&value=x", 40403),
           Step("getLatestWithMetadata: two", "GET", "/subjects/@/metadata?key=owner&value=shop&key=a&value=b", 40403),
           Step("getLatestWithMetadata: no subject", "GET", "/subjects/@-not/metadata?key=owner&value=shop", 40401)),
    *facts("rules", Step("testConfigRuleSet", "POST", VERSIONS, {"id": "rules1"},
                         schema(optional(3), ruleSet=rules(ENCRYPT))),
           Step("a new version inherits rules", "POST", VERSIONS, {"id": "rules2"}, schema(optional(4))),
           Step("the inherited rules", "GET", LATEST, {"ruleSet": rules(ENCRYPT)}),
           Step("testSchemaRuleSet: rules alone", "POST", VERSIONS, {"id": "rules3"},
                {"ruleSet": rules({**ENCRYPT, "name": "other"})}),
           Step("rules alone: the latest text", "GET", LATEST,
                {"version": 3, "schema": optional(4), "ruleSet": rules({**ENCRYPT, "name": "other"})}),
           Step("getSchemas: ruleType", "GET", "/schemas?subjectPrefix=@&ruleType=ENCRYPT&latestOnly=true",
                [{"version": 3}]),
           Step("getSchemas: no such ruleType", "GET", "/schemas?subjectPrefix=@&ruleType=CEL", []),
           Step("testRegisterInvalidRuleSet: mode", "POST", VERSIONS, 42210,
                schema(optional(5), ruleSet=rules({**ENCRYPT, "mode": "READ"}, of="migrationRules"))),
           Step("testRegisterInvalidRuleSet: type", "POST", VERSIONS, 42210,
                schema(optional(5), ruleSet=rules({"name": "a"}))),
           Step("testRegisterInvalidRuleSet: twice", "POST", VERSIONS, 42210,
                schema(optional(5), ruleSet=rules(ENCRYPT, ENCRYPT)))),
    *facts("cv", Step("testConfluentVersion: plain", "POST", VERSIONS, {"id": "cv1"}, schema(optional(6))),
           Step("version -1: a new version", "POST", VERSIONS, {"id": "cv2", "version": 2},
                schema(optional(6), version=-1)),
           Step("it is noted", "GET", LATEST,
                {"version": 2, "metadata": {"properties": {"confluent:version": "2"}}}),
           Step("version -1 again: the same", "POST", VERSIONS, {"id": "cv2", "version": 2},
                schema(optional(6), version=-1)),
           Step("registerOrForward: not the next version", "POST", VERSIONS, 42201, schema(optional(7), version=9))),
    *facts("group", Step("testCompatibilityGroup: config", "PUT", "/config/@", {"compatibilityGroup": "major"},
                         {"compatibilityGroup": "major"}),
           Step("group 1", "POST", VERSIONS, {"id": "group1"},
                schema(of_one_field("string"), metadata={"properties": {"major": "1"}})),
           Step("group 2", "POST", VERSIONS, {"id": "group2"},
                schema(of_one_field("int"), metadata={"properties": {"major": "2"}})),
           Step("without: inherits group 2", "POST", VERSIONS, 409, schema(of_one_field("boolean")))),
    *facts("default", Step("AvroSchemaProvider: an invalid default", "POST", VERSIONS, {"id": "default1"},
                           schema(of_one_field("int", default="foo"))),
           Step("lookup of it", "POST", "/subjects/@", {"id": "default1"}, schema(of_one_field("int", default="foo"))),
           Step("it is served", "GET", "/schemas/ids/default1/schema", json.loads(of_one_field("int", default="foo"))),
           Step("double as text", "POST", "/subjects/@-d/versions", {"id": "default2"},
                schema(of_one_field("double", default="0.0"))),
           Step("long 0.0", "POST", "/subjects/@-l/versions", {"id": "default3"},
                schema(of_one_field("long", default=0.0))),
           Step("normalize checks defaults", "POST", "/subjects/@-n/versions?normalize=true", 42201,
                schema(of_one_field("int", default="foo"))),
           Step("verbose: 200 with a message", "POST", "/compatibility/subjects/@/versions/latest?verbose=true",
                {"is_compatible": False}, schema('{"type":"nonsense"}')),
           Step("not verbose: 42201", "POST", "/compatibility/subjects/@/versions", 42201,
                schema('{"type":"nonsense"}'))),
    *facts("holder", Step("canLookup: the reference", "POST", "/subjects/S-sub/versions", {"id": "sub1"},
                          schema(text(SUB))),
           Step("canLookup: with references", "POST", VERSIONS, {"id": "holder1"},
                schema(text(HOLDER), references=SUB_REFERENCE)),
           Step("canLookup: with references inlined", "POST", VERSIONS, {"id": "holder1"}, schema(text(INLINED))),
           Step("lookup with references inlined", "POST", "/subjects/@", {"id": "holder1"}, schema(text(INLINED))),
           Step("formattedString: resolved", "GET", f"{LATEST}?format=resolved", {"schema": text(INLINED)}),
           Step("formattedString: resolved, by id", "GET", "/schemas/ids/holder1?format=resolved",
                {"schema": text(INLINED)}),
           Step("getLatestWithMetadata: a schema with a reference", "POST", "/subjects/@-meta/versions",
                {"version": 1}, schema(text(HOLDER), references=SUB_REFERENCE, metadata=OWNER)),
           Step("getLatestWithMetadata: resolved", "GET",
                "/subjects/@-meta/metadata?key=owner&value=shop&format=resolved", {"schema": text(INLINED)}),
           Step("formattedString: unknown", "GET", f"{LATEST}?format=x", {"schema": text(HOLDER)})),
    *facts("norm", Step("testSchemaNormalization", "POST", f"{VERSIONS}?normalize=true", {"id": "norm1"},
                        schema('{"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"int"}}],'
                               '"x":{"a":1,"b":2}}')),
           Step("normalized lookup, sorted otherwise", "POST", "/subjects/@?normalize=true", {"id": "norm1"},
                schema('{"x":{"b":2,"a":1},"namespace":"n","type":"record","name":"R",'
                       '"fields":[{"type":"int","name":"a"}]}')),
           Step("normalized references: two", "POST", "/subjects/@-two/versions?normalize=true", {"id": "norm2"},
                schema('["otherns.Sub","Rx"]', references=[*SUB_REFERENCE, {"name": "Rx", "subject": "S-meta",
                                                                           "version": 1}])),
           Step("normalized references: in another order", "POST", "/subjects/@-two?normalize=True", {"id": "norm2"},
                schema('["otherns.Sub","Rx"]', references=[{"name": "Rx", "subject": "S-meta", "version": 1},
                                                           *SUB_REFERENCE])),
           Step("the text as sent", "POST", "/subjects/@-text/versions", {"id": "norm3"}, schema(NUMBERS)),
           Step("the text as sent, served", "GET", "/subjects/@-text/versions/1", {"schema": NUMBERS})),
    *facts("gone", Step("deleteSubject: one version", "POST", VERSIONS, {"id": "gone1"}, schema(optional(8))),
           Step("deleteSubject: its level", "PUT", "/config/@", {"compatibility": "FORWARD"},
                {"compatibility": "FORWARD"}),
           Step("deleteSubject: its mode", "PUT", "/mode/@", {"mode": "READWRITE"}, {"mode": "READWRITE"}),
           Step("deleteSubject", "DELETE", "/subjects/@", [1]),
           Step("deleteSubject removes the level", "GET", "/config/@", 40408),
           Step("deleteSubject removes the mode", "GET", "/mode/@", 40409)),
    *facts("config", Step("ConfigValue.update: two members", "PUT", "/config/@",
                          {"compatibility": "FULL", "normalize": True}, {"compatibility": "FULL", "normalize": True}),
           Step("ConfigValue.update: null leaves the values", "PUT", "/config/@", {},
                {"compatibility": None, "normalize": None}),
           Step("ConfigValue.update: they stay", "GET", "/config/@", {"compatibilityLevel": "FULL", "normalize": True}),
           Step("testConfigMetadata: defaultMetadata", "PUT", "/config/@",
                {"defaultMetadata": OWNER, "overrideRuleSet": rules(ENCRYPT)},
                {"defaultMetadata": OWNER, "overrideRuleSet": rules(ENCRYPT)}),
           Step("defaults are added", "POST", VERSIONS, {"id": "config1", "metadata": OWNER, "ruleSet": rules(ENCRYPT)},
                schema(optional(9))),
           Step("no level of its own: the default", "PUT", "/config/@-n", {"normalize": True}, {"normalize": True}),
           Step("no level of its own: the default, read back", "GET", "/config/@-n",
                {"compatibilityLevel": "BACKWARD", "normalize": True}),
           Step("AliasFilter", "PUT", "/config/@-alias", {"alias": "S-config"}, {"alias": "S-config"}),
           Step("AliasFilter: read", "GET", "/subjects/@-alias/versions/latest", {"subject": "S-config"}),
           Step("AliasFilter: not for config", "GET", "/config/@-alias", {"alias": "S-config"})),
    *facts("limit", Step("normalizeLimit: 0 is the default", "GET", "/subjects?subjectPrefix=S-sub&limit=0", ["S-sub"]),
           Step("normalizeLimit: 1", "GET", "/schemas?subjectPrefix=S-meta&limit=1", [{"version": 1}]),
           Step("normalizeLimit: offset", "GET", "/schemas?subjectPrefix=S-meta&offset=1&limit=-5", [{"version": 2}]),
           Step("VersionId: blanks and capitals", "GET", "/subjects/S-meta/versions/%20Latest", {"version": 2}),
           Step("no GUIDs", "GET", "/schemas/guids/00000000-0000-0000-0000-000000000000", 40403)),
    *facts("ctx", Step("ContextFilter: the default context", "GET", "/contexts/:.:/subjects?subjectPrefix=S-sub",
                       ["S-sub"]),
           Step("qualified subject", "POST", "/subjects/:.S-lab:@/versions", {"id": "ctx1", "version": 1},
                schema(optional(10))),
           Step("it is listed with its context", "GET", "/subjects?subjectPrefix=:.S-lab:", [":.S-lab:S-ctx"]),
           Step("ContextFilter: its subjects", "GET", "/contexts/.S-lab/subjects", [":.S-lab:S-ctx"]),
           Step("ContextFilter: a version", "GET", "/contexts/:.S-lab:/subjects/@/versions/1",
                {"subject": ":.S-lab:S-ctx", "schema": optional(10)}),
           Step("lookup without a context finds it", "POST", "/subjects/@", {"subject": ":.S-lab:S-ctx"},
                schema(optional(10))),
           Step("the level of a context", "PUT", "/contexts/.S-lab/config", {"compatibility": "NONE"},
                {"compatibility": "NONE"}),
           Step("the level of a context, in scope", "GET", "/config/:.S-lab:@?defaultToGlobal=true",
                {"compatibilityLevel": "NONE"}),
           Step("the level of a context is only its own", "GET", "/config/@?defaultToGlobal=true",
                {"compatibilityLevel": "BACKWARD"}),
           Step("a context with a colon", "GET", "/contexts/a:b/subjects", 400),
           Step("a context with subjects is not deleted", "DELETE", "/contexts/.S-lab", 42205),
           Step("its subject", "DELETE", "/subjects/:.S-lab:@", [1]),
           Step("its subject for good", "DELETE", "/subjects/:.S-lab:@?permanent=true", [1]),
           Step("an empty context is deleted", "DELETE", "/contexts/.S-lab", {})),
    *facts("two", Step("an id of two contexts: the first", "POST", "/subjects/:.S-one:@/versions", {"version": 1},
                       schema(optional(11))),
           Step("an id of two contexts: the second", "POST", "/subjects/:.S-two:@-b/versions", {"version": 1},
                schema(optional(12))),
           Step("an id of two contexts, read back in the first", "GET", "/contexts/.S-one/schemas/ids/1",
                {"schema": optional(11)}),
           Step("an id of two contexts, read back in the second", "GET", "/contexts/.S-two/schemas/ids/1",
                {"schema": optional(12)}),
           Step("getSchemaKeyUsingContexts: the first's subject", "GET", "/schemas/ids/1?subject=@",
                {"schema": optional(11)}),
           Step("getSchemaKeyUsingContexts: the second's subject", "GET", "/schemas/ids/1?subject=@-b",
                {"schema": optional(12)}),
           Step("getSchemaKeyUsingContexts: a subject of the other", "GET", "/schemas/ids/1?subject=:.S-one:@-b",
                40403),
           Step("a reference within a context: what it names", "POST", "/contexts/.S-one/subjects/S-sub/versions",
                {"version": 1}, schema(text(SUB))),
           Step("a reference within a context", "POST", "/contexts/.S-one/subjects/@-holder/versions", {"version": 1},
                schema(text(HOLDER), references=SUB_REFERENCE)),
           Step("a reference within a context, resolved", "GET",
                "/subjects/:.S-one:@-holder/versions/1?format=resolved", {"schema": text(INLINED)}),
           Step("a reference within a context, read back", "GET", "/subjects/:.S-one:S-sub/versions/1/referencedby", [3]),
           Step("a reference that another context has", "POST", "/contexts/.S-two/subjects/@-holder/versions", 42201,
                schema(text(HOLDER), references=SUB_REFERENCE)),
           Step("a context with an escape", "POST", "/contexts/.S-a%26b/subjects/@/versions", {"version": 1},
                schema(optional(13))),
           Step("a context with an escape: its subjects", "GET", "/contexts/.S-a%26b/subjects", [":.S-a&b:S-two"]),
           *[Step(f"DELETE {subject}{query}", "DELETE", f"/subjects/:.S-{subject}{query}", [1])
             for subject in ("one:@-holder", "one:S-sub", "one:@", "two:@-b", "a%26b:@")
             for query in ("", "?permanent=true")],
           *[Step(f"DELETE the context {name}", "DELETE", f"/contexts/.S-{name}", {})
             for name in ("one", "two", "a%26b")]),
    *facts("shape", *[Step(f"Metadata: {name}", "POST", VERSIONS, 422, schema(optional(14), **{part: value}))
                      for name, part, value in (
                          ("a property that is an object", "metadata", {"properties": {"a": {"b": 1}}}),
                          ("properties in a list", "metadata", {"properties": ["a"]}),
                          ("tags that are text", "metadata", {"tags": {"a": "b"}}),
                          ("a rule of no kind", "ruleSet", rules({**ENCRYPT, "kind": "FOO"})),
                          ("a rule's tags", "ruleSet", rules({**ENCRYPT, "tags": "PII"})))],
           Step("Metadata: sorted, as text", "POST", VERSIONS, {"id": "shape1"},
                schema(optional(14), metadata={"properties": {"a": 1}, "sensitive": ["b", "a", "b"], "x": 1})),
           Step("Metadata: sorted, as text, read back", "GET", LATEST,
                {"metadata": {"properties": {"a": "1"}, "sensitive": ["a", "b"]}}),
           Step("Metadata: in another order", "POST", "/subjects/@-other/versions", {"id": "shape1"},
                schema(optional(14), metadata={"sensitive": ["a", "b"], "properties": {"a": "1"}})),
           Step("testConfigMetadata: of the wrong shape", "PUT", "/config/@", 422,
                {"defaultMetadata": {"tags": ["a"]}}),
           Step("a number written otherwise", "POST", "/subjects/@-n/versions", {"id": "shape2"},
                schema(of_one_field("double", default=0.1))),
           Step("a number written otherwise: the same id", "POST", "/subjects/@-n/versions", {"id": "shape2"},
                schema(of_one_field("double", default=0.1).replace("0.1", "0.10")))),
    *facts("import", Step("IMPORT", "PUT", "/contexts/.S-imp/mode/@", {"mode": "IMPORT"}, {"mode": "IMPORT"}),
           Step("an invalid default in IMPORT mode", "POST", f"/contexts/.S-imp{VERSIONS}", {"version": 3},
                schema(of_one_field("int", default="bar"), id=2_000_000_001, version=3)),
           Step("IMPORT of another schema under the id", "POST", f"/contexts/.S-imp{VERSIONS}", 42205,
                schema(of_one_field("int", default="baz"), id=2_000_000_001, version=4)),
           Step("back from IMPORT", "PUT", "/contexts/.S-imp/mode/@", {"mode": "READWRITE"}, {"mode": "READWRITE"}),
           Step("registerOrForward: existing id and version", "POST", f"/contexts/.S-imp{VERSIONS}", {"version": 3},
                schema(of_one_field("int", default="bar"), id=2_000_000_001, version=3)),
           Step("an id is searched in its context", "GET", "/contexts/.S-imp/schemas/ids/2000000001",
                {"schema": of_one_field("int", default="bar")}),
           Step("schemaKeyById: without a subject, the default context", "GET", "/schemas/ids/2000000001", 40403),
           Step("getSchemaKeyUsingContexts: the subject of another context", "GET",
                "/schemas/ids/2000000001?subject=@", {"schema": of_one_field("int", default="bar")}),
           Step("getSchemaKeyUsingContexts: no such subject", "GET", "/schemas/ids/2000000001?subject=@-not", 40403),
           Step("getSchemaKeyUsingContexts: another subject of the context", "GET",
                "/schemas/ids/2000000001?subject=:.S-imp:@-not", 40403),
           Step("schemaKeyById: the context alone", "GET", "/schemas/ids/2000000001/versions?subject=:.S-imp:",
                [{"subject": ":.S-imp:S-import", "version": 3}]),
           Step("the imported subject", "DELETE", "/contexts/.S-imp/subjects/@", [3]),
           Step("the imported subject for good", "DELETE", "/contexts/.S-imp/subjects/@?permanent=true", [3]),
           Step("the context of the import", "DELETE", "/contexts/.S-imp", {})),
    *facts("proto", Step("PROTOBUF registers", "POST", VERSIONS, {"id": "proto1"},
                         schema(PROTO, schemaType="PROTOBUF")),
           Step("PROTOBUF is served", "GET", "/schemas/ids/proto1", {"schema": PROTO, "schemaType": "PROTOBUF"}),
           Step("PROTOBUF is found", "POST", "/subjects/@", {"id": "proto1"}, schema(PROTO, schemaType="PROTOBUF")),
           Step("PROTOBUF is compatible", "POST", "/compatibility/subjects/@/versions/latest", {"is_compatible": True},
                schema(PROTO + "message S {}", schemaType="PROTOBUF")),
           Step("PROTOBUF, serialized", "GET", "/schemas/ids/proto1?format=serialized", 422),
           Step("PROTOBUF registered as serialized", "POST", "/subjects/@-bytes/versions", {"id": "proto2"},
                schema("CgdhLnByb3Rv", schemaType="PROTOBUF")),
           Step("PROTOBUF registered as serialized, read back", "GET", "/schemas/ids/proto2?format=serialized",
                {"schema": "CgdhLnByb3Rv", "schemaType": "PROTOBUF"}),
           Step("AVRO after PROTOBUF", "POST", VERSIONS, 409, schema(PLAIN)),
           Step("JSON registers", "POST", "/subjects/@-json/versions", {"id": "json1"},
                schema('{"type": "object"}', schemaType="JSON")),
           Step("JSON as sent", "GET", "/schemas/ids/json1", {"schema": '{"type": "object"}', "schemaType": "JSON"})),
    *facts("java", *[Step(name, "POST", f"/subjects/@-{number}/versions", {"version": 1}, schema(one))
                     for number, (name, one) in enumerate({
                         "comment": '{"type": /* a */ "int", "n": 1}', "empty union": "[]",
                         "Unicode": '{"type":"record","name":"Запись",'
                                    '"fields":[{"name":"größe","type":"int"}]}',
                         "forward reference": text({**HOLDER, "fields": [{"name": "a", "type": "otherns.Sub"},
                                                                        {"name": "b", "type": SUB}]}),
                     }.items())],
           Step("wrapped type", "POST", "/subjects/@-no/versions", 42201, schema('{"type":{"type":"int"}}')),
           Step("byte order mark", "POST", "/subjects/@-no/versions", 42201, schema("\ufeff\"int\""))),
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
