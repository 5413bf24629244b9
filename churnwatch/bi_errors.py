"""What PostgreSQL's refusals mean, in sentences that name the setting and never what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from streams.errors import ConfigError, StoreUnavailable

NOT_TO_BE_WAITED_FOR: Final = (
    "28",  # who we say we are is not believed
    "3D",  # there is no such database
    "42",  # we may not, or something there is not as we made it
    "0A",  # a version that cannot do what we ask
)
"""Classes of SQLSTATE that no waiting mends."""

WORDS_MAX: Final = 300


@asynccontextmanager
async def explained(url: str) -> AsyncIterator[None]:
    """Turn psycopg's errors into ours: ConfigError for what a person must put right, StoreUnavailable for what may pass."""
    where = place(url)
    try:
        yield
    except psycopg.DataError:
        raise  # about one row: `churnwatch.bi_sink` finds it
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        words = _words(error, url)
        if _for_good(error):
            raise ConfigError(
                f"PostgreSQL at {where} does not let us in: {words}; is CHURNWATCH_BI_URL right?"
            ) from None
        raise StoreUnavailable(
            f"PostgreSQL at {where} does not answer: {words}; is CHURNWATCH_BI_URL right, is it up?"
        ) from None
    except psycopg.Error as error:
        words = _words(error, url)
        advice = "may the user of CHURNWATCH_BI_URL create and write there? (docs/bi/sink.md says what is needed)"
        raise ConfigError(f"PostgreSQL at {where} refuses: {words}; {advice}") from None


def place(url: str) -> str:
    """Return host, port and database of an address, without who enters and by what password.

    Raises:
        ConfigError: it is no address of a PostgreSQL. What it is instead is not told: it may be the password.

    >>> place("postgresql://anna:sesame@db.example/bi")
    'db.example:5432/bi'
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        raise ConfigError(
            "CHURNWATCH_BI_URL is no address of a PostgreSQL: write it as postgresql://user:password@host:5432/database"
        ) from None
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', parts.get('user', ''))}"


def _for_good(error: psycopg.Error) -> bool:
    state = error.sqlstate or ""
    # While it connects, libpq tells no SQLSTATE, only the server's words.
    said = str(error)
    refused = ("password authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
    return state[:2] in NOT_TO_BE_WAITED_FOR or (not state and any(words in said for words in refused))


def _words(error: psycopg.Error, url: str) -> str:
    """What the server or libpq said, in one line; never the password, should they repeat it."""
    said = " ".join(str(error).split()) or type(error).__name__
    password = conninfo_to_dict(url).get("password")
    if password:
        said = said.replace(str(password), "…")
    return said[:WORDS_MAX]
