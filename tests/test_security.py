"""Users with the least permissions: `shopstream security` creates them from one table, and nobody may do more, or less,
than the table says. Another client (confluent_kafka) and the program's own commands try it too."""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient,
                                   AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourcePatternType,
                                   ResourceType)

import secured_roles
from cluster import BINARY
from console_pages import start_console
from places import ROOT
from secured_cluster import SecuredCluster
from secured_roles import Grant
from secured_world import GIVES_UP_WITHIN, World, secured_world
from waiting import wait_until

ROLES = ("producer", "ingest", "registry", "refine", "observe", "console", "admin")
DENIED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
          KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED}
PATIENCE = 15  # Seconds, for one act on a busy machine.


class Shop:
    """The roles of config/roles.yaml on the secured node, under names that no other test uses."""

    def __init__(self, world: World, folder: pathlib.Path):
        self.world, self.node = world, world.node
        self.secrets = folder / "secrets"
        self.roles = folder / "roles.yaml"
        self.suffix = world.topic.rpartition("-")[2]
        table = (ROOT / "config/roles.yaml").read_text()
        self.roles.write_text(re.sub(r"user: (\w+)", rf"user: \1-{self.suffix}", table))
        self.as_administrator = {
            "SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.node.node_servers,
            **{f"SHOPSTREAM_KAFKA_SECURITY_{name.upper().replace('.', '_')}": value
               for name, value in self.node.setup_properties().items()}}

    def user(self, role: str) -> str:
        return f"{role}-{self.suffix}"

    def set_up(self, *flags: object, **options: Any) -> list[dict[str, Any]]:
        done = self.administer("setup", "--secrets", self.secrets, *flags, **options)
        return json.loads(done.stdout)

    def administer(self, command: str, *flags: object, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.world.program.run("--json", "security", command, "--roles", self.roles, *flags,
                                      **{**self.as_administrator, **options})

    def check(self, *roles: str, expect: int = 0) -> tuple[list[dict[str, str]], str]:
        """The rows, and its messages."""
        chosen = [flag for role in roles for flag in ("--role", role)]
        done = self.world.program.run(
            "--json", "security", "check", "--roles", self.roles, "--secrets", self.secrets, *chosen, expect=expect,
            SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS=self.node.bootstrap_servers,
            SHOPSTREAM_KAFKA_SECURITY_SSL_CA_LOCATION=str(self.node.authority.certificate_file))
        return json.loads(done.stdout), done.stderr

    def properties(self, role: str) -> dict[str, Any]:
        """With which another client logs in."""
        user = self.user(role)
        return {"bootstrap.servers": self.node.bootstrap_servers, "security.protocol": "SASL_SSL", "log_level": 0,
                "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user,
                "sasl.password": (self.secrets / f"{user}.password").read_text(),
                "ssl.ca.location": str(self.node.authority.certificate_file)}

    def environment(self, role: str) -> dict[str, str]:
        at_registry = {name: value for name, value in self.node.environment("producer").items()
                       if name.startswith("SHOPSTREAM_REGISTRY_")}
        return {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.node.bootstrap_servers, **at_registry,
                **{f"SHOPSTREAM_KAFKA_SECURITY_{name.upper().replace('.', '_')}": value
                   for name, value in self.properties(role).items() if "." in name and name != "bootstrap.servers"}}

    def run(self, role: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.world.program.run(*arguments, timeout=GIVES_UP_WITHIN, **{**self.environment(role), **options})

    def acls(self) -> set[tuple[Any, ...]]:
        """Of all roles, as another client sees them."""
        mine = {f"User:{self.user(role)}" for role in ROLES}
        return {(acl.principal, acl.restype, acl.name, acl.resource_pattern_type, acl.operation, acl.permission_type,
                 acl.host) for acl in every_acl(self.node) if acl.principal in mine}


def every_acl(node: SecuredCluster) -> list[AclBinding]:
    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY,
                             AclPermissionType.ANY)
    admin = node.admin()  # The future does not keep it alive.
    return admin.describe_acls(every).result(timeout=PATIENCE)


@pytest.fixture(scope="module")
def shop(secured_node: SecuredCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("security")
    with secured_world(secured_node, folder) as world:
        shop = Shop(world, folder)
        steps = shop.set_up()
        assert {step["state"] for step in steps} == {"created"}, steps
        yield shop


def test_a_second_setup_changes_nothing(shop: Shop) -> None:
    passwords = {path.name: path.read_text() for path in shop.secrets.iterdir()}
    before = shop.acls()
    steps = shop.set_up()
    assert {step["state"] for step in steps} == {"exists"}, steps
    assert shop.acls() == before
    assert {path.name: path.read_text() for path in shop.secrets.iterdir()} == passwords
    assert set(passwords) == {f"{shop.user(role)}.password" for role in ROLES}


def test_passwords_are_files_of_their_owner_and_shown_nowhere(shop: Shop) -> None:
    done = shop.administer("setup", "--secrets", shop.secrets, "--log-level", "trace")
    for path in shop.secrets.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
        assert len(path.read_text()) == 32 and path.read_text() not in done.stdout + done.stderr
    assert shop.secrets.stat().st_mode & 0o777 == 0o700


def test_show_prints_the_table_with_its_names(shop: Shop) -> None:
    rows = json.loads(shop.world.program.run("--json", "security", "show", "--roles", shop.roles).stdout)
    assert {row["role"] for row in rows} == set(ROLES)
    ingest = [(row["principal"], row["resource"], row["operations"]) for row in rows if row["role"] == "ingest"]
    principal = f"User:{shop.user('ingest')}"
    assert ingest == [(principal, f"TOPIC {shop.world.topic}", "READ"),
                      (principal, f"GROUP {shop.world.group}", "READ")]
    shown = shop.world.program.run("security", "show").stdout  # The shipped table, without a cluster.
    assert "User:ingest" in shown and "TRANSACTIONAL_ID shopstream-registry" in shown


def test_the_secured_local_cluster_has_the_same_table(secured_node: SecuredCluster) -> None:
    """As another client sees it in the brokers."""
    done = subprocess.run([BINARY, "--json", "security", "show"], cwd=ROOT, check=True, capture_output=True, text=True,
                          timeout=30)
    table: dict[str, set[tuple[str, bool, str]]] = {role: set() for role in ROLES}
    for row in json.loads(done.stdout):
        if row["resource"]:
            table[row["role"]] |= {(row["resource"], row["pattern"] == "PREFIXED", operation)
                                   for operation in row["operations"].split()}
    here: dict[str, set[tuple[str, bool, str]]] = {role: set() for role in secured_roles.ROLES}
    for acl in every_acl(secured_node):
        if (user := acl.principal.removeprefix("User:")) in here:
            resource = "CLUSTER" if acl.restype == ResourceType.BROKER else f"{acl.restype.name} {acl.name}"
            here[user].add((resource, acl.resource_pattern_type == ResourcePatternType.PREFIXED, acl.operation.name))
    assert here == table


def test_every_role_may_do_what_the_table_says_and_no_more(shop: Shop) -> None:
    rows, said = shop.check()
    assert {row["role"] for row in rows} == set(ROLES) and said.count("all as the table says") == len(ROLES), said
    assert all(row["remedy"] == "" for row in rows), rows
    assert {row["result"] for row in rows} == {"allowed", "denied"}, rows


# ---- the same, by another client

def allowed(act: Callable[[], object]) -> bool:
    """False: the brokers refuse it. Any other failure fails the test."""
    try:
        act()
    except KafkaException as e:
        if e.args[0].code() in DENIED:
            return False
        raise
    return True


def read(properties: dict[str, Any], topic: str, patience: float = PATIENCE) -> None:
    """Reads to the end of a partition. Silence after a refused group is a refusal of the topic too."""
    refusal = None
    consumer = Consumer({**properties, "group.id": "not-used", "enable.partition.eof": True,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(patience)
            if message is None and refusal:
                raise KafkaException(refusal)
            assert message is not None, f"{topic}: no answer"
            if message.error() is None or message.error().code() == KafkaError._PARTITION_EOF:
                return
            if message.error().code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # It reads outside the group.
                raise KafkaException(message.error())
            refusal = message.error()
    finally:
        consumer.close()


def write(properties: dict[str, Any], topic: str) -> None:
    failures: list[KafkaError] = []
    producer = Producer({**properties, "message.timeout.ms": PATIENCE * 1000})
    producer.produce(topic, b"x", key=b"security-check",
                     on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(PATIENCE + 5) == 0
    if failures:
        raise KafkaException(failures[0])


def commit(properties: dict[str, Any], group: str, topic: str) -> None:
    admin = AdminClient(properties)  # A consumer's commit would wait 40 s for the coordinator that it may not know.
    wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 0)])
    for future in admin.alter_consumer_group_offsets([wanted]).values():
        for done in future.result(timeout=PATIENCE).topic_partitions:
            if done.error:
                raise KafkaException(done.error)


def open_transaction(properties: dict[str, Any], name: str) -> None:
    Producer({**properties, "transactional.id": name}).init_transactions(PATIENCE)


def admin_act(properties: dict[str, Any], ask: Callable[[AdminClient], Any]) -> None:
    admin = AdminClient(properties)
    answer = ask(admin)
    for future in answer.values() if isinstance(answer, dict) else [answer]:
        result = future.result(timeout=PATIENCE)
        # describe_topics() reports a refusal that way.
        assert result is None or not isinstance(result, KafkaException)


def set_retention(topic: str) -> Callable[[AdminClient], Any]:
    entry = ConfigEntry("retention.ms", "604800000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    return lambda admin: admin.incremental_alter_configs([resource], validate_only=True)


def acts_of(shop: Shop, role: str) -> dict[str, Callable[[], object]]:
    """What is tried, with effects where nobody minds them."""
    login, topic, group = shop.properties(role), shop.world.topic, shop.world.group
    other = f"{topic}-{role}"

    def ask(request: Callable[[AdminClient], Any]) -> Callable[[], object]:
        return lambda: admin_act(login, request)
    grant = Grant("TOPIC", "*", "READ").binding(shop.user(role))  # The table has it for admin.

    def reading(name: str, of: str) -> Callable[[], object]:
        return lambda: read(login, of, PATIENCE if name in MAY[role] else 4)
    return {
        "read the topic": reading("read the topic", topic),
        "write the topic": lambda: write(login, topic),
        "describe the topic's settings": ask(lambda admin: admin.describe_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, topic)])),
        "change the topic's settings": ask(set_retention(topic)),
        "commit for the group": lambda: commit(login, group, topic),
        "describe the group": ask(lambda admin: admin.describe_consumer_groups([group])),
        "read the schemas": reading("read the schemas", "_schemas"),
        "change the schemas' settings": ask(set_retention("_schemas")),
        "open the registry's transaction": lambda: open_transaction(login, f"shopstream-registry-{role}"),
        "create a topic": ask(lambda admin: admin.create_topics([NewTopic(other, 1, 1)], validate_only=True)),
        "delete the topic": ask(lambda admin: admin.delete_topics([topic])),
        "grant itself more": ask(lambda admin: admin.create_acls([grant])),
        "read another topic": reading("read another topic", "__consumer_offsets"),
    }


