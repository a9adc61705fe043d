"""A local cluster that requires users to log in: SASL_SSL with SCRAM-SHA-512 for clients, mutual TLS between nodes, ACLs
for everything else, and TLS and users for the registry, the console and MinIO. Everything that is not granted is denied.

There are two authorities. That of the nodes signs certificates for the ports at which the nodes talk to each other. That
of the clients signs what servers show to clients; it gets nobody into the nodes' ports. The user `setup`,
who creates the others, has no password but a certificate of the nodes' authority, so that no password is on any command
line.
"""

import functools
import os
import pathlib
import ssl
import subprocess
from collections.abc import Callable
from typing import Any

from confluent_kafka.admin import AdminClient, ClusterMetadata
from pyarrow import fs

import ports as local_ports
import secured_roles
from certificates import Authority, private_folder, replace_secret
from cluster import BINARY, Cluster, answers
from minio_users import MinioAdmin
from places import ROOT
from ports import BROKERS, ClusterError, SecuredPorts
from secured_roles import CONSOLE_USERS, REGISTRY_USERS, ROLES, Grant, Secrets, yaml

SETUP = "setup"  # The user with a certificate.
CLIENTS = "certificates/clients"
SETUP_TIMEOUT = 60.0  # Seconds; 3 on an idle machine.
MINIO_ROOT = "minio-root"
BUCKET = "shopstream"
# By role: its policy of scripts/minio_users.py. Only refine and admin delete, so that they alone clean tables up.
MINIO_USERS = {"ingest": "writer", "refine": "maintenance", "observe": "reader", "console": "reader",
               "admin": "maintenance"}


