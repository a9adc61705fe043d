"""A topic, its users and a lake on the secured node, for the tests of one module."""

import contextlib
import pathlib
import subprocess
import uuid
from collections.abc import Iterator

from confluent_kafka.admin import NewTopic

from secured_cluster import SecuredCluster
from secured_roles import Grant, may_ingest, may_produce
from shopstream import Shopstream, shopstream_world

GIVES_UP_WITHIN = 40.0  # Seconds; the calls themselves time out after 10, on a busy machine.


class World:
    """A topic of the secured node, its users, and a lake that has been filled once."""

    def __init__(self, node: SecuredCluster, program: Shopstream):
        self.node = node
        self.program = program
        self.topic, self.group = program.topic, program.group
        name = uuid.uuid4().hex[:6]
        self.producer, self.ingester = f"producer-{name}", f"ingester-{name}"
        create(node, self.topic)
        node.add_user(self.producer, may_produce(self.topic))
        node.add_user(self.ingester, may_ingest(self.topic, self.group))

    def user(self, *grants: Grant) -> str:
        name = f"user-{uuid.uuid4().hex[:6]}"
        self.node.add_user(name, list(grants))
        return name

    def run(self, user: str | None, *arguments: object, expect: int | None = 0, servers: str | None = None,
            **settings: str) -> subprocess.CompletedProcess[str]:
        """As this user, or without any login. `settings`: more variables; an empty one is left out."""
        login = {} if user is None else self.node.environment(user)
        if servers is not None:
            login["SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS"] = servers
        return self.program.run(*arguments, expect=expect, timeout=GIVES_UP_WITHIN, **{**login, **settings})


def create(node: SecuredCluster, topic: str) -> None:
    admin = node.admin()
    for created in admin.create_topics([NewTopic(topic, 2, 1)]).values():
        created.result(timeout=20)


@contextlib.contextmanager
def secured_world(node: SecuredCluster, folder: pathlib.Path) -> Iterator[World]:
    with shopstream_world(node, folder, f"secured-{uuid.uuid4().hex[:6]}") as program:
        yield World(node, program)