MAY = {
    "producer": {"write the topic"},
    "ingest": {"read the topic", "commit for the group", "describe the group"},
    "registry": {"read the schemas", "change the schemas' settings", "open the registry's transaction"},
    "refine": set(),
    "observe": {"read the topic", "describe the topic's settings", "describe the group"},
    "console": {"read the topic", "describe the topic's settings", "describe the group"},
    "admin": {"read the topic", "describe the topic's settings", "change the topic's settings", "commit for the group",
              "describe the group", "read the schemas", "change the schemas' settings", "create a topic",
              "grant itself more", "read another topic"},
}


@pytest.mark.parametrize("role", ROLES)
def test_another_client_finds_the_same(shop: Shop, role: str) -> None:
    acts = acts_of(shop, role)
    with concurrent.futures.ThreadPoolExecutor(len(acts)) as pool:
        done = {name: pool.submit(allowed, act) for name, act in acts.items()}
    assert {name for name, result in done.items() if result.result()} == MAY[role]


# ---- the commands, each as its role

def test_the_program_needs_no_more_than_its_role_may(shop: Shop) -> None:
    """From the first record to a healthy report; no line is a warning."""
    registry = shop.world.program.start("registry", **shop.environment("registry"),
                                        SHOPSTREAM_REGISTRY_LISTEN="127.0.0.1:0")
    url = wait_until(lambda: (found := re.search(r"listening on (http://127.0.0.1:\d+)", registry.errors.read_text()))
                     and found.group(1), 20, "the registry listens")
    wait_until(lambda: registry.says("has been read to its end"), 30, "the registry has read its topic")
    settings = {"SHOPSTREAM_REGISTRY_URL": url,
                "SHOPSTREAM_REFINE_STATE_FOLDER": str(shop.world.program.folder / "refine")}
    for role, *arguments in (
            ("producer", "generate", "--count", 20), ("ingest", "ingest", "--until-caught-up"), ("refine", "refine"),
            ("refine", "table", "list"), ("observe", "health"), ("observe", "audit"), ("observe", "group", "describe"),
            ("observe", "topics", "describe"), ("observe", "consume", "--from-beginning", "--max", 1),
            ("console", "topics", "list"), ("console", "group", "list"), ("admin", "topics", "list"),
            ("admin", "topics", "setup", "--replication-factor", 1, "--partitions", 2), ("admin", "group", "list"),
            ("admin", "topics", "create", f"{shop.world.topic}-new", "--replication-factor", 1),
            ("admin", "security", "setup", "--dry-run", "--roles", shop.roles, "--secrets", shop.secrets)):
        done = shop.run(role, *arguments, **settings)
        assert not re.search(r"\b(warn\w*|error)\b", done.stderr), f"{role}: {arguments}: {done.stderr}"
    assert not re.search(r" (warn\w*|error) ", registry.errors.read_text()), registry.words()


