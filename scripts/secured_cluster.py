"""A local Kafka node that requires users to log in: SASL_SSL with SCRAM-SHA-512 for clients, mutual TLS between nodes,
and ACLs for everything else. Everything that is not granted is denied.

The administrator is not a user with a password but a certificate, `admin.pem`, for the nodes' listener: so the first
user can be created without a password on any command line. Secrets are files of mode 600 in the cluster's folder.
"""

import contextlib
import dataclasses
import datetime
import ipaddress
import os
import pathlib
import secrets
import subprocess
import time
from collections.abc import Callable

from confluent_kafka import KafkaException
from confluent_kafka.admin import (AclBinding, AclOperation, AclPermissionType, AdminClient, ResourcePatternType,
                                   ResourceType, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from background_process import BackgroundProcess, tail
from cluster import BINARY, START_TIMEOUT, ClusterError, answers, cluster_id
from kafka_java import SETTINGS, kafka_command

VALID_FOR = datetime.timedelta(days=3650)
SCRAM_ITERATIONS = 8192


class Authority:
    """A certificate authority in a folder: `ca.pem` is its certificate; each name gets `<name>.pem`, key and
    certificate in one file, as Kafka and librdkafka read them."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.folder = folder
        self.certificate_file = folder / "ca.pem"
        self._key_file = folder / "ca-key.pem"
        if not self.certificate_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._create(name)

    def issue(self, name: str) -> pathlib.Path:
        """A certificate for a server on this machine that is a client as well."""
        path = self.folder / f"{name}.pem"
        if path.exists():
            return path
        key = ec.generate_private_key(ec.SECP256R1())
        authority = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        here = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (_builder(name, authority.subject, key)
                       .add_extension(x509.SubjectAlternativeName(here), critical=False)
                       .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                                             ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
                       .sign(self._key(), hashes.SHA256()))
        write_secret(path, _pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (_builder(name, _named(name), key)
                       .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                       .sign(key, hashes.SHA256()))
        write_secret(self._key_file, _pem(key))
        self.certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def write_secret(path: pathlib.Path, content: bytes) -> None:
    """Only the owner may read it, from the first byte on."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(_named(name)).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + VALID_FOR))


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


@dataclasses.dataclass(frozen=True)
class SecuredPorts:
    """All on 127.0.0.1."""
    clients: int = 9594
    nodes: int = 9581
    controller: int = 9591
    registry: int = 9582
    plaintext: int | None = None  # A listener without TLS, where everyone is ANONYMOUS.


@dataclasses.dataclass(frozen=True)
class Grant:
    """A permission, e.g. Grant("TOPIC", "orders", "READ")."""
    resource: str
    name: str
    operation: str
    prefixed: bool = False  # Every resource whose name begins with `name`.

    def binding(self, user: str) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL
        return AclBinding(ResourceType[self.resource], self.name, pattern, f"User:{user}", "*",
                          AclOperation[self.operation], AclPermissionType.ALLOW)


def may_produce(topic: str) -> list[Grant]:
    return [Grant("TOPIC", topic, "WRITE")]


def may_ingest(topic: str, group: str) -> list[Grant]:
    """Also lets it run `audit`, `health` and `group describe`."""
    return [Grant("TOPIC", topic, "READ"), Grant("TOPIC", topic, "DESCRIBE_CONFIGS"), Grant("GROUP", group, "READ")]


def may_serve_registry(topic: str = "_schemas") -> list[Grant]:
    """For a topic that exists; to create it: CREATE and ALTER_CONFIGS as well."""
    return [*[Grant("TOPIC", topic, operation) for operation in ("READ", "WRITE", "DESCRIBE_CONFIGS")],
            *[Grant("TRANSACTIONAL_ID", "shopstream-registry", operation, prefixed=True)
              for operation in ("WRITE", "DESCRIBE")]]


class SecuredCluster:
    """One node of one folder, its certificates and its users."""

    def __init__(self, directory: pathlib.Path, ports: SecuredPorts = SecuredPorts(), binary: pathlib.Path = BINARY,
                 say: Callable[[str], None] = print):
        self.directory = directory.resolve()
        self.ports = ports
        self.binary = binary
        self._say = say
        self._node = BackgroundProcess("the secured broker", self.directory / "node")
        self._registry = BackgroundProcess("the secured registry", self.directory / "registry")
        self._authority: Authority | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.ports.clients}"

    @property
    def registry_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.registry}"

    @property
    def authority(self) -> Authority:
        if self._authority is None:
            self._authority = Authority(self.directory / "certificates", "shopstream local cluster")
        return self._authority

    def start(self, timeout: float = START_TIMEOUT) -> None:
        """Returns once the node serves."""
        if not self._node.running():
            properties = self._properties()
            self._format(properties)
            self._node.start(kafka_command(self._log, "kafka.Kafka", properties))
        deadline = time.monotonic() + timeout
        while not self._serves():
            if not self._node.running() or time.monotonic() > deadline:
                raise ClusterError(f"the secured broker does not serve.\n{tail(self._log, 12)}\n"
                                   f"{self._node.last_output()}")
            time.sleep(0.1)
        self._say(f"secured broker ready on {self.bootstrap_servers}")

    def start_registry(self, timeout: float = 30) -> None:
        """The registry, logged in as the user `registry`."""
        if self._registry.running():
            return
        self.add_user("registry", [*may_serve_registry(), *[Grant("TOPIC", "_schemas", operation)
                                                           for operation in ("CREATE", "ALTER_CONFIGS")]])
        self._registry.start([str(self.binary), "--config", os.devnull, "registry"],
                             environment={**os.environ, **self.environment("registry"),
                                          "SHOPSTREAM_REGISTRY_LISTEN": f"127.0.0.1:{self.ports.registry}"})
        deadline = time.monotonic() + timeout
        while not answers(f"{self.registry_url}/subjects"):
            if not self._registry.running() or time.monotonic() > deadline:
                raise ClusterError(f"the registry does not serve.\n{self._registry.last_output()}")
            time.sleep(0.1)

    @property
    def data_folder(self) -> pathlib.Path:
        return self._node.folder / "data"

    def kill_node(self) -> None:
        """SIGKILL. The registry waits for the node."""
        self._node.kill()

    def kill(self) -> None:
        self._registry.kill()
        self._node.kill()

    def admin(self) -> AdminClient:
        """May do everything: the nodes' listener accepts its certificate."""
        admin = str(self.authority.issue("admin"))
        return AdminClient({"bootstrap.servers": f"127.0.0.1:{self.ports.nodes}", "security.protocol": "SSL",
                            "ssl.ca.location": str(self.authority.certificate_file), "log_level": 0,
                            "ssl.certificate.location": admin, "ssl.key.location": admin})

    def password(self, user: str) -> str:
        return (self.directory / "passwords" / user).read_text()

    def add_user(self, user: str, grants: list[Grant]) -> None:
        """With a random password, see password()."""
        folder = self.directory / "passwords"
        folder.mkdir(exist_ok=True, mode=0o700)
        write_secret(folder / user, secrets.token_urlsafe(18).encode())
        mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, SCRAM_ITERATIONS)
        change = UserScramCredentialUpsertion(user, mechanism, self.password(user).encode())
        admin = self.admin()  # The futures do not keep it alive.
        for future in admin.alter_user_scram_credentials([change]).values():
            future.result(timeout=10)
        self.grant(user, grants)

    def grant(self, user: str, grants: list[Grant]) -> None:
        if not grants:
            return
        admin = self.admin()
        for future in admin.create_acls([grant.binding(user) for grant in grants]).values():
            future.result(timeout=10)

    def client_properties(self, user: str) -> dict[str, str]:
        """librdkafka's, with which a client logs in as this user."""
        return {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user,
                "sasl.password": self.password(user), "ssl.ca.location": str(self.authority.certificate_file)}

    def environment(self, user: str) -> dict[str, str]:
        """The variables with which a shopstream logs in as this user."""
        return {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
                **{f"SHOPSTREAM_KAFKA_SECURITY_{name.upper().replace('.', '_')}": value
                   for name, value in self.client_properties(user).items()}}

    @property
    def _log(self) -> pathlib.Path:
        return self._node.folder / "server.log"

    def _serves(self) -> bool:
        with contextlib.suppress(KafkaException):
            return bool(self.admin().list_topics(timeout=2).brokers)
        return False

    def _format(self, properties: str) -> None:
        if (self._node.folder / "data/meta.properties").exists():
            return
        tool = kafka_command(self._log, "kafka.tools.StorageTool", "format", "--ignore-formatted",
                             f"--cluster-id={cluster_id(self.directory)}", "--config", properties)
        tool.insert(1, "-XX:TieredStopAtLevel=1")
        done = subprocess.run(tool, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise ClusterError(f"{self._node.folder}/data could not be formatted:\n{done.stdout}{done.stderr}")

    def _properties(self) -> str:
        folder = self._node.folder
        folder.mkdir(parents=True, exist_ok=True)
        keys = self.authority.issue("broker")
        ports = self.ports
        listeners = (f"CLIENT://127.0.0.1:{ports.clients},BROKER://127.0.0.1:{ports.nodes},"
                     f"CONTROLLER://127.0.0.1:{ports.controller}")
        protocols = "CLIENT:SASL_SSL,BROKER:SSL,CONTROLLER:SSL"
        if ports.plaintext is not None:
            listeners += f",PLAINTEXT://127.0.0.1:{ports.plaintext}"
            protocols += ",PLAINTEXT:PLAINTEXT"
        shared = "\n".join(line for line in (SETTINGS / "server.properties").read_text().splitlines()
                           if not line.startswith(("listener.", "inter.broker.")))
        path = folder / "server.properties"
        path.write_text(f"""{shared}

# One node.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
node.id=1
listeners={listeners}
controller.quorum.voters=1@127.0.0.1:{ports.controller}
log.dirs={folder / "data"}

# Who may come in.
inter.broker.listener.name=BROKER
listener.security.protocol.map={protocols}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keys}
ssl.truststore.type=PEM
ssl.truststore.location={self.authority.certificate_file}
listener.name.broker.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required

# Who may do what.
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:admin
allow.everyone.if.no.acl.found=false
""")
        return str(path)