class SecuredCluster(Cluster):
    """`directory` has the nodes' data, the certificates, and a configuration file per role; `secrets`, by default the
    folder beside it, the passwords."""

    scheme = "https"
    readiness_path = "/readyz"  # Needs no user.
    ports: SecuredPorts

    def __init__(self, directory: pathlib.Path, ports: SecuredPorts = SecuredPorts(), binary: pathlib.Path = BINARY,
                 say: Callable[[str], None] = print, brokers: tuple[int, ...] = BROKERS,
                 secrets: pathlib.Path | None = None):
        super().__init__(directory, ports, binary, say, brokers)
        self.secrets = Secrets(secrets or self.directory.parent / "secrets")

    # Certificates.

    @functools.cached_property
    def nodes_authority(self) -> Authority:
        return Authority(self.directory / "certificates/nodes", "shopstream nodes")

    @functools.cached_property
    def authority(self) -> Authority:
        """That of the clients."""
        return Authority(self.directory / CLIENTS, "shopstream clients")

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.certificate_file))

    @property
    def _was_started(self) -> bool:
        """Otherwise there is nobody to ask, and looking creates no authority."""
        return (self.directory / CLIENTS / "ca.pem").exists()

    def _answers(self, url: str) -> bool:
        return self._was_started and answers(url, self._tls)

    def _metadata(self, number: int) -> ClusterMetadata | None:
        return super()._metadata(number) if self._was_started else None

    # Users.

    def admin(self, number: int | None = None) -> AdminClient:
        servers = self.node_servers if number is None else f"127.0.0.1:{self.ports.node(number)}"
        return AdminClient({**self.setup_properties(), "log_level": 0, "bootstrap.servers": servers})

    @property
    def node_servers(self) -> str:
        """Where nodes and the user `setup` connect."""
        return ",".join(f"127.0.0.1:{self.ports.node(n)}" for n in self._brokers)

    def set_up_users(self) -> None:
        """Every role's user, with its password and its ACLs. Adds what is missing and removes nothing."""
        if not os.access(self.binary, os.X_OK):
            raise ClusterError(f"{self.binary}, which sets up the users, is not built: ./run build")
        command = [str(self.binary), "--config", str(self.role_file(SETUP)), "security", "setup", "--set-passwords",
                   "--secrets", str(self.secrets.folder)]
        mine = {name: value for name, value in os.environ.items() if not name.startswith("SHOPSTREAM_")}
        try:
            done = subprocess.run(command, cwd=ROOT, env=mine, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=SETUP_TIMEOUT)
        except subprocess.TimeoutExpired:
            raise ClusterError(f"setting up the users took longer than {SETUP_TIMEOUT:.0f} s") from None
        if done.returncode != 0:
            raise ClusterError(f"setting up the users: {done.stderr.strip()}")

    def add_user(self, user: str, grants: list[Grant]) -> None:
        admin = self.admin()
        secured_roles.set_password(admin, [user], self.secrets)
        secured_roles.grant(admin, {user: grants})

    def grant(self, user: str, grants: list[Grant]) -> None:
        admin = self.admin()
        secured_roles.grant(admin, {user: grants})

    def client_properties(self, user: str) -> dict[str, str]:
        """librdkafka's, with which a client logs in as this user."""
        return {**self._login(user), "sasl.password": self.secrets.password(user)}

    def environment(self, user: str) -> dict[str, str]:
        """The variables with which a shopstream logs in as this user; those who have no login at the registry borrow
        the producer's."""
        at_registry = user if user in REGISTRY_USERS else "producer"
        return {"SHOPSTREAM_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
                "SHOPSTREAM_REGISTRY_USERNAME": at_registry,
                "SHOPSTREAM_REGISTRY_PASSWORD": self.secrets.password(f"registry-{at_registry}"),
                "SHOPSTREAM_REGISTRY_CA_FILE": str(self.authority.certificate_file),
                **{f"SHOPSTREAM_KAFKA_SECURITY_{name.upper().replace('.', '_')}": value
                   for name, value in self.client_properties(user).items()}}

    def _login(self, user: str) -> dict[str, str]:
        return {"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user,
                "ssl.ca.location": str(self.authority.certificate_file)}

    def setup_properties(self) -> dict[str, Any]:
        """librdkafka's, with which `setup` logs in at `node_servers`."""
        certificate = str(self.nodes_authority.issue(SETUP))
        return {"security.protocol": "SSL", "ssl.ca.location": str(self.nodes_authority.certificate_file),
                "ssl.certificate.location": certificate, "ssl.key.location": certificate}

    # A configuration file per role.

    @property
    def shown(self) -> pathlib.Path:
        """Its folder, as a user of this checkout writes it."""
        return self.directory.relative_to(ROOT) if self.directory.is_relative_to(ROOT) else self.directory

    def role_file(self, role: str) -> pathlib.Path:
        return self.directory / f"{role}.yaml"

    def write_role_files(self) -> None:
        """No secret is in them, only where it is. Once MinIO has been started, the lake is there."""
        for role in ROLES:
            self._write_role_file(role, f"{role} on the secured local cluster: ./run up --secure writes it.",
                                  {**self._role_settings(role), **self._lake_settings(role)})
        self._write_role_file(SETUP, "For `security setup`: may do everything, by its certificate.", {
            "kafka": {"bootstrap_servers": self.node_servers, "security": self.setup_properties()}})

    def _write_role_file(self, role: str, comment: str, settings: dict[str, Any]) -> None:
        """Only if it is different, because a server older than its file is restarted."""
        text = f"# {comment}\n{yaml(settings)}"
        path = self.role_file(role)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)

    def _lake_settings(self, role: str) -> dict[str, Any]:
        if not self.lake_is_in_minio:
            return {"lake": {"uri": str(self.directory / "lake")}}
        settings: dict[str, Any] = {"lake": {"uri": f"s3://{BUCKET}/lake"}}
        if role in MINIO_USERS:
            settings["s3"] = {"endpoint": self.minio_url, "ca_file": str(self.authority.certificate_file),
                              "access_key": role,
                              "secret_key_file": str(self.secrets.password_file(f"minio-{role}"))}
        if role == "ingest":
            settings["ingest"] = {"maintenance": False}  # It may not delete.
        return settings

    def _role_settings(self, role: str) -> dict[str, Any]:
        registry: dict[str, Any] = {"url": self.registry_url, "ca_file": str(self.authority.certificate_file)}
        if role in REGISTRY_USERS:
            registry |= {"username": role, "password_file": str(self.secrets.password_file(f"registry-{role}"))}
        if role == "registry":
            registry |= {"listen": f"127.0.0.1:{self.ports.registry}", "tls": self._server_tls("registry"),
                         "users": str(self.secrets.users_file("registry", REGISTRY_USERS))}
        settings: dict[str, Any] = {
            "kafka": {"bootstrap_servers": self.bootstrap_servers,
                      "security": {**self._login(role), "sasl.password_file": str(self.secrets.password_file(role))}},
            "registry": registry,
            "refine": {"state_folder": str(self.directory / "refine"),
                       **{name: str(ROOT / f"config/refine/{name}.{ending}")
                          for name, ending in (("rules", "yaml"), ("rates", "csv"), ("categories", "yaml"))}}}
        if role == "console":
            settings["console"] = {
                "listen": f"127.0.0.1:{self.ports.console}", "tls": self._server_tls("console"),
                "users": str(self.secrets.users_file("console", CONSOLE_USERS)),
                "change_log": str(self.directory / "console/changes.jsonl")}
        return settings

    def _server_tls(self, name: str) -> dict[str, str]:
        certificate = str(self.authority.issue(name))
        return {"certificate": certificate, "key": certificate}

    # Processes.

    def start_brokers(self, *arguments: Any, **options: Any) -> None:
        self._keep_others_out()
        super().start_brokers(*arguments, **options)
        self.write_role_files()
        self.set_up_users()

    def _keep_others_out(self) -> None:
        """MinIO and Kafka keep their users' secrets below `directory`, in files that everyone may read."""
        private_folder(self.directory)
        private_folder(self.secrets.folder)

    @property
    def _minio_certificates(self) -> pathlib.Path:
        return self.directory / "minio/certs"

    @property
    def lake_is_in_minio(self) -> bool:
        """From the first start with MinIO on."""
        return self._minio_certificates.exists()

    def _minio_login(self) -> dict[str, str]:
        return {"MINIO_ROOT_USER": MINIO_ROOT, "MINIO_ROOT_PASSWORD_FILE": str(self.secrets.password_file(MINIO_ROOT))}

    @property
    def s3_environment(self) -> dict[str, str]:
        return {"SHOPSTREAM_S3_ENDPOINT": self.minio_url, "SHOPSTREAM_S3_REGION": "us-east-1",
                "SHOPSTREAM_S3_CA_FILE": str(self.authority.certificate_file), "SHOPSTREAM_S3_ACCESS_KEY": MINIO_ROOT,
                "SHOPSTREAM_S3_SECRET_KEY_FILE": str(self.secrets.password_file(MINIO_ROOT))}

    def start_minio(self, timeout: float = 60) -> None:
        """Also creates the bucket, a user per role, and the roles' configuration for it."""
        self._keep_others_out()
        key, begin, certificate = self.authority.issue("minio").read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
        self._minio_certificates.mkdir(parents=True, exist_ok=True)
        replace_secret(self._minio_certificates / "public.crt", begin + certificate)
        replace_secret(self._minio_certificates / "private.key", key)
        super().start_minio(timeout)
        root = self.secrets.password(MINIO_ROOT)
        minio = MinioAdmin(self.minio_url, MINIO_ROOT, root, self._tls)
        files = fs.S3FileSystem(endpoint_override=self.minio_url, region="us-east-1", access_key=MINIO_ROOT,
                                secret_key=root, tls_ca_file_path=str(self.authority.certificate_file),
                                allow_bucket_creation=True)
        try:
            files.create_dir(BUCKET)
        except OSError as error:
            raise ClusterError(f"minio on {self.minio_url} does not let {MINIO_ROOT} create the bucket {BUCKET}: {error}"
                               f"\nIf {self.secrets.password_file(MINIO_ROOT)} is new: ./run down, then up") from None
        for policy in sorted(set(MINIO_USERS.values())):
            minio.set_policy(policy, BUCKET)
        for role, policy in MINIO_USERS.items():
            minio.set_user(role, self.secrets.password(f"minio-{role}"), policy, BUCKET)
        self.write_role_files()

    def start_registry(self, timeout: float = 30) -> None:
        if self._registry.runs_since_before(self.role_file("registry"), *self._passwords_used_by("registry")):
            self._say("registry: its configuration or its password is new")
            self.stop_registry()
        super().start_registry(timeout)

    def start_console(self, timeout: float = 30) -> None:
        if self.console.runs_since_before(self.role_file("console"), *self._passwords_used_by("console")):
            self._say("console: its configuration or one of its passwords is new")
            self._stop_console()
        if self.console.running():
            self._say(f"console is already running on {self.console.url} (pid {self.console.pid()})")
            return
        self._insist_on_free(local_ports.needed_by_console(self.ports))
        self.console.start([str(self.binary), "--config", str(self.role_file("console")), "console"], cwd=ROOT)
        self._wait("the console", lambda: None if self.console.url else f"port {self.ports.console}", [self.console],
                   timeout)
        self._say("console ready")

    def _passwords_used_by(self, role: str) -> list[pathlib.Path]:
        """The files of those with which it logs in elsewhere; it reads them once."""
        names = [role, *([f"registry-{role}"] if role in REGISTRY_USERS else []),
                 *([f"minio-{role}"] if role in MINIO_USERS and self.lake_is_in_minio else [])]
        return [self.secrets.password_file(name) for name in names]

    def insist_on_free_ports(self, registry: bool, minio: bool) -> None:
        super().insist_on_free_ports(registry, minio)
        if registry and not self.console.running():
            local_ports.insist_on_free(local_ports.needed_by_console(self.ports))

    def _registry_command(self) -> list[str]:
        return [str(self.binary), "--config", str(self.role_file("registry")), "registry"]

    def _listeners(self, number: int) -> str:
        ports = self.ports
        listeners = (f"CLIENT://127.0.0.1:{ports.broker(number)},BROKER://127.0.0.1:{ports.node(number)},"
                     f"CONTROLLER://127.0.0.1:{ports.controller(number)}")
        protocols = "CLIENT:SASL_SSL,BROKER:SSL,CONTROLLER:SSL"
        if ports.plaintext is not None:
            listeners += f",PLAINTEXT://127.0.0.1:{ports.plaintext}"
            protocols += ",PLAINTEXT:PLAINTEXT"
        return f"""listeners={listeners}

# Who may come in.
inter.broker.listener.name=BROKER
listener.security.protocol.map={protocols}
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={self.nodes_authority.issue("broker")}
ssl.truststore.type=PEM
ssl.truststore.location={self.nodes_authority.certificate_file}
listener.name.broker.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
listener.name.client.ssl.keystore.type=PEM
listener.name.client.ssl.keystore.location={self.authority.issue("broker")}

# Who may do what.
ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:broker;User:{SETUP}
allow.everyone.if.no.acl.found=false
"""
