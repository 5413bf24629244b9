"""How this process talks to Redis: options to a client, and a client to one writer's own connection.

Two facts of redis-py (8.1) shape this file.

1.  A command that is cancelled in flight leaves its reply behind, and the next command on that connection
    reads it as its own (redis-py #2624, #2665). So whatever interrupts an exchange, a time that has run out or
    a cancellation, costs the connection: it is never used again.
2.  Its retries repeat commands whose reply was lost. In a cluster pipeline that goes for `EXEC` too, on a new
    connection that watches nothing: the transaction is applied twice and past its fence. So a cluster client
    is built without retries, and the fenced stores do not go through pipelines but through a `Wire`.
"""

from asyncio import timeout
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from streams.errors import ConfigError

Client = Redis | RedisCluster
Command = Sequence[bytes]
_Error = TypeVar("_Error", bound=Exception)

# What a wire needs whatever the client was told: raw bytes, one dialect (RESP2, which every server and proxy
# speaks), and nothing that sends or reconnects on its own behind a WATCH.
_WIRE: Final[dict[str, Any]] = {
    "protocol": 2,
    "decode_responses": False,
    "health_check_interval": 0,
    "maint_notifications_config": None,
}


_ADVICE: Final[dict[type[Exception], str]] = {
    NoPermissionError: "the access list of this user (CHURNWATCH_REDIS_USERNAME) must let it, see docs/access.md",
    AuthenticationError: "look at CHURNWATCH_REDIS_USERNAME and CHURNWATCH_REDIS_PASSWORD",
}


class WireBroken(Exception):
    """The connection could not be had, or was lost with replies outstanding. Each store says what that means for it."""


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Where Redis is and how to speak to it.

    Attributes:
        url: `redis://host:port/db`, `rediss://…` for TLS, or `unix:///path`.
        username: the user, where access lists are in use.
        password: its password.
        tls_ca: PEM file of the authority to trust in place of the system's.
        tls_cert: PEM file of the client's certificate, for mutual TLS; goes with `tls_key`.
        tls_key: PEM file of its key.
        cluster: whether the address is that of a node of a Redis Cluster.
        timeout_ms: how long connecting, or sending a packet and reading all replies to it, may take.
        retries: how often connecting to a single server is tried again, 50 ms to 1 s apart.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cluster: bool = False
    timeout_ms: int = 5_000
    retries: int = 1


def connect(options: RedisOptions) -> Client:
    """Return a client that has not connected yet: whoever asked for it closes it (`aclose`).

    Raises:
        ConfigError: options that contradict each other.
    """
    tls = {"ssl_ca_certs": options.tls_ca, "ssl_certfile": options.tls_cert, "ssl_keyfile": options.tls_key}
    if any(tls.values()) and not options.url.startswith("rediss://"):
        raise ConfigError("TLS files are given but the Redis address is not a rediss:// one: change one of the two")
    if options.cluster and options.url.startswith("unix://"):
        raise ConfigError("a Redis Cluster has no unix socket: give the redis:// address of one of its nodes")
    if options.timeout_ms <= 0:
        raise ConfigError("the Redis timeout must be above 0 ms: without one a lost server is waited for forever")
    arguments: dict[str, Any] = {name: str(path) for name, path in tls.items() if path is not None}
    arguments |= {
        "username": options.username,
        "password": options.password,
        "socket_timeout": options.timeout_ms / 1000,
        "socket_connect_timeout": options.timeout_ms / 1000,
        "socket_keepalive": not options.url.startswith("unix://") or None,
        "protocol": 2,
    }
    arguments = {name: value for name, value in arguments.items() if value is not None}
    if options.cluster:
        return RedisCluster.from_url(options.url, retry=Retry(NoBackoff(), 0), **arguments)
    return Redis.from_url(options.url, retry=Retry(ExponentialBackoff(cap=1, base=0.05), options.retries), **arguments)


class Wire:
    """One connection, one writer's own, to the server that holds `key`; connected at the first exchange.

    Args:
        client: tells where to connect, and how; its own connections are not used.
        key: decides on the node of a cluster.

    Attributes:
        watching: set by the owner while a WATCH stands on the value that it expects; cleared with the connection,
            for a WATCH goes with it.
        connections: how many were made so far.
    """

    def __init__(self, client: Client, key: bytes) -> None:
        self._client = client
        self._key = key
        self._connection: AbstractConnection | None = None
        self._seconds: float | None = None
        self.watching = False
        self.connections = 0

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands in one packet and return their replies, in one round trip.

        A reply is bytes, int, None, a list of replies, or (not raised) the `ResponseError` of that command.

        Raises:
            WireBroken: not every reply was read. Whether the commands ran is not known.
        """
        try:
            connection = self._connection
            if connection is None:
                connection = self._connection = await self._connect()
            async with timeout(self._seconds):
                await connection.send_packed_command([pack(commands)], check_health=False)
                return [await _reply(connection) for _ in commands]
        except (RedisError, OSError) as error:
            await self.drop()
            late = f"no answer within {self._seconds:g} s" if self._seconds and type(error) is TimeoutError else ""
            raise WireBroken(str(refused(error)) or late or type(error).__name__) from error
        except BaseException:
            await self.drop()
            raise

    async def drop(self) -> None:
        """Close the connection without waiting for the other side; the next exchange makes a new one."""
        connection, self._connection = self._connection, None
        self.watching = False
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def relocate(self) -> None:
        """Drop the connection and, on a cluster, learn anew which node holds the key.

        Raises:
            WireBroken: no node answered.
        """
        await self.drop()
        if isinstance(self._client, RedisCluster):
            try:
                await self._client.nodes_manager.initialize()
            except (RedisError, OSError) as error:
                raise WireBroken(str(error)) from error

    async def close(self) -> None:
        """Close the connection and wait until it is closed."""
        connection, self._connection = self._connection, None
        self.watching = False
        if connection is not None:
            await connection.disconnect()

    async def _connect(self) -> AbstractConnection:
        if isinstance(self._client, RedisCluster):
            await self._client.initialize()
            slot = self._client.keyslot(self._key)
            node = self._client.nodes_manager.get_node_from_slot(slot)
            connection: AbstractConnection = node.connection_class(**(node.connection_kwargs | _WIRE))
        else:
            pool = self._client.connection_pool
            connection = pool.connection_class(**(pool.connection_kwargs | _WIRE))
        await connection.connect()
        # From here on an exchange has its time as a whole: redis-py would make a task for every packet and a timer for
        # every reply, a third of what a small exchange costs.
        self._seconds, connection.socket_timeout = connection.socket_timeout, None
        self.connections += 1
        return connection


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return refused(error)


def refused(error: _Error) -> _Error:
    """Return the error with what to look at, where it says that this user may not; any other as it is.

    >>> str(refused(ResponseError("READONLY")))
    'READONLY'
    """
    kind = NoPermissionError if "NOPERM" in str(error) else type(error)  # so says the end of a transaction
    advice = next((advice for known, advice in _ADVICE.items() if issubclass(kind, known)), None)
    return error if advice is None else type(error)(f"{error}; {advice}")


def pack(commands: Sequence[Command]) -> bytes:
    r"""Return the commands in Redis's wire format.

    Everything is bytes already, so this needs none of the tests that redis-py makes of each argument.

    >>> pack([(b"GET", b"k")])
    b'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n'
    """
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        parts.extend([b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in command])
    return b"".join(parts)
