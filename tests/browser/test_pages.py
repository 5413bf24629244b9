"""Every page in both languages, light and dark, on a desk and on a phone, by keyboard, and past an accessibility checker (axe).

Each page in each of the eight ways, which takes minutes:

    EVERY_WAY=1 python -m pytest tests/browser/test_pages.py
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page, Route, expect

from tests.browser import shop
from tests.browser.conftest import DESKTOP, LANGUAGES, PHONE, Visiting
from tests.browser.errors import STATUSES, answers

SERIOUS: Final = ("serious", "critical")


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its address, the status of the answer, and who looks (nobody at the door)."""

    address: str
    status: int = 200
    user: str = "chen"


PAGES: Final = {
    "today": Shown("/"),
    "alerts": Shown("/alerts?text=C-300"),
    "no alerts": Shown("/alerts?text=nobody+is+called+so"),
    "customer": Shown(f"/customer?id={shop.PERSON}"),
    "alerts without a state": Shown("/customer?id=C-00001"),
    "model": Shown("/model"),
    "operations": Shown("/operations"),
    "unknown customer": Shown("/customer?id=nobody", 404),
    "no sense": Shown("/alerts/rows?first=x", 400),
    "the door": Shown("/sign-in", user=""),
}


def findings(page: Page) -> list[str]:
    """Give what the checker finds to be serious or worse: rule, and where."""
    told = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node['failureSummary']}"
        for found in told["violations"]
        if found["impact"] in SERIOUS
        for node in found["nodes"][:3]
    ]


Way = tuple[str, tuple[int, int], Literal["light", "dark"]]
SIZES: Final = {"desktop": DESKTOP, "phone": PHONE}
EVERY_WAY: Final[Mapping[str, Way]] = {
    f"{language}-{size}-{scheme}": (language, SIZES[size], scheme)
    for language in LANGUAGES
    for size in SIZES
    for scheme in ("light", "dark")
}
# The checker takes half a second a page: each is looked at in both languages, light and dark, on a desk and on a phone, not in all eight ways.
WAYS: Final = tuple(EVERY_WAY) if "EVERY_WAY" in os.environ else ("en-desktop-light", "zh-phone-dark")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(visit: Visiting, name: str, way: str) -> None:
    shown, (language, size, scheme) = PAGES[name], EVERY_WAY[way]
    made = visit(language, user=shown.user, size=size, scheme=scheme)
    page = made.open(shown.address, shown.status)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if page.locator(".chart").count():
        expect(page.locator(".chart canvas")).to_be_visible()
    page.evaluate(AXE_SCRIPT)
    assert findings(page) == []
    for width, height in SIZES.values():
        page.set_viewport_size({"width": width, "height": height})
        made.width_is_enough()


@pytest.mark.parametrize("way", WAYS)
def test_everybody_can_read_what_went_wrong(visit: Visiting, way: str) -> None:
    """The answers are of the same application, handed to the browser in the console's place."""
    language, size, scheme = EVERY_WAY[way]
    made = visit(language, user="", size=size, scheme=scheme)
    told = answers(LANGUAGES[language])
    assert told.keys() == set(STATUSES)

    def answer(route: Route) -> None:
        found = told[int(route.request.url.rpartition("/")[2])]
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    made.page.route("**/wrong/*", answer)
    for status in STATUSES:
        page = made.open(f"/wrong/{status}", status)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("alert")).to_be_visible()
        made.width_is_enough()
        # They differ by their words alone: each is checked once, or in every way.
        if "EVERY_WAY" in os.environ or status in STATUSES[WAYS.index(way) :: 2]:
            page.evaluate(AXE_SCRIPT)
            assert findings(page) == []


FOCUS: Final = """() => {
  const here = document.activeElement, box = here.getBoundingClientRect(), style = getComputedStyle(here);
  const before = window.previous && !(window.previous.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING);
  window.previous = here;
  return {
    tag: here.tagName, text: (here.textContent || here.name || "").trim().slice(0, 40), backwards: Boolean(before),
    seen: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""


@pytest.mark.parametrize(
    "address", ["/", "/alerts?text=C-300", f"/customer?id={shop.PERSON}", "/model", "/operations", "/sign-in"]
)
def test_whoever_has_no_mouse_sees_where_they_are(visit: Visiting, address: str) -> None:
    page = visit("en", user="" if address == "/sign-in" else "dana").open(address)
    stops = page.locator(
        "a:visible, button:visible, input:visible, select:visible, summary:visible, [tabindex='0']:visible"
    ).count()
    for place in range(min(stops, 30)):
        page.keyboard.press("Tab")
        told = page.evaluate(FOCUS)
        assert told["seen"], f"stop {place} is out of sight: {told}"
        assert told["outlined"], f"stop {place} is not to be told from the others: {told}"
        assert not told["backwards"], f"stop {place} goes back: {told}"
        if place == 0:
            assert told["text"] == "Skip to the content"
    page.reload()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_keys_move_through_the_inbox_and_open_a_customer(visit: Visiting) -> None:
    page = visit("en", user="dana", size=DESKTOP).open("/alerts")
    rows = page.locator("#rows tr[data-episode]")
    for key, place in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(rows.nth(place)).to_be_focused()
    # Where words are typed, keys are letters.
    page.locator("[name=text]").press_sequentially("jcf")
    expect(page.locator("[name=text]")).to_have_value("jcf")
    rows.nth(3).focus()
    customer = rows.nth(3).locator("a").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(customer)
