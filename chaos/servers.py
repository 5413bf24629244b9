"""A Kafka and a Redis that keep what they have acknowledged, and can be stopped, killed and started again on the same data."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from chaos.workers import mortal
from churnwatch.child import LOOPBACK, ServiceError, free_port
from churnwatch.kafka_jars import KafkaHome
from churnwatch.servers import JVM, KAFKA_PROPERTIES, LOG4J, answers_as_broker, format_storage

KAFKA_START_SECONDS_MAX: Final = 90.0
REDIS_START_SECONDS_MAX: Final = 20.0
STOP_SECONDS_MAX: Final = 30.0
LOOK_SECONDS: Final = 0.05

# Workers come in through a listener of their own, which the broker advertises at the proxy's port. Short sessions, so that a
# frozen worker is given up within seconds and a killed broker is let in again within seconds.
CHAOS_PROPERTIES: Final = """\
listeners=PLAINTEXT://{host}:{broker},WORKERS://{host}:{workers},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{broker},WORKERS://{host}:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,WORKERS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.index.size.max.bytes=65536
log.segment.delete.delay.ms=1000
"""


class Server:
    """A server process with data of its own in `folder`, which outlives it; what it says goes to `folder`/server.log."""

    def __init__(self, name: str, command: Sequence[str | Path], folder: Path, seconds_max: float) -> None:
        self.name = name
        self._command = mortal(*command)
        self._folder = folder
        self._seconds_max = seconds_max
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool]) -> None:
        """Start it unless it runs; returns when it is `ready`. Raises ServiceError where it does not come up."""
        if self._process is not None and self._process.poll() is None and ready():
            return
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + self._seconds_max
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                said = (self._folder / "server.log").read_text(errors="replace")[-3000:]
                raise ServiceError(f"{self.name} did not start. It said last:\n{said}")
            time.sleep(LOOK_SECONDS)

    def stop(self) -> None:
        """End it as an operator does; one that does not listen is killed."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS_MAX)
        self.kill()

    def kill(self) -> None:
        """End it as the kernel does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class KafkaServer:
    """One Apache Kafka node (KRaft). Workers reach it through the proxy at `proxy_port`, everybody else at `bootstrap`."""

    def __init__(self, home: KafkaHome, folder: Path, proxy_port: int) -> None:
        folder.mkdir(parents=True)
        broker = free_port()
        self.workers_port = free_port(broker + 1)
        controller = free_port(self.workers_port + 1)
        self.bootstrap = f"{LOOPBACK}:{broker}"
        properties, log4j = folder / "server.properties", folder / "log4j2.properties"
        ports = {"broker": broker, "workers": self.workers_port, "controller": controller, "advertised": proxy_port}
        # Of a property that is given twice, the last counts.
        told = (KAFKA_PROPERTIES + CHAOS_PROPERTIES).format(host=LOOPBACK, directory=folder, **ports)
        properties.write_text(told)
        log4j.write_text(LOG4J)
        java = [str(home.java), *JVM, f"-Dlog4j2.configurationFile={log4j}", "-cp", f"{home.jars}/*"]
        format_storage(java, properties)
        self.name = f"Apache Kafka {home.version}"
        self._server = Server(self.name, [*java, "kafka.Kafka", properties], folder, KAFKA_START_SECONDS_MAX)
        self.start()

    def start(self) -> None:
        """Start it unless it runs; returns when clients would find it."""
        self._server.start(lambda: answers_as_broker(self.bootstrap))

    def stop(self) -> None:
        """A clean shutdown."""
        self._server.stop()

    def kill(self) -> None:
        """No shutdown."""
        self._server.kill()


class RedisServer:
    """A redis-server whose append-only file is synced before each answer: what it has acknowledged it keeps."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise ServiceError(
                "there is no redis-server on the PATH; on Debian and Ubuntu: apt-get install redis-server"
            )
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        options = {"port": self.port, "bind": LOOPBACK, "dir": folder, "save": "", "loglevel": "warning"}
        options |= {"appendonly": "yes", "appendfsync": "always"}
        arguments = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._server = Server("redis-server", [program, *arguments], folder, REDIS_START_SECONDS_MAX)

    def start(self) -> None:
        """Start it unless it runs; returns when it has read its file and answers."""
        self._server.start(self._answers)

    def stop(self) -> None:
        """A clean shutdown."""
        self._server.stop()

    def kill(self) -> None:
        """No shutdown."""
        self._server.kill()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), 1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False
