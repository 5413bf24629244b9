"""Customers, owners and reviews that try to be scripts, pages, addresses: they are shown as the text that they are."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from chaos.topics import produce
from console.texts import language
from tests.browser import shop
from tests.browser.conftest import PHONE, WAIT_MS, Stage, Visiting

SAID = language("en")
QUERIES = (
    '/alerts?text="><script>window.hacked=1</script>&owner=<b>&state=\'"&order=--&band=%00&segment=%ff&reason=../..',
    "/alerts?text=%F0%9F%98%80%E2%80%AE&owner=" + "x" * 3_000,
    '/alerts?state=open&text=";alert(1)//',
)
NOWHERE = (
    "/%3Cscript%3Ewindow.hacked=1%3C/script%3E",
    "/alerts/..%2f..%2f%2e%2e%2fetc%2fpasswd",
    "/static/..%2f..%2fconsole%2faccess.py",
)


@pytest.fixture(scope="module")
def told(stage: Stage) -> None:
    """Everything hostile has reached the topics: alerts, reports with notes, dead letters."""
    alerts = list(shop.hostile())
    stage.tell(*alerts)
    notes = [
        shop.report(stage.settings, alert, note)
        for (alert, _), note in zip(alerts, (shop.LONG, shop.MARKUP), strict=False)
    ]
    produce(stage.settings, [*notes, *shop.letters(stage.settings, [shop.MARKUP, shop.LONG, "\x00\u202e\ufffe"])])


def is_harmless(page: Page) -> None:
    assert page.evaluate("() => typeof window.hacked") == "undefined"
    assert page.locator("main :is(script, img, b, iframe, object, style)").count() == 0


def shown(text: str) -> str:
    """What HTML can show of a text: null characters not at all, and blanks as one."""
    return re.sub(r"\s+", " ", text.replace("\x00", "")).strip()


@pytest.mark.usefixtures("told")
def test_in_the_inbox_they_are_text(visit: Visiting) -> None:
    made = visit("en", user="eve")
    page = made.open("/alerts?order=amount&segment=loyal")
    last = page.locator("#rows").get_by_text(shown(shop.HOSTILE[4]), exact=True)
    while not last.count():
        page.locator("#arrived").click(timeout=WAIT_MS)
        page.wait_for_load_state()
    names = [shown(text) for text in page.locator("#rows a").all_text_contents()]
    for place, customer in enumerate(shop.HOSTILE):
        assert shown(customer) in names or place == 1  # that one is of a segment of its own
    expect(page.locator("#rows")).to_contain_text("<script>window.hacked=1</script>")
    is_harmless(page)
    # A text of ten thousand characters does not push the others away, here or on a phone.
    made.width_is_enough()
    assert max(page.locator("#rows tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")) < 400
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    made.width_is_enough()
    # Owners are for choosing, too.
    page.locator("#filters [name=owner]").select_option(label=shop.MARKUP)
    page.get_by_role("button", name=SAID.say("alerts.filter"), exact=True).click()
    expect(page.locator("#rows tr[data-episode]")).to_have_count(len(shop.HOSTILE) - 1)
    is_harmless(page)


@pytest.mark.usefixtures("told")
def test_each_has_a_page_and_can_be_worked_on(stage: Stage, visit: Visiting) -> None:
    made = visit("en", user="eve")
    for customer in shop.HOSTILE:
        page = made.open(shop.address(customer))
        expect(page.get_by_role("heading", level=1)).to_have_text(shown(SAID.say("customer.title", id=customer)))
        expect(page.locator(".chart canvas")).to_be_visible()
        is_harmless(page)
        made.width_is_enough()
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for customer, note in zip(shop.HOSTILE, (shop.LONG, shop.MARKUP), strict=False):
        page = made.open(shop.address(customer))
        expect(page.locator("main")).to_contain_text(shown(note))
        made.width_is_enough()
        is_harmless(page)
    page = made.open(f"/alerts?order=amount&owner={shop.MARKUP}&text=nul")
    rows = page.locator("#rows tr[data-episode]")
    for row in rows.all():
        row.focus()
        page.keyboard.press("a")
        expect(row.locator(".state")).to_have_text(SAID.say("state.acknowledged"))
    expect(page.locator("#rows")).not_to_contain_text(SAID.say("alerts.sent"), timeout=WAIT_MS)
    found = [event["customer_id"] for event in stage.outcomes() if event["status"] == "acknowledged"]
    assert {"null", "nul\x00byte"} <= set(found)


@pytest.mark.usefixtures("told")
def test_addresses_and_other_pages_carry_them_as_text(visit: Visiting) -> None:
    made = visit("en", user="eve")
    for address in QUERIES:
        is_harmless(made.open(address))
        made.width_is_enough()
    for address in NOWHERE:
        is_harmless(made.open(address, 404))
    for address in ("/", "/operations", "/model"):
        page = made.open(address)
        is_harmless(page)
        made.width_is_enough()
    page = made.open("/operations")
    expect(page.locator("main")).to_contain_text("</small></td><b>bold</b>")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    made.width_is_enough()
