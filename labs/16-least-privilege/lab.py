"""Lab 16: logs in as the student's user, and tries what it must not be able to do."""

import collections
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourcePatternType, ResourceType)

from places import ROOT
from runner.bench import Bench
from runner.course import LabError
from runner.finding import Finding, failed, passed
from secured_cluster import SecuredCluster
from secured_roles import may_produce

RECORDS = 120
SCHEMA = ROOT / "schemas/purchase_event.avsc"
OLD_PASSWORD = "summer2019"
PATIENCE = 30.0  # Seconds; most answers take a few milliseconds.
FORGED = ("forged", b"by the checker")  # A header.
DENIED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}


def loader(bench: Bench) -> str:
    return f"loader-{bench.attempt.token}"


def payroll(bench: Bench) -> str:
    return f"{bench.topic}-payroll"


# The experiment.


def start(bench: Bench) -> None:
    cluster = secured(bench)
    till = f"till-{bench.attempt.token}"
    topics = [NewTopic(bench.topic, 3, 1), NewTopic(payroll(bench), 1, 1)]
    for created in bench.admin().create_topics(topics).values():
        created.result(PATIENCE)
    cluster.add_user(till, may_produce(bench.topic))
    cluster.add_user(loader(bench), [])
    vault = bench.folder / "vault"
    vault.mkdir(mode=0o700)
    (vault / "loader.password").write_text(cluster.secrets.password(loader(bench)))
    (bench.folder / "loader.password").write_text(OLD_PASSWORD)
    pipeline = bench.folder / "config/pipeline.yaml"
    plain = pipeline.read_text()
    pipeline.write_text(with_login(bench, plain, loader(bench), str(bench.folder / "loader.password"), "ingest"))
    tills = bench.folder / ".till.yaml"
    tills.write_text(with_login(bench, plain, till, str(cluster.secrets.password_file(till)), "producer"))
    with open(bench.folder / "settings.py", "a") as file:
        file.write(f"LOADER = {loader(bench)!r}\nADMIN = {bench.login()!r}\n")
    for words in (("schema", "register", SCHEMA), ("generate", "--count", RECORDS, "--seed", bench.seed)):
        bench.run(cluster.binary, "--config", tills, *words)
    producer = Producer(bench.login())
    producer.produce(payroll(bench), b"A. Turing: 5100 a month")
    if producer.flush(PATIENCE):
        raise LabError("the broker does not acknowledge records: ./brokers")


def secured(bench: Bench) -> SecuredCluster:
    if not isinstance(bench.cluster, SecuredCluster):
        raise LabError("lab 16 needs a cluster where users log in")
    return bench.cluster


def with_login(bench: Bench, plain: str, user: str, password_file: str, at_registry: str) -> str:
    cluster = secured(bench)
    authority = cluster.authority.certificate_file
    group, url = f"  group: {bench.group}\n", f"  url: {cluster.registry_url}\n"
    return plain.replace(group, f"""{group}  security:
    security.protocol: SASL_SSL
    sasl.mechanism: SCRAM-SHA-512
    sasl.username: {user}
    sasl.password_file: {password_file}
    ssl.ca.location: {authority}
""").replace(url, f"""{url}  ca_file: {authority}
  username: {at_registry}
  password_file: {cluster.secrets.password_file(f"registry-{at_registry}")}
""")


# The check.


def check(bench: Bench) -> Finding:
    login = {"bootstrap.servers": bench.cluster.bootstrap_servers, "security.protocol": "SASL_SSL",
             "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": loader(bench),
             "sasl.password": (bench.folder / "loader.password").read_text().strip(),
             "ssl.ca.location": str(secured(bench).authority.certificate_file), "log_level": 0}
    if refused := cannot_log_in(login):
        return failed(f"{loader(bench)} cannot log in with loader.password", "the password in vault/loader.password", refused)
    records = [record for record in bench.records() if FORGED not in (record.headers() or [])]
    rows = collections.Counter((row["kafka_partition"], row["kafka_offset"])
                               for row in bench.rows("bronze-events", "kafka_partition", "kafka_offset"))
    have = acls(bench)
    saw = f"{loader(bench)} has {len(have)} permission{'' if len(have) == 1 else 's'}; bronze-events has {rows.total()} of {len(records)} records"
    for record in records:
        if (found := rows[record.partition(), record.offset()]) != 1:
            return failed(saw, "each record once in bronze-events: ./shopstream ingest --until-caught-up says what it may not",
                          f"offset {record.offset()} of partition {record.partition()} is there {found} times")
    for what, act in FORBIDDEN.items():
        if done := allowed(lambda: act(bench, login)):
            return failed(saw, f"a user who cannot {what}", f"the loader can {what}: {done}")
    if spare := sorted(have - least(bench)):
        return failed(saw, "the least set: each permission is needed", f"ingest also works without {spare[0]}")
    return passed(f"{saw}; six forbidden acts were refused", answer=str(len(have)),
                  evidence=f"Ingest has read everything with {' and '.join(sorted(have))}.")


