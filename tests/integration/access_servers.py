"""A Kafka and a Redis that let nobody in who cannot say who they are: TLS, passwords, access lists, and certificates that are wrong.

Kafka has a listener for each way in (`Listener`); the plaintext one is the administrator's, for making topics and access lists.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from churnwatch.child import LOOPBACK, Child, ServiceError, free_port
from churnwatch.kafka_jars import kafka_home
from churnwatch.servers import CLUSTER_ID, JVM, KAFKA_PROPERTIES, LOG4J

START_SECONDS_MAX = 60.0
SCRAM_USER, SCRAM_PASSWORD = "worker", "scram-canary-5ad1"
PLAIN_USER, PLAIN_PASSWORD = "app", "plain-canary-77c0"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

Grant = tuple[str, str, str]
"""Kind of resource, prefix of its name, operation."""

Listener = Literal["PLAINTEXT", "SASL_SSL", "SSL", "EXPIRED", "OTHERHOST"]
SECURITY: dict[Listener, str] = {
    "PLAINTEXT": "PLAINTEXT",
    "SASL_SSL": "SASL_SSL",
    "SSL": "SSL",
    "EXPIRED": "SASL_SSL",
    "OTHERHOST": "SASL_SSL",
}

# Later lines go before earlier ones in a properties file, so these stand after the ordinary server's.
SECURED = """
listeners={listeners},CONTROLLER://{host}:{controller}
advertised.listeners={listeners}
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={directory}/server.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location={ca}
listener.name.ssl.ssl.client.auth=required
listener.name.expired.ssl.keystore.type=PEM
listener.name.expired.ssl.keystore.location={directory}/expired.keystore.pem
listener.name.otherhost.ssl.keystore.type=PEM
listener.name.otherhost.ssl.keystore.location={directory}/otherhost.keystore.pem
"""
LOGINS = """
listener.name.{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.{name}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class Certificates:
    """An authority and what it has signed, as PEM files: `<name>.pem`, `<name>.key`. `other_ca` is nobody's authority."""

    def __init__(self, directory: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("needs openssl on the PATH")
        self.directory = directory
        for name in ("ca", "other_ca"):
            self._openssl("req", "-x509", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
        self._sign("server", f"IP:{LOOPBACK},DNS:localhost")
        self._sign("expired", f"IP:{LOOPBACK},DNS:localhost", days=-1)
        self._sign("otherhost", "DNS:elsewhere.example")
        self._sign("client", "DNS:client")

    def _sign(self, name: str, names: str, days: int = 2) -> None:
        (self.directory / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self._openssl("req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self._openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", "-days", str(days)),
            *("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext"),
        )
        # Kafka's PEM key stores hold the key and the chain in one file.
        (self.directory / f"{name}.keystore.pem").write_text(
            "".join((self.directory / f"{name}.{kind}").read_text() for kind in ("key", "pem"))
        )

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.directory, capture_output=True, check=True)

    def __getitem__(self, file: str) -> str:
        return str(self.directory / file)


class SecuredKafka:
    """Apache Kafka with a listener for each `Listener`; `address` gives where. Nobody but the administrator may do anything."""

    def __init__(self, certificates: Certificates) -> None:
        try:
            home = kafka_home(lambda _: None)
        except ServiceError as error:
            pytest.skip(f"needs Apache Kafka: {error}")
        directory = Path(tempfile.mkdtemp(prefix="churnwatch-kafka-"))
        for file in certificates.directory.glob("*.keystore.pem"):
            shutil.copy(file, directory)
        first = free_port()
        self._ports: dict[Listener, int] = {}
        for listener in SECURITY:
            first = self._ports[listener] = free_port(first + 1)
        names = {"host": LOOPBACK, "controller": free_port(first + 1), "directory": directory}
        listeners = ",".join(f"{name}://{self.address(name)}" for name in SECURITY)
        protocols = ",".join(f"{name}:{protocol}" for name, protocol in SECURITY.items())
        text = KAFKA_PROPERTIES.format(**names, broker=self._ports["PLAINTEXT"])
        text += SECURED.format(**names, listeners=listeners, protocols=protocols, ca=certificates["ca.pem"])
        for name in ("sasl_ssl", "expired", "otherhost"):
            text += LOGINS.format(name=name, user=PLAIN_USER, password=PLAIN_PASSWORD)
        properties = directory / "server.properties"
        properties.write_text(text)
        (directory / "log4j2.properties").write_text(LOG4J)
        java = [str(home.java), *JVM, f"-Dlog4j2.configurationFile={directory}/log4j2.properties"]
        java += ["-cp", f"{home.jars}/*"]
        scram = f"SCRAM-SHA-512=[name={SCRAM_USER},password={SCRAM_PASSWORD}]"
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), "--add-scram", scram]
        subprocess.run([*java, *tool], capture_output=True, timeout=START_SECONDS_MAX, check=True)
        self.admin = AdminClient({"bootstrap.servers": self.address("PLAINTEXT"), "log_level": 0})
        self._child = Child.guarded([*java, "kafka.Kafka", properties], directory, "Kafka with TLS and SASL")
        self._child.wait_until(self._answers, START_SECONDS_MAX)

    def address(self, listener: Listener) -> str:
        return f"{LOOPBACK}:{self._ports[listener]}"

    def allow(self, user: str, *grants: Grant) -> None:
        """Let a user do operations."""
        for done in self.admin.create_acls([AclBinding(*_acl(user, grant)) for grant in grants]).values():
            done.result(START_SECONDS_MAX)

    def forbid(self, user: str, *grants: Grant) -> None:
        """Take grants away again."""
        for done in self.admin.delete_acls([AclBindingFilter(*_acl(user, grant)) for grant in grants]).values():
            done.result(START_SECONDS_MAX)

    def stop(self) -> None:
        self._child.stop()

    def _answers(self) -> bool:
        if not listens(self._ports["SASL_SSL"]):
            return False
        with contextlib.suppress(KafkaException):
            return len(self.admin.list_topics(timeout=2).brokers) > 0
        return False