def test_the_console_sees_everything_with_its_role(shop: Shop) -> None:
    _, url = start_console(shop.world.program, **shop.environment("console"),
                           SHOPSTREAM_OBSERVE_GROUPS="all", SHOPSTREAM_OBSERVE_TOPICS="all")

    def seen(path: str) -> str:
        with urllib.request.urlopen(f"{url}/api/{path}", timeout=20) as answer:
            return answer.read().decode()
    for path in (f"topics/{shop.world.topic}", f"topics/{shop.world.topic}/search", "brokers",
                 f"groups/{shop.world.group}", "groups", "topics"):
        wait_until(lambda path=path: '"not_measured"' not in (text := seen(path)) and text, 30, f"{path} is measured")
        assert '"not_allowed"' not in seen(path), f"{path}: {seen(path)}"


def test_observe_measures_everything_with_its_role(shop: Shop) -> None:
    running = shop.world.program.start("--json", "observe", **shop.environment("observe"),
                                       SHOPSTREAM_OBSERVE_INTERVAL_MS="1000")
    wait_until(lambda: running.output.read_text().count("\n") >= 3, 30, "three samples")
    assert running.stop() == 0
    assert "not allowed" not in running.words(), running.words()
    assert not running.says("warn"), running.words()


# ---- what disagrees with the table

