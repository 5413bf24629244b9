"""A person's path: sign in, look for what is worth most, open a customer, say what was done, and see it arrive; in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from console.alerts_page import ACTIONS
from console.texts import Language, language
from streams.time import parse_instant
from tests.browser import shop
from tests.browser.conftest import EDITOR, READER, WAIT_MS, Stage, Visiting

KEYS = {"acknowledged": "a", "contacted": "c", "accepted": "y", "declined": "n", "snoozed": "s", "false_alarm": "f"}
ABOUT_THE_ACTION = {"contacted", "accepted", "declined"}


def outcomes(stage: Stage, customers: list[str]) -> dict[str, dict[str, Any]]:
    """Give what the topic holds about customers, by status; each must be there once."""
    found = [event for event in stage.outcomes() if event["customer_id"] in customers]
    assert len(found) == len({event["status"] for event in found})
    return {event["status"]: event for event in found}


def sign_in(page: Page, said: Language, token: str) -> None:
    page.goto("/alerts")
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(page).to_have_title(f"{said.say('sign_in.title')} · {said.say('site.title')}")
    page.get_by_label(said.say("sign_in.token")).fill(token)
    page.get_by_role("button", name=said.say("sign_in.send")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said.say("today.title"))


def choose(page: Page, said: Language, **filters: str) -> None:
    """Set filters, and ask for the list."""
    for name, value in filters.items():
        field = page.locator(f"#filters [name={name}]")
        if name == "text":
            field.fill(value)
        else:
            field.select_option(value)
    page.get_by_role("button", name=said.say("alerts.filter"), exact=True).click()
    expect(page).to_have_url(re.compile("[?&]order="))


def row_of(page: Page, customer: str) -> Any:
    return page.locator("#rows tr", has=page.get_by_role("link", name=customer, exact=True))


@pytest.mark.parametrize("name", ["en", "zh"])
def test_from_the_door_to_an_outcome_and_back(stage: Stage, visit: Visiting, name: str) -> None:
    said, customers = language(name), shop.WORKED_ON[name]
    page = visit(name, user="").page
    sign_in(page, said, EDITOR)
    expect(page.locator("html")).to_have_attribute("lang", said.tag)
    page.get_by_role("navigation").get_by_role("link", name=said.say("site.alerts")).click()

    # Sorted by value at stake to begin with, by what is asked for afterwards; filters take rows away.
    # Other tests' alerts may stand above the one that is worth most here.
    expect(page.locator("#rows")).to_contain_text(shop.PERSON)
    choose(page, said, owner=f"Team {name}")
    expect(page.locator("#rows a")).to_have_text(list(reversed(customers)))
    choose(page, said, order="opened")
    expect(page.locator("#rows a")).to_have_text(customers)
    choose(page, said, reason="engagement")
    expect(page.locator("#rows a")).to_have_text([customers[0], customers[5]])
    choose(page, said, reason="")

    # A customer by the keyboard, and back.
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text(said.say("customer.title", id=customers[0]))
    expect(page.locator(".chart canvas")).to_be_visible()
    page.go_back()

    # Everything that can be done, in one language by its key, in the other by the menu.
    for status, customer in zip(ACTIONS, customers, strict=True):
        row = row_of(page, customer)
        if name == "en":
            row.focus()
            page.keyboard.press(KEYS[status])
        else:
            row.locator("summary").click()
            row.get_by_role("button", name=said.say(f"act.{status}")).click()
        expect(row.locator(".state")).to_have_text(said.say(f"state.{status}"))
    for status, customer in zip(ACTIONS, customers, strict=True):
        # The note goes when the outcome has come back from Kafka; the state stays.
        expect(row_of(page, customer)).not_to_contain_text(said.say("alerts.sent"), timeout=WAIT_MS)
        expect(row_of(page, customer).locator(".state")).to_have_text(said.say(f"state.{status}"))
    found = outcomes(stage, customers)
    assert set(found) == set(ACTIONS)
    for status, customer in zip(ACTIONS, customers, strict=True):
        event = found[status]
        assert (event["customer_id"], event["alert_id"]) == (customer, shop.told(customer).alert_id)
        assert ("action" in event) == (status in ABOUT_THE_ACTION)
        assert ("snooze_until" in event) == (status == "snoozed")
        assert parse_instant(event["occurred_at"]) > 0

    choose(page, said, state="contacted")
    expect(row_of(page, customers[ACTIONS.index("contacted")])).to_be_visible()
    expect(row_of(page, customers[ACTIONS.index("declined")])).to_have_count(0)
    page.goto(f"/customer?id={customers[0]}")
    expect(page.locator("main table:not(.u-legend) tbody tr").first).to_contain_text(said.say(f"state.{ACTIONS[0]}"))
    page.get_by_role("button", name=said.say("site.sign_out")).click()
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_who_may_only_look_sees_no_buttons(visit: Visiting) -> None:
    page = visit("en", user="").page
    sign_in(page, language("en"), READER)
    page.goto("/alerts")
    expect(page.locator("#rows tr[data-episode]")).to_have_count(50)
    expect(page.locator("#rows details")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#rows tr").first.locator(".state")).to_have_text(language("en").say("state.new"))


def test_what_comes_while_one_looks_is_shown_without_reloading(stage: Stage, visit: Visiting) -> None:
    said, customer = language("en"), "C-40000"
    stage.tell((shop.told(customer, amount=45_000.0), "Live"))
    page = visit("en", user="bo").page
    page.goto("/alerts")
    expect(page.locator("#rows")).to_contain_text(shop.PERSON)
    if not row_of(page, customer).count():
        page.locator("#arrived").click()
    row = row_of(page, customer)
    expect(row.locator(".band")).to_have_text(said.say("band.high"))
    page.evaluate("() => { window.sameDocument = true }")
    row.focus()

    # Of a row that is shown, the row changes; of one that is not, there is a button. Nothing reloads by itself.
    stage.tell((shop.told(customer, amount=46_000.0, seq=2, kind="escalated", band="critical", hours_ago=23.0), "Live"))
    expect(row.locator(".band")).to_have_text(said.say("band.critical"), timeout=WAIT_MS)
    expect(row).to_be_focused()
    stage.tell((shop.told("C-40001", amount=60_000.0), "Live"))
    expect(page.locator("#arrived")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("() => window.sameDocument")
    page.locator("#arrived").click()
    expect(page.locator("#rows tr").first).to_contain_text("C-40001")
    expect(page.locator("#arrived")).to_be_hidden()


def test_the_switch_of_the_language_keeps_what_one_looks_at(visit: Visiting) -> None:
    page = visit("en").page
    for address in (f"/customer?id={shop.PERSON}", "/alerts?state=open&segment=loyal&text=C-0"):
        page.goto(address)
        for name in ("zh", "en"):
            page.locator("form[action='/language'] button").click()
            expect(page.locator("html")).to_have_attribute("lang", language(name).tag)
            assert page.url.endswith(address)