def _acl(user: str, grant: Grant) -> tuple[Any, ...]:
    resource, prefix, operation = grant
    kind, what = ResourceType[resource.upper()], AclOperation[operation.upper()]
    return kind, prefix, ResourcePatternType.PREFIXED, f"User:{user}", "*", what, AclPermissionType.ALLOW


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False


@dataclass(frozen=True, slots=True)
class SecuredRedis:
    """A redis-server that speaks TLS only; `admin` runs a command as the administrator, by redis-cli."""

    port: int
    certificates: Certificates

    def admin(self, *words: str) -> str:
        command = ["redis-cli", "--tls", "--cacert", self.certificates["ca.pem"], "-p", str(self.port), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
        return done.stdout.strip()


@contextlib.contextmanager
def secured_redis(certificates: Certificates, name: str = "server", clients: str = "no") -> Iterator[SecuredRedis]:
    """Start one with the certificate of that name; `clients` is "yes" where theirs are asked for."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        pytest.skip("needs redis-server and redis-cli on the PATH")
    port = free_port()
    options = {
        "port": "0",
        "tls-port": str(port),
        "bind": LOOPBACK,
        "save": "",
        "tls-cert-file": certificates[f"{name}.pem"],
        "tls-key-file": certificates[f"{name}.key"],
        "tls-ca-cert-file": certificates["ca.pem"],
        "tls-auth-clients": clients,
    }
    words = [word for option, value in options.items() for word in (f"--{option}", value)]
    directory = Path(tempfile.mkdtemp(prefix="churnwatch-redis-"))
    child = Child.guarded(["redis-server", *words], directory, "redis-server with TLS")
    try:
        child.wait_until(lambda: listens(port), START_SECONDS_MAX)
        yield SecuredRedis(port, certificates)
    finally:
        child.stop()
