"""Ten thousand alerts in the inbox: filters, further rows and keys stay quick. (`python -m bench.console` measures it.)"""

from __future__ import annotations

import re
import time
from collections import Counter

from playwright.sync_api import expect

from console.questions import PAGE_ROWS
from console.texts import language
from tests.browser import shop
from tests.browser.conftest import Visiting

SAID = language("en")
SECONDS_MAX = 10.0
"""For what takes a fraction of a second on a quiet machine."""


def test_ten_thousand_alerts_are_no_burden(visit: Visiting) -> None:
    page = visit("en", user="bo").page
    known = list(shop.many())
    started = time.monotonic()
    page.goto("/alerts")
    rows = page.locator("#rows tr[data-episode]")
    expect(rows).to_have_count(PAGE_ROWS)

    # The next rows come when the end of the list is seen, and keys go on through them.
    for _ in range(PAGE_ROWS):
        page.keyboard.press("j")
    expect(rows).to_have_count(2 * PAGE_ROWS)
    page.keyboard.press("j")
    expect(rows.nth(PAGE_ROWS)).to_be_focused()
    page.keyboard.press("End")
    expect(rows).to_have_count(3 * PAGE_ROWS)
    names = page.locator("#rows th a").all_text_contents()
    assert len(set(names)) == len(names)
    assert time.monotonic() - started < SECONDS_MAX

    # Filters find all there are, whatever of them is shown.
    segments = Counter((alert.segment, alert.band) for alert, _ in known)
    for (segment, band), count in segments.most_common(3):
        started = time.monotonic()
        page.locator("#filters [name=owner]").select_option("Bo Lin")
        page.locator("#filters [name=segment]").select_option(segment)
        page.locator("#filters [name=band]").select_option(band)
        page.get_by_role("button", name=SAID.say("alerts.filter"), exact=True).click()
        expect(page).to_have_url(re.compile(f"band={band}&segment={segment}&"))
        mine = sum((a.segment, a.band, owner) == (segment, band, "Bo Lin") for a, owner in known)
        assert 0 < mine < count
        expect(page.get_by_text(re.compile(f"^{mine} "))).to_be_visible()
        expect(rows).to_have_count(min(mine, PAGE_ROWS))
        assert time.monotonic() - started < SECONDS_MAX
