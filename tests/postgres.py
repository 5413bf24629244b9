"""A PostgreSQL for tests, once a session. Whoever imports `postgres` into a test module can ask for it."""

import contextlib
from collections.abc import Iterator

import pytest

from chaos.postgres import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Give a server whose `url` is for its superuser. Use a schema of the test's own; leave the server running."""
    with contextlib.ExitStack() as opened:
        try:
            server = opened.enter_context(running())
        except LookupError as error:
            pytest.skip(str(error))
        yield server