def test_a_lacking_and_an_excess_acl_are_named(shop: Shop) -> None:
    principal, topic = f"User:{shop.user('ingest')}", shop.world.topic
    needed = f"ALLOW {principal} READ on TOPIC {topic} (LITERAL)"
    admin = shop.node.admin()
    lacking = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, None,
                               AclOperation.READ, AclPermissionType.ALLOW)
    for future in admin.delete_acls([lacking]).values():
        assert len(future.result(timeout=PATIENCE)) == 1
    shop.node.grant(shop.user("ingest"), [Grant("TOPIC", topic, "WRITE")])
    wait_until(lambda: not allowed(lambda: read(shop.properties("ingest"), topic)), PATIENCE, "it may no longer read")

    rows, said = shop.check("ingest", expect=3)
    wrong = {(row["resource"], row["operation"]): row for row in rows if row["remedy"]}
    assert set(wrong) == {(f"TOPIC {topic}", "READ"), (f"TOPIC {topic}", "WRITE")}, wrong
    read_row, write_row = wrong[f"TOPIC {topic}", "READ"], wrong[f"TOPIC {topic}", "WRITE"]
    assert read_row["principal"] == principal and read_row["result"] == "denied" and read_row["table"] == "allowed"
    assert needed in read_row["remedy"] and "security setup" in read_row["remedy"], read_row
    assert write_row["result"] == "allowed" and write_row["table"] == "denied"
    assert f"remove the ACL that allows {principal} WRITE on TOPIC {topic}" in write_row["remedy"], write_row
    assert "2 not as the table says" in said, said

    done = shop.administer("setup", "--secrets", shop.secrets, "--dry-run")
    planned = {row["state"]: row for row in json.loads(done.stdout)}
    assert set(planned) == {"exists", "would be created", "not in the table"}, planned
    assert f"not in the table, and left alone: ALLOW {principal} WRITE" in done.stderr, done.stderr
    created = [step for step in shop.set_up() if step["state"] == "created"]
    assert [(step["principal"], step["resource"], step["operation"]) for step in created] == [
        (principal, f"TOPIC {topic}", "READ")], created
    excess = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, principal, None,
                              AclOperation.WRITE, AclPermissionType.ALLOW)
    for future in admin.delete_acls([excess]).values():
        future.result(timeout=PATIENCE)
    wait_until(lambda: not allowed(lambda: write(shop.properties("ingest"), topic)), PATIENCE, "it may no longer write")
    shop.check("ingest")


