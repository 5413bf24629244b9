"""What every test can ask for: one Kafka and one Redis for the whole session, and names that no other test uses.

Nothing is started until a test asks. SERVICES=auto|real|embedded chooses (auto: real ones where they can be had); SERVICES=real
fails where they cannot.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from churnwatch.embedded import PARTITIONS
from churnwatch.services import KINDS, Kind, Services, start_services

STARTED = pytest.StashKey[str]()
CREATE_S_MAX = 20.0
_numbers = itertools.count(1)

# A busy machine is no failure; and what CI tries is the same every time, while at a desk every run explores further.
hypothesis.settings.register_profile("churnwatch", deadline=None, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("churnwatch")


def _kind() -> Kind:
    wanted = os.environ.get("SERVICES", "auto")
    for kind in KINDS:
        if wanted == kind:
            return kind
    raise pytest.UsageError(f"SERVICES={wanted}: choose one of {', '.join(KINDS)}")


def pytest_report_header() -> str:
    return f"services: {_kind()}, started when a test asks for them"


@pytest.fixture(autouse=True)
def settings_are_put_back() -> Iterator[None]:
    """What a command that runs in this process leaves in the environment (`--config`, `--debug`) ends with its test."""
    before = {name: value for name, value in os.environ.items() if name.startswith("CHURNWATCH_")}
    yield
    for name in [name for name in os.environ if name.startswith("CHURNWATCH_") and name not in before]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Iterator[Services]:
    """One Kafka and one Redis for the session."""
    started = time.monotonic()
    with start_services(_kind(), prefer_real_kafka=True) as running:
        said = f"{running.description} (up in {time.monotonic() - started:.1f} s)"
        request.config.stash[STARTED] = f"{said}\n{running.why_embedded}".strip()
        yield running


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: the first one tells for all
        session.config.workeroutput["services"] = session.config.stash.get(STARTED, None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    started = getattr(node, "workeroutput", {}).get("services")
    if started is not None:
        node.config.stash[STARTED] = started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"services: {config.stash.get(STARTED, 'none was asked for')}")


@pytest.fixture
def kafka_bootstrap(services: Services) -> str:
    """The address of the session's Kafka, real or embedded."""
    return services.bootstrap


@pytest.fixture
def redis_url(services: Services) -> str:
    """The address of the session's Redis, real or embedded. Use `namespace` for keys."""
    return services.redis_url


@pytest.fixture
def real_kafka(services: Services) -> str:
    """The address of the session's Kafka where it is Apache Kafka; else the test is skipped."""
    if not services.real_kafka:
        pytest.skip(f"needs Apache Kafka: {services.why_embedded or 'SERVICES=embedded'}")
    return services.bootstrap


@pytest.fixture
def real_redis(services: Services) -> str:
    """The address of the session's Redis where it is redis-server; else the test is skipped."""
    if not services.real_redis:
        pytest.skip(f"needs redis-server: {services.why_embedded or 'SERVICES=embedded'}")
    return services.redis_url


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topics, consumer groups and the like that no other test of this session uses."""
    return f"t{next(_numbers)}."


@pytest.fixture
def namespace() -> str:
    """A namespace of Redis keys that no other test of this session uses."""
    return f"t{next(_numbers)}"


@pytest.fixture
def create_topics(services: Services) -> Callable[..., None]:
    """Give `create(names, partitions=4, configs=None)`, which makes topics and waits until they can be written to.

    The embedded broker makes topics of 4 partitions by itself when it is asked for them; another number of partitions,
    or a configuration, skips the test there.
    """
    admin = AdminClient({"bootstrap.servers": services.bootstrap, "log_level": 0})

    def create(names: list[str], partitions: int = PARTITIONS, configs: dict[str, str] | None = None) -> None:
        if services.real_kafka:
            topics = [NewTopic(name, partitions, 1, config=configs or {}) for name in names]
            for made in admin.create_topics(topics, operation_timeout=CREATE_S_MAX).values():
                made.result(CREATE_S_MAX)
        elif partitions != PARTITIONS or configs:
            pytest.skip("needs Apache Kafka: the embedded broker's topics have 4 partitions and no configuration")
        else:
            for name in names:
                admin.list_topics(name, timeout=CREATE_S_MAX)

    return create