def cannot_log_in(login: dict[str, Any]) -> str:
    """The broker's reason; empty if the login works."""
    reasons: list[str] = []
    client = AdminClient({**login, "error_cb": lambda error: reasons.append(error.str())
                          if error.code() == KafkaError._AUTHENTICATION else None})
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client.list_topics(timeout=1)
            return ""
        except KafkaException as error:
            client.poll(0)
            if reasons:
                return reasons[0].partition(": ")[2] or reasons[0]  # Without the broker's address.
            if time.monotonic() > deadline:
                raise LabError(f"the broker does not answer: {error.args[0].str()}") from None


def acls(bench: Bench) -> set[str]:
    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{loader(bench)}", None, AclOperation.ANY,
                             AclPermissionType.ANY)
    return {spoken(acl.operation, acl.restype, acl.name, acl.resource_pattern_type)
            for acl in bench.admin().describe_acls(every).result(PATIENCE)}


def least(bench: Bench) -> set[str]:
    return {spoken(AclOperation.READ, kind, name, ResourcePatternType.LITERAL)
            for kind, name in ((ResourceType.TOPIC, bench.topic), (ResourceType.GROUP, bench.group))}


def spoken(operation: AclOperation, kind: ResourceType, name: str, pattern: ResourcePatternType) -> str:
    return f"{operation.name} on {kind.name} {name}" + (f" ({pattern.name})" if pattern != ResourcePatternType.LITERAL else "")


# What the loader must not be able to do. If it can, each act says what it did. None changes what ingest reads.


def allowed(act: Callable[[], str]) -> str:
    """Empty: the broker refuses it. Any other failure is a failure of the check."""
    try:
        return act()
    except KafkaException as error:
        if error.args[0].code() in DENIED:
            return ""
        raise


def write(bench: Bench, login: dict[str, Any]) -> str:
    answers: list[tuple[KafkaError | None, int]] = []
    producer = Producer({**login, "message.timeout.ms": int(PATIENCE * 1000)})
    producer.produce(bench.topic, b"one gold bar", partition=0, headers=[FORGED],
                     on_delivery=lambda error, message: answers.append((error, message.offset())))
    producer.flush(PATIENCE + 5)
    error, offset = answers[0]
    if error:
        raise KafkaException(error)
    return f"offset {offset} of partition 0 is 'one gold bar', from the checker with its password"


def delete(bench: Bench, login: dict[str, Any]) -> str:
    """Of what is before offset 0: nothing."""
    client = AdminClient(login)  # Its futures do not keep it alive.
    for deleted in client.delete_records([TopicPartition(bench.topic, 0, 0)]).values():
        deleted.result(PATIENCE)
    return "the broker has accepted DeleteRecords for partition 0"


def change(bench: Bench, login: dict[str, Any]) -> str:
    """Validated only."""
    topic = ConfigResource(ConfigResource.Type.TOPIC, bench.topic)
    topic.add_incremental_config(ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    client = AdminClient(login)  # Its futures do not keep it alive.
    for changed in client.incremental_alter_configs([topic], validate_only=True).values():
        changed.result(PATIENCE)
    return "the broker would set retention.ms to a second"


def read(bench: Bench, login: dict[str, Any]) -> str:
    consumer = Consumer({**login, "group.id": bench.group, "enable.auto.commit": False, "enable.partition.eof": True})
    with bench.closing(consumer):
        seen = consumer.list_topics(payroll(bench), timeout=PATIENCE).topics[payroll(bench)]
        if seen.error is not None:  # A consumer would wait silently.
            raise KafkaException(seen.error)
        consumer.assign([TopicPartition(payroll(bench), 0, 0)])
        message = consumer.poll(PATIENCE)
        if message is None:
            raise LabError(f"{payroll(bench)}: the broker does not answer")
        if message.error() is not None:
            raise KafkaException(message.error())
        return f"offset 0 of {payroll(bench)} is {(message.value() or b'').decode()!r}"


def move(bench: Bench, login: dict[str, Any]) -> str:
    group = f"{bench.topic}-dashboard"
    moved = ConsumerGroupTopicPartitions(group, [TopicPartition(bench.topic, 0, 0)])
    client = AdminClient(login)  # Its futures do not keep it alive.
    for done in client.alter_consumer_group_offsets([moved]).values():
        if (error := done.result(PATIENCE).topic_partitions[0].error) is not None:
            raise KafkaException(error)
    return f"group {group} is at offset 0 of partition 0"


def promote(bench: Bench, login: dict[str, Any]) -> str:
    new = AclBinding(ResourceType.TOPIC, payroll(bench), ResourcePatternType.LITERAL, f"User:{loader(bench)}", "*",
                     AclOperation.WRITE, AclPermissionType.ALLOW)
    client = AdminClient(login)  # Its futures do not keep it alive.
    for done in client.create_acls([new]).values():
        done.result(PATIENCE)
    for undone in bench.admin().delete_acls([AclBindingFilter(
            new.restype, new.name, new.resource_pattern_type, new.principal, new.host, new.operation, new.permission_type)]).values():
        undone.result(PATIENCE)
    return "it had WRITE on the payroll for a moment"


FORBIDDEN: dict[str, Callable[[Bench, dict[str, Any]], str]] = {
    "forge a purchase": write, "delete purchases": delete, "change the topic's settings": change,
    "read the payroll": read, "move another group": move, "grant itself more": promote}
