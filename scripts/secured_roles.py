"""The users of the secured local cluster: their secrets, their logins at other services, and further users for tests.
config/roles.yaml has what each role may do in Kafka.

A secret is a file of mode 600 in the folder of secrets. It is created once; delete one and start the cluster again to
replace it.
"""

import concurrent.futures
import dataclasses
import json
import pathlib
import secrets
import subprocess
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                   ResourceType, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion)

from certificates import private_folder, replace_secret
from ports import ClusterError

SCRAM_ITERATIONS = 8192
ANSWER_WITHIN = 60.0  # Seconds, for a call to Kafka; 1 on an idle machine.


@dataclasses.dataclass(frozen=True)
class Grant:
    """A permission, e.g. Grant("TOPIC", "orders", "READ")."""
    resource: str
    name: str
    operation: str
    prefixed: bool = False  # Every resource whose name begins with `name`.

    def binding(self, user: str) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL
        resource = ResourceType.BROKER if self.resource == "CLUSTER" else ResourceType[self.resource]
        return AclBinding(resource, self.name, pattern, f"User:{user}", "*",
                          AclOperation[self.operation], AclPermissionType.ALLOW)


def may_produce(topic: str) -> list[Grant]:
    return [Grant("TOPIC", topic, "WRITE")]


def may_ingest(topic: str, group: str) -> list[Grant]:
    """Also lets it run `audit`, `health` and `group describe`."""
    return [Grant("TOPIC", topic, "READ"), Grant("TOPIC", topic, "DESCRIBE_CONFIGS"), Grant("GROUP", group, "READ")]


ROLES = ("producer", "ingest", "registry", "refine", "observe", "console", "admin")  # Those of config/roles.yaml.
# By user: the role in the file of users. Users who are not listed have no login there.
REGISTRY_USERS = {"producer": "writer", "ingest": "reader", "observe": "reader", "console": "reader", "admin": "writer"}
CONSOLE_USERS = {"admin": "writer", "viewer": "reader"}


class Secrets:
    """The folder of secrets. Kafka's passwords are `<user>.password`, those of another service
    `<service>-<user>.password`, and its file of users is `<service>.users`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def password_file(self, name: str) -> pathlib.Path:
        """Of a random password, which it creates if there is none."""
        path = self.folder / f"{name}.password"
        if not path.exists():
            private_folder(self.folder)
            replace_secret(path, secrets.token_urlsafe(24).encode())
        return path

    def password(self, name: str) -> str:
        return self.password_file(name).read_text()

    def users_file(self, service: str, roles: dict[str, str]) -> pathlib.Path:
        """The users of the registry or the console: written again once a password, a user or a role is new."""
        path = self.folder / f"{service}.users"
        names = [self.password_file(f"{service}-{user}") for user in roles]
        if (not path.exists() or _roles_in(path) != roles
                or any(name.stat().st_mtime_ns > path.stat().st_mtime_ns for name in names)):
            lines = [f"{user}:{_hash(self.password(f'{service}-{user}'))}:{role}\n" for user, role in roles.items()]
            replace_secret(path, "".join(lines).encode())
        return path


def _roles_in(users_file: pathlib.Path) -> dict[str, str]:
    lines = users_file.read_text().splitlines()
    return {line.split(":")[0]: line.rpartition(":")[2] for line in lines}


def _hash(password: str) -> str:
    """In the format of crypt(3)."""
    done = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, check=True, capture_output=True,
                          text=True, timeout=60)
    return done.stdout.strip()


def set_password(admin: AdminClient, users: Iterable[str], passwords: Secrets) -> None:
    mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
    changes = [UserScramCredentialUpsertion(user, mechanism, passwords.password(user).encode()) for user in users]
    _await("setting passwords", admin.alter_user_scram_credentials(changes, request_timeout=ANSWER_WITHIN).values())


def grant(admin: AdminClient, grants: dict[str, list[Grant]]) -> None:
    bindings = [grant.binding(user) for user, granted in grants.items() for grant in granted]
    if bindings:
        _await("adding ACLs", admin.create_acls(bindings, request_timeout=ANSWER_WITHIN).values())


def _await(what: str, answers: Iterable[concurrent.futures.Future[None]]) -> None:
    for answer in answers:
        try:
            answer.result(timeout=ANSWER_WITHIN)
        except (KafkaException, TimeoutError) as error:
            reason = str(error) or f"the brokers did not answer within {ANSWER_WITHIN:g} s"
            raise ClusterError(f"{what} in Kafka: {reason}") from None


def yaml(settings: dict[str, Any], indent: str = "") -> str:
    """A configuration file with these settings; a scalar of JSON is one of YAML."""
    return "".join(f"{indent}{name}:\n{yaml(value, indent + '  ')}" if isinstance(value, dict)
                   else f"{indent}{name}: {json.dumps(value)}\n" for name, value in settings.items())
