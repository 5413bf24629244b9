"""Command `python -m bench.console`: is the console quick with 10,000 open alerts and 200,000 customers while the stream runs?

1. Customers are filled into Redis (`bench.growth_fill`), their scores and alerts into Kafka; a real worker takes in a steady stream of
   events, some of which raise alerts, and `churnwatch console` reads all that it says.
2. An HTTP client asks for pages in turns, at a pace that many people would not reach, and reports outcomes: p50, p95 and the longest.
3. Chromium opens the first page and the inbox, each time with an empty cache: from the beginning until a key moves through the list.

Prints a table and one line of JSON; exit code 1 where a page takes longer than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

from playwright.sync_api import Browser, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from bench.console_load import Served, Size, fill_all, served, stage, streaming
from bench.growth_fill import customer_id, learn
from bench.measures import WrongAnswer
from bench.scenario import Say, Skipped
from churnwatch.services import Services, start_services
from churnwatch.topic_layout import create
from streams.errors import ChurnwatchError

USABLE_MS_MAX: Final = 1_000.0
REQUEST_MS_MAX: Final = 200.0
OPENINGS: Final = 20
PACE_SECONDS: Final = 0.05
"""Between the beginnings of two requests: 20 a second, as some fifty people would make who work without a pause."""

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
COOKIE: Final = "churnwatch_session"


def measure(services: Services, scratch: Path, say: Say, size: Size) -> dict[str, Any]:
    """Measure on running services, empty ones; returns what the JSON line holds. Raises Skipped where something is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not (services.real_kafka and services.real_redis and program):
        raise Skipped("it needs Apache Kafka, redis-server and Chromium")
    say("learning a model, filling Redis and Kafka")
    settings = stage(services, learn(scratch))
    asyncio.run(create(settings))
    fill_all(settings, scratch, size)
    say("starting worker and console")
    with streaming(settings, scratch, size), served(settings, scratch, size) as console:
        say(f"asking for pages for {size.seconds:g} s")
        requests = ask(console, size)
        say("opening pages in a browser")
        pages = opened(program, console)
    return {
        "customers": size.customers,
        "alerts": size.alerts,
        "load_average": round(os.getloadavg()[0], 1),
        "requests_ms": {name: figures(found) for name, found in requests.items()},
        "usable_ms": {name: figures(found) for name, found in pages.items()},
    }


def figures(found_ms: Sequence[float]) -> dict[str, float]:
    """Give the middle, the 95th of a hundred, the longest, and how many.

    >>> figures([5.0, 1.0, 2.0])
    {'p50': 2.0, 'p95': 5.0, 'longest': 5.0, 'count': 3}
    """
    ordered = sorted(found_ms)
    p95 = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
    longest = round(ordered[-1], 1)
    return {"p50": round(median(ordered), 1), "p95": round(p95, 1), "longest": longest, "count": len(ordered)}


def ask(console: Served, size: Size) -> dict[str, list[float]]:
    """Ask for every page in turns, at a pace; returns the milliseconds of each kind of request."""
    random, client, found = Random(3), console.client, dict[str, list[float]]()
    rows = re.findall(r'data-episode="([0-9a-f]+)"', client.get("/alerts").text)

    def customer() -> dict[str, str]:
        return {"id": customer_id("c", random.randrange(size.customers))}

    def act() -> int:
        path = f"/alerts/{random.choice(rows)}/outcomes"
        return client.post(path, data={"status": "acknowledged"}, headers={"x-csrf-token": console.csrf}).status_code

    kinds: Mapping[str, Callable[[], int]] = {
        "today": lambda: client.get("/").status_code,
        "alerts": lambda: client.get("/alerts").status_code,
        "alerts, filtered": lambda: client.get("/alerts?segment=loyal&band=high&order=changed&text=9").status_code,
        "next rows": lambda: (
            client.get(f"/alerts/rows?first={50 * random.randrange(1, size.alerts // 50)}").status_code
        ),
        "one row": lambda: client.get(f"/alerts/{random.choice(rows)}").status_code,
        "report": act,
        "customer": lambda: client.get("/customer", params=customer()).status_code,
        "customer, chart": lambda: client.get("/customer/series", params=customer()).status_code,
        "model": lambda: client.get("/model").status_code,
        "operations": lambda: client.get("/operations").status_code,
        "freshness": lambda: client.get("/freshness").status_code,
    }
    started, number = time.perf_counter(), 0
    while time.perf_counter() - started < size.seconds:
        for name, request in kinds.items():
            time.sleep(max(0.0, started + number * PACE_SECONDS - time.perf_counter()))
            number += 1
            before = time.perf_counter()
            status = request()
            found.setdefault(name, []).append(1000 * (time.perf_counter() - before))
            if status != 200:
                raise WrongAnswer(f"{name}: the console answers {status}")
    return found


