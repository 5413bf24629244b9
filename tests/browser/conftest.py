"""One console for the session and one Chromium for each file, on a real Kafka and Redis; pages that tell of every complaint.

Chromium is the machine's own (Debian's package, say): nothing is downloaded. Playwright's loop would stand in the way of asynchronous
tests, so it ends with each file; the console stays.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from playwright.sync_api import Browser, Page, sync_playwright

from alerts.alert import Alert
from bench.children import environment
from chaos.topics import produce, read
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import known_to_brokers
from tests.browser import shop

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
EDITOR, READER = "e" * 20, "r" * 20
PEOPLE: Final = (shop.PERSON, *(customers[0] for customers in shop.WORKED_ON.values()))
PARTITIONS: Final = 4
START_SECONDS_MAX: Final = 90.0
WAIT_MS: Final = 20_000
"""For how long an expectation is waited for: a busy machine is no failure."""

LANGUAGES: Final = {"en": "en-GB", "zh": "zh-CN"}
DESKTOP, PHONE = (1280, 900), (390, 844)
CONSOLE: Final = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "console")


@dataclass(frozen=True, slots=True)
class Stage:
    """A running console: where it is, and the settings of what it stands on."""

    address: str
    settings: Settings

    def tell(self, *alerts: tuple[Alert, str | None]) -> None:
        """Send alerts, each with its owner, as the pipeline would."""
        produce(self.settings, [shop.message(self.settings, *known) for known in alerts])

    def outcomes(self) -> list[dict[str, Any]]:
        """Read what has been reported, as the topic holds it."""
        # In a thread, for Playwright's loop runs in this one.
        with ThreadPoolExecutor(1) as thread:
            records = thread.submit(read, self.settings, self.settings.topics().inputs["outcomes"]).result()
        assert all(record.key == json.loads(record.value)["customer_id"].encode() for record in records)
        return [json.loads(record.value) for record in records]


@dataclass(slots=True)
class Visit:
    """A browser's window on the console, and all that the browser complained of in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Write down errors and warnings: of scripts, of the content security policy, of what could not be loaded."""
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {text}")

    def open(self, address: str, status: int = 200) -> Page:
        """Go to an address, which answers with `status`; the browser's own line about another status than 200 is no complaint."""
        before = len(self.complaints)
        answer = self.page.goto(address)
        assert answer is not None
        assert answer.status == status, f"{address}: {answer.status}"
        if status != 200:
            self.complaints[before:] = [text for text in self.complaints[before:] if f"status of {status}" not in text]
        return self.page

    def width_is_enough(self) -> None:
        """Nothing sticks out to the side."""
        wide = self.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px wider than the window"


Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def stage(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    if not (services.real_kafka and services.real_redis):
        pytest.skip(f"needs Apache Kafka and redis-server: {services.why_embedded or 'SERVICES=embedded'}")
    _chromium()
    settings = _settings(services)
    _create(settings)
    alerts = [*shop.many(), *shop.worked_on()]
    produce(settings, [shop.message(settings, *known) for known in alerts])
    produce(settings, [*shop.scores(settings), *shop.letters(settings, ["no JSON"])])
    shop.store(settings, PEOPLE)
    log = tmp_path_factory.mktemp("console") / "console.log"
    # Settings do not show their tokens.
    environ = environment(settings) | {"CHURNWATCH_CONSOLE_TOKEN": EDITOR, "CHURNWATCH_CONSOLE_READER_TOKEN": READER}
    with log.open("wb") as out:
        process = subprocess.Popen(CONSOLE, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        address = f"http://127.0.0.1:{settings.console_port}"
        _wait(process, address, len(alerts), log)
        yield Stage(address, settings)
        assert process.poll() is None, log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.kill()
        process.wait()


def _settings(services: Services) -> Settings:
    return Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        redis_namespace="browser",
        topic_prefix="browser.",
        topic_partitions=PARTITIONS,
        clock="replay",
        console_port=free_port(),
        # Signing in is limited to a few times a minute: only the tests of the door use it, the others come through a proxy.
        console_proxy_header="x-user",
        console_proxy_editors="ann,bo,chen,dana,eve",
        console_workers="http://127.0.0.1:1",
    )


def _create(settings: Settings) -> None:
    topics = settings.topics()
    names = [*topics.inputs.values(), topics.alerts, topics.scores, *map(topics.dlq, topics.inputs.values())]
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap, "log_level": 0})
    for made in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names], operation_timeout=20).values():
        made.result(20)
    asyncio.run(known_to_brokers(settings, names))


def _wait(process: subprocess.Popen[bytes], address: str, alerts: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    with httpx2.Client(base_url=address, headers={"x-user": "ann"}, timeout=10.0) as client:
        text = ""
        while True:
            try:
                text = client.get("/alerts").text
                if f"{alerts:,} alerts" in text:
                    return
            except httpx2.TransportError:
                pass
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"{log.read_text()}\n{text[:3000]}"
            time.sleep(0.1)


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip(f"needs a browser on the PATH: {', '.join(PROGRAMS)}")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = _chromium()
    with sync_playwright() as playwright:
        # Containers have no room for its sandbox; it sees nothing but our own pages.
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Iterator[Visiting]:
    """Give `visit(language, user="ann", size=DESKTOP, scheme="light")`; at the end no window may have complained."""
    with ExitStack() as opened:
        visits: list[Visit] = []

        def enter(language: str, user: str = "ann", size: tuple[int, int] = DESKTOP, scheme: Any = "light") -> Visit:
            context = opened.enter_context(
                browser.new_context(
                    base_url=stage.address,
                    locale=LANGUAGES[language],
                    viewport={"width": size[0], "height": size[1]},
                    color_scheme=scheme,
                    reduced_motion="reduce",
                    timezone_id="UTC",
                    extra_http_headers={"x-user": user} if user else {},
                )
            )
            context.set_default_timeout(WAIT_MS)
            visits.append(Visit(context.new_page()))
            visits[-1].listen()
            return visits[-1]

        yield enter
        assert [text for made in visits for text in made.complaints] == []
