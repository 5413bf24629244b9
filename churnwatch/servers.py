"""A real Kafka and a real Redis on loopback, with scratch data: for tests, benchmarks and development, never for production."""

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from churnwatch.child import LOOPBACK, Child, ServiceError, free_port
from churnwatch.kafka_jars import KafkaHome

KAFKA_START_S_MAX = 60.0
REDIS_START_S_MAX = 15.0
FORMAT_S_MAX = 60.0
CLUSTER_ID = "Q2h1cm53YXRjaC1sb2NhbA"  # any 16 bytes in URL-safe base64
# A broker that lives for minutes on a machine with two cores: the serial collector, a small heap, and the first compiler
# alone, which takes the start from 4.2 s of processor time to 2.8 s.
JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"]

# One node as broker and controller (KRaft). What a single node cannot do with its defaults is set to one; a group's first
# member need not wait 3 s for a second; topics are made by `churnwatch topics create`, as in production.
KAFKA_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{broker},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs={directory}/data
num.partitions=4
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""

LOG4J = """\
rootLogger.level = WARN
rootLogger.appenderRef.stdout.ref = stdout
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d %p %m (%c)%n
"""


class RealKafka:
    """One Apache Kafka node (KRaft); `bootstrap` is its address. Ready when the constructor returns."""

    def __init__(self, home: KafkaHome, port: int | None = None) -> None:
        self.name = f"Apache Kafka {home.version}"
        broker = free_port(port)
        self.bootstrap = f"{LOOPBACK}:{broker}"
        directory = _scratch("kafka")
        properties, log4j = directory / "server.properties", directory / "log4j2.properties"
        controller = free_port(broker + 1)
        properties.write_text(
            KAFKA_PROPERTIES.format(host=LOOPBACK, broker=broker, controller=controller, directory=directory)
        )
        log4j.write_text(LOG4J)
        java = [str(home.java), *JVM, f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{home.jars}/*"]
        try:
            format_storage(java, properties)
        except ServiceError:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        self._child = Child.guarded([*java, "kafka.Kafka", properties], directory, self.name)
        self._child.wait_until(lambda: answers_as_broker(self.bootstrap), KAFKA_START_S_MAX)

    def stop(self) -> None:
        """Kill it and remove its data."""
        self._child.stop()


class RealRedis:
    """The machine's redis-server with nothing written to disk; `url` is its address. Ready when the constructor returns."""

    def __init__(self, port: int | None = None) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise ServiceError(
                "there is no redis-server on the PATH; on Debian and Ubuntu: apt-get install redis-server"
            )
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
        self.name = "redis-server " + next((word[2:] for word in said.split() if word.startswith("v=")), "")
        chosen = free_port(port)
        self._address = f"{LOOPBACK}:{chosen}"
        self.url = f"redis://{self._address}/0"
        options = {"port": chosen, "bind": LOOPBACK, "save": "", "appendonly": "no", "loglevel": "warning"}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._child = Child.guarded([program, *arguments], _scratch("redis"), self.name)
        self._child.wait_until(self._answers, REDIS_START_S_MAX)

    def stop(self) -> None:
        """Kill it; it kept nothing on disk."""
        self._child.stop()

    def _answers(self) -> bool:
        if not _accepts(self._address):
            return False
        host, port = self._address.split(":")
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")


def answers_as_broker(bootstrap: str) -> bool:
    """Whether a client would find the broker: it accepts connections only when its controller has let it in."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    if not _accepts(bootstrap):
        return False
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        return len(admin.list_topics(timeout=2).brokers) > 0
    except KafkaException:
        return False


def _accepts(address: str) -> bool:
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _scratch(name: str) -> Path:
    """Make a directory for a server's data; its guard removes it."""
    return Path(tempfile.mkdtemp(prefix=f"churnwatch-{name}-"))


def format_storage(java: list[str], properties: Path) -> None:
    """Make the empty log of a new node; `java` is the command up to the class to run. Raises ServiceError."""
    command = [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FORMAT_S_MAX, check=False
    )
    if done.returncode != 0:
        raise ServiceError(f"Kafka's storage could not be formatted: {(done.stderr or done.stdout).strip()[-500:]}")