def test_a_password_is_never_replaced_unless_asked_for(shop: Shop) -> None:
    file = shop.secrets / f"{shop.user('refine')}.password"
    password = file.read_text()
    file.unlink()
    done = shop.administer("setup", "--secrets", shop.secrets, "--role", "refine", expect=3)
    assert f"User:{shop.user('refine')} exists, but its password is not in {file}" in done.stderr, done.stderr
    assert not file.exists()
    _, said = shop.check("refine", expect=1)
    assert f"there is no {file}" in said, said

    file.touch(0o600)
    file.write_text("another-password-of-refine")
    _, said = shop.check("refine", expect=1)
    assert f"refused the login of User:{shop.user('refine')}" in said and "another-password" not in said, said
    assert {step["state"] for step in shop.set_up("--role", "refine")} == {"exists"}
    assert {step["state"] for step in shop.set_up("--role", "refine", "--set-passwords")} == {"password set"}
    wait_until(lambda: shop.check("refine", expect=None)[1].count("all as the table says"), PATIENCE,
               "the new password is known to the broker")
    file.chmod(0o644)
    _, said = shop.check("refine", expect=1)
    assert f"chmod 600 {file}" in said, said
    file.chmod(0o600)
    file.write_text(password)
    shop.set_up("--role", "refine", "--set-passwords")


def test_a_backup_has_the_acls_and_gives_them_back(shop: Shop, tmp_path: pathlib.Path) -> None:
    """Also one that denies, and one for a host, as another client sees them."""
    program, place, admin = shop.world.program, tmp_path / "backups", shop.node.admin()
    shop.run("producer", "generate", "--count", "10")
    shop.run("ingest", "ingest", "--until-caught-up")
    mine = f"User:{shop.user('producer')}"
    special = AclBinding(ResourceType.GROUP, f"of-{shop.suffix}", ResourcePatternType.PREFIXED, mine, "192.0.2.7",
                         AclOperation.READ, AclPermissionType.DENY)
    admin.create_acls([special])[special].result(timeout=PATIENCE)
    before = shop.acls()
    refused = json.loads(shop.run("ingest", "--json", "backup", "create", place).stdout)
    assert "ALTER on the cluster" in refused["parts_missing"]["acls.json"]
    made = json.loads(program.run("--json", "backup", "create", place, **shop.as_administrator).stdout)
    assert "acls.json" in made["parts"]

    every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, mine, None, AclOperation.ANY,
                             AclPermissionType.ANY)
    admin.delete_acls([every])[every].result(timeout=PATIENCE)
    assert len(shop.acls()) == len(before) - 2
    restore = ["--json", "backup", "restore", place, "--part", "acls"]
    dry = json.loads(program.run(*restore, "--dry-run", **shop.as_administrator).stdout)
    missing = {row["acl"] for row in dry if row["state"] == "missing"}
    assert missing == {f"ALLOW {mine} WRITE on TOPIC {shop.world.topic} (LITERAL) from *",
                       f"DENY {mine} READ on GROUP of-{shop.suffix} (PREFIXED) from 192.0.2.7"}
    assert len(shop.acls()) == len(before) - 2
    states = [{row["state"] for row in json.loads(program.run(*restore, **shop.as_administrator).stdout)}
              for _ in range(2)]
    assert states == [{"created", "exists"}, {"exists"}]
    assert shop.acls() == before
    only = AclBindingFilter(ResourceType.GROUP, special.name, ResourcePatternType.PREFIXED, mine, None, AclOperation.ANY,
                            AclPermissionType.DENY)
    admin.delete_acls([only])[only].result(timeout=PATIENCE)


def test_who_may_not_administer_learns_what_is_needed(shop: Shop) -> None:
    done = shop.run("ingest", "security", "setup", "--roles", shop.roles, "--secrets", shop.secrets, expect=1)
    assert f"User:{shop.user('ingest')}" in done.stderr and "ALTER on the cluster" in done.stderr, done.stderr


@pytest.mark.parametrize(("arguments", "message"), [
    (("show", "--role", "ingset"), "there is no role ingset; did you mean 'ingest'?"),
    (("show", "--roles", "/nonexistent.yaml"), "cannot read /nonexistent.yaml"),
])
def test_a_slip_is_named(arguments: tuple[str, ...], message: str) -> None:
    done = subprocess.run([str(BINARY), "security", *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and message in done.stderr, done.stderr
