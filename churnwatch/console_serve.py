"""`churnwatch console`: the web application over Kafka and Redis, put together and served."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from ipaddress import ip_network

import uvicorn

from churnwatch.console_feed import Feed
from churnwatch.console_floor import Scraping
from churnwatch.console_library import RedisLibrary
from churnwatch.console_portraits import RedisPortraits
from churnwatch.console_report import KafkaReporter
from churnwatch.console_steering import LedgerSteering, MetaSources
from churnwatch.kafka import open_producer
from churnwatch.logs import set_up_logging
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from churnwatch.terminal import say
from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.inbox import Inbox
from features.redis_client import connect
from streams.errors import ConfigError

log = logging.getLogger("churnwatch.console")

MADE_UP_BYTES = 16
STOP_SECONDS = 5


def run_console(settings: Settings) -> int:
    """Serve the console until told to stop; returns the exit code."""
    set_up_logging(settings)
    asyncio.run(_serve(settings, rules_of(settings)))
    return 0


def rules_of(settings: Settings) -> Rules:
    """Return who is let in; where the settings name nobody, whoever reads the start's output is, by a token made up."""
    editor = settings.console_token.get_secret_value() if settings.console_token else ""
    reader = settings.console_reader_token.get_secret_value() if settings.console_reader_token else ""
    if not (editor or reader or settings.console_proxy_header):
        editor = secrets.token_urlsafe(MADE_UP_BYTES)
    editors = frozenset(filter(None, (user.strip() for user in settings.console_proxy_editors.split(","))))
    return Rules(
        editor_token=editor,
        reader_token=reader,
        proxy_header=settings.console_proxy_header,
        proxy_networks=tuple(ip_network(n.strip()) for n in settings.console_proxy_networks.split(",") if n.strip()),
        editors=editors or None,
    )


async def _serve(settings: Settings, rules: Rules) -> None:
    async with standing(settings) as board:
        await serve(board, settings, rules)


async def serve(
    board: Board, settings: Settings, rules: Rules, seconds: float | None = None, ending: str = "Ctrl-C ends it."
) -> None:
    """Serve the console over a board, saying where, until Ctrl-C or SIGTERM, or for so many seconds.

    Raises:
        ConfigError: the address is taken.
    """
    app = create_app(board, Access(rules, time.monotonic), time.monotonic)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.console_host,
            port=settings.console_port,
            log_config=None,
            access_log=False,  # addresses of requests name customers, and the first one a token
            server_header=False,
            proxy_headers=False,  # who asks is who connects: a proxy's word counts in `console.access` alone
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
    address = f"http://{settings.console_host}:{settings.console_port}/"
    made_up = rules.editor_token if settings.console_token is None else ""
    say(f"The console is at {address}{f'sign-in?token={made_up}' if made_up else ''}")
    say(ending if seconds is None else f"It ends by itself in {seconds:.0f} s.")
    bound = asyncio.create_task(_end_after(server, seconds), name="bound")
    try:
        await server.serve()
        await asyncio.sleep(0)
    except SystemExit as error:
        raise ConfigError(
            f"the console cannot be served at {address}: is another one running? CHURNWATCH_CONSOLE_PORT names another port"
        ) from error
    except asyncio.CancelledError:
        # The server hands the Ctrl-C that has ended it on, to whom it was meant for as well: this task. It has been answered.
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
    finally:
        bound.cancel()


async def _end_after(server: uvicorn.Server, seconds: float | None) -> None:
    if seconds is not None:
        await asyncio.sleep(seconds)
        server.should_exit = True


@asynccontextmanager
async def standing(settings: Settings) -> AsyncIterator[Board]:
    """Hold a board that is fed from Kafka, for as long as the block lasts."""
    async with AsyncExitStack() as opened:
        producer = await opened.enter_async_context(open_producer(settings))
        inbox = Inbox()
        opened.callback(inbox.close)
        client = connect(redis_options(settings, retries=0))
        opened.push_async_callback(client.aclose)
        library = RedisLibrary(settings, client)
        portraits = RedisPortraits(settings, client, library)
        board = Board(
            inbox,
            KafkaReporter(settings, producer),
            portraits,
            library,
            Scraping(settings),
            lambda: 0,
            LedgerSteering(settings, client),
            MetaSources(settings, client),
        )
        feed = Feed(settings, board)
        board.now_ms = (lambda: time.time_ns() // 1_000_000) if settings.clock == "live" else (lambda: feed.latest_ms)
        feeding = asyncio.create_task(feed.run(), name="feed")
        try:
            yield board
        finally:
            feeding.cancel()
            with suppress(asyncio.CancelledError):
                await feeding