def opened(program: str, console: Served) -> dict[str, list[float]]:
    """Open the first page and the inbox in a browser that has never been there; returns the milliseconds until each is usable."""
    found: dict[str, list[float]] = {"first page": [], "inbox": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(OPENINGS):
            for name, taken in found.items():
                taken.append(_opened(browser, console, name))
        browser.close()
    return found


def _opened(browser: Browser, console: Served, name: str) -> float:
    context = browser.new_context(base_url=console.address, locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": console.client.cookies[COOKIE], "url": console.address}])
    page = context.new_page()
    before = time.perf_counter()
    if name == "inbox":
        page.goto("/alerts", wait_until="domcontentloaded")
        page.keyboard.press("j")
        expect(page.locator("#rows tr").first).to_be_focused()
    else:
        page.goto("/")
        expect(page.locator("main table tbody tr").last).to_be_visible()
    taken = 1000 * (time.perf_counter() - before)
    context.close()
    return taken


def verdict(found: Mapping[str, Any]) -> list[str]:
    """Give what falls short, in sentences.

    >>> verdict({"requests_ms": {"today": {"p95": 201.0}}, "usable_ms": {"inbox": {"p95": 900.0}}})
    ['today: p95 201 ms, more than 200']
    """
    limits = (("requests_ms", REQUEST_MS_MAX), ("usable_ms", USABLE_MS_MAX))
    return [
        f"{name}: p95 {told['p95']:.0f} ms, more than {limit:.0f}"
        for kind, limit in limits
        for name, told in found[kind].items()
        if told["p95"] > limit
    ]


def _drawn(found: Mapping[str, Any]) -> Table:
    drawn = Table("", "p50", "p95", "longest", "count", "p95 at most", title="Milliseconds", title_justify="left")
    limits = (("requests_ms", REQUEST_MS_MAX, ""), ("usable_ms", USABLE_MS_MAX, "in a browser: "))
    for kind, limit, before in limits:
        for name, told in found[kind].items():
            drawn.add_row(
                f"{before}{name}",
                *(f"{told[figure]:.0f}" for figure in ("p50", "p95", "longest", "count")),
                f"{limit:.0f}",
            )
    return drawn


def main(arguments: Sequence[str]) -> int:
    """Run it on a Kafka and a Redis of its own; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=Size().customers, help="in Redis (default 200000)")
    parser.add_argument("--alerts", type=int, default=Size().alerts, help="open ones (default 10000)")
    parser.add_argument("--seconds", type=float, default=Size().seconds, help="of requests (default 60)")
    asked = parser.parse_args(arguments)
    told, started = Console(stderr=True, highlight=False), time.monotonic()

    def say(text: str) -> None:
        told.print(f"[dim]{time.monotonic() - started:5.0f} s  {text}")

    try:
        with (
            tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder,
            start_services("auto", prefer_real_kafka=True, say=say) as services,
        ):
            found = measure(services, Path(folder), say, Size(asked.customers, asked.alerts, asked.seconds))
    except ChurnwatchError as error:
        told.print(f"bench: {error}", style="red")
        return 1
    told.print(_drawn(found))
    short = verdict(found)
    print(json.dumps(found | {"falls_short": short}))
    for line in short:
        told.print(line, style="red")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
