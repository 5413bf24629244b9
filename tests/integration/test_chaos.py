"""Three rounds of `make chaos`: real workers, a real Kafka and a real Redis, attacked in the middle of a log (docs/guarantees.md, G1)."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.arena import Arena, arena
from chaos.attacks import ATTACKS
from chaos.outcome import Outcome, differences
from chaos.plan import plan
from chaos.proxy import Mode, Proxy
from chaos.reference import Case, Sizes, alone, cases
from chaos.rounds import run_round
from churnwatch.child import ServiceError
from models.labels import Example

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a round takes 20 s; on a busy machine much longer

SMALL = Sizes(example=150, wild=40)
ROUNDS = {"example-frozen": 14, "wild-frozen": 80, "wild-learning": 26}
KINDS_MIN = 17


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    if os.environ.get("SERVICES") == "embedded":
        pytest.skip("needs Apache Kafka and redis-server: SERVICES=embedded")
    try:
        with arena(tmp_path_factory.mktemp("chaos") / "servers") as both:
            yield both
    except ServiceError as error:
        if os.environ.get("SERVICES") == "real":
            raise
        pytest.skip(f"needs Apache Kafka and redis-server: {error}")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    return {case.slug: case for case in cases(SMALL, tmp_path_factory.mktemp("logs"))}


@pytest.mark.parametrize("slug", ROUNDS)
def test_a_round_of_attacks_makes_no_difference(
    slug: str, servers: Arena, known: dict[str, Case], tmp_path: Path
) -> None:
    case = known[slug]
    wanted, unlike_the_backtest = alone(case, servers, tmp_path / "alone")
    assert unlike_the_backtest == []
    result = run_round(servers, case, wanted, ROUNDS[slug], list(ATTACKS), tmp_path / "round")
    assert result.wrong == []
    assert len(result.done) == sum(len(moment.attacks) for moment in plan(result.seed, list(ATTACKS)))


def test_the_rounds_attack_in_many_ways() -> None:
    kinds = {kind for seed in ROUNDS.values() for moment in plan(seed, list(ATTACKS)) for kind, _ in moment.attacks}
    assert len(kinds) >= KINDS_MIN, kinds


def test_a_seed_always_means_the_same_attacks() -> None:
    assert plan(7, list(ATTACKS)) == plan(7, list(ATTACKS))
    assert plan(7, list(ATTACKS)) != plan(8, list(ATTACKS))


EXAMPLE = Example("c", 1, 2, 0, 0.5, 1, "new", b"")
WHOLE = Outcome({"a": b""}, {"a": 5}, {"alert": b"bytes"}, [EXAMPLE], {"orders[0]@1": "late"}, {"auc": 0.7})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"customers": {}}, "customers: 1 of 1 missing: a"),
        ({"timers": {"a": 6}}, "wake-up a: 6 instead of 5"),
        ({"alerts": {}}, "alerts: 1 of 1 missing: alert"),
        ({"alerts": {"alert": b"other"}}, "alert alert: b'other' instead of b'bytes'"),
        ({"examples": []}, "examples: 1 of 1 missing"),
        ({"examples": [EXAMPLE, EXAMPLE]}, "examples: 1 too many"),
        ({"dead": {}}, "dead letters: 1 of 1 missing: orders[0]@1"),
        ({"quality": {"auc": 0.71}}, "quality auc: 0.71 instead of 0.7"),
        ({"faults": ["2 messages were never sent"]}, "2 messages were never sent"),
    ],
)
def test_whatever_differs_is_said(changed: dict[str, Any], said: str) -> None:
    assert differences(WHOLE, WHOLE) == []
    assert differences(replace(WHOLE, **changed), WHOLE)[0].startswith(said)


@pytest.fixture
def echo() -> Iterator[Proxy]:
    """A proxy before a server that gives back what it is given, one connection after the other."""
    import threading

    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    while data := connection.recv(100):
                        connection.sendall(data)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with Proxy(server.getsockname()[1]).running() as proxy:
        yield proxy
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize("mode", ["stall", "mute"])
def test_the_proxy_holds_back(echo: Proxy, mode: Mode) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), 5) as connection:
        connection.sendall(b"one")
        assert connection.recv(100) == b"one"
        echo.switch(mode)
        connection.sendall(b"two")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        connection.settimeout(5)
        echo.switch("pass")
        if mode == "stall":
            assert connection.recv(100) == b"two"
        else:
            with pytest.raises(ConnectionResetError):
                connection.recv(100)


def test_the_proxy_cuts_and_comes_back(echo: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), 5) as connection:
        connection.sendall(b"one")
        assert connection.recv(100) == b"one"
        echo.switch("cut")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection(("127.0.0.1", echo.port), 5) as refused,
    ):
        refused.recv(100)
    echo.switch("pass")
    with socket.create_connection(("127.0.0.1", echo.port), 5) as connection:
        connection.sendall(b"two")
        assert connection.recv(100) == b"two"
