"""A playbook from a file: what it becomes, and a line for each of its faults."""

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, data, integers, sampled_from

from alerts.alert import CODES
from alerts.play import ACTIONS_IN_PLAYBOOK_MAX, Play
from alerts.segments import SEGMENTS
from churnwatch.playbook_file import BYTES_MAX, parse_playbook, playbook_in_force, playbook_text, read_playbook
from churnwatch.playbook_format import TAKES, Listed, Segment, When
from streams.errors import ConfigError
from streams.time import DAY_MS

ROOT = Path(__file__).parents[3]
INTERVENTIONS = {
    "personal_offer",
    "dedicated_service",
    "care_call",
    "onboarding",
    "satisfaction_survey",
    "loyalty_points",
    "complaint_follow_up",
    "win_back",
}
SMALL = """
[offer]
title = "Make an offer"
channel = "email"
cool_down = "30d"
cost = 5
budget_per_day = 2.5

[[offer.when]]
reasons = ["price"]
segments = ["loyal"]
bands = ["high"]
kinds = ["escalated"]
value_at_risk_min = 10
strength = 0.5
why = "Because: {evidence}"

[[offer.when]]
strength = 1
why = "{evidence}"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_playbook(text, "p.toml")
    return str(caught.value).splitlines()


def test_every_field_of_the_file_reaches_the_play() -> None:
    first, second = parse_playbook(SMALL, "p.toml")
    assert first == Play(
        "offer",
        "Make an offer",
        "Because: {evidence}",
        0.5,
        reasons=("price",),
        segments=("loyal",),
        kinds=("escalated",),
        bands=("high",),
        value_at_risk_min=10.0,
        contact=True,
        channel="email",
        cool_down_ms=30 * DAY_MS,
        cost=5.0,
        budget_per_day=2.5,
    )
    assert (second.reasons, second.segments, second.bands, second.value_at_risk_min) == ((), (), (), 0.0)
    assert second.kinds == ("opened", "escalated")


@pytest.mark.parametrize(
    ("channel", "given", "contact"), [("call", "", True), ("none", "", False), ("app", "false", False)]
)
def test_who_is_reached_over_a_channel_is_contacted_unless_it_says_otherwise(
    channel: str, given: str, contact: bool
) -> None:
    text = SMALL.replace('channel = "email"', f'channel = "{channel}"' + (f"\ncontact = {given}" if given else ""))
    assert {play.contact for play in parse_playbook(text, "p.toml")} == {contact}


def test_the_default_covers_the_fields_interventions() -> None:
    plays = read_playbook(None)
    assert {play.code for play in plays} == INTERVENTIONS
    assert any(play.budget_per_day for play in plays)
    assert all(play.cool_down_ms for play in plays)


def test_the_notes_of_the_default_name_every_field_and_value() -> None:
    notes = "\n".join(line for line in playbook_text(None).splitlines() if line.startswith("#"))
    for name in [*Listed.model_fields, *When.model_fields, *CODES, *SEGMENTS, "watch", "critical", "sms", "letter"]:
        assert name in notes, name


def test_what_is_allowed_is_said_of_every_field_and_is_what_the_product_knows() -> None:
    assert set(TAKES) == {*Listed.model_fields, *When.model_fields}
    assert get_args(Segment) == SEGMENTS


def test_all_faults_are_told_at_once_by_file_action_and_field() -> None:
    bad = """
    ["Bad Code"]
    title = "t"
    channel = "email"
    when = [{strength = 1, why = "{evidence}"}]
    [care_call]
    titel = "x"
    channel = "fax"
    cool_down = 30
    cost = nan
    budget_per_day = 0
    [[care_call.when]]
    segments = ["new", "vip"]
    reasons = "price"
    strength = 2
    why = "no"
    [[care_call.when]]
    whyy = 3
    why = "{evidence} {name}"
    kinds = ["resolved"]
    """
    assert faults(bad) == [
        "p.toml: 'Bad Code' cannot be the name of an action; it takes small letters, digits and _, up to 32, a letter first",
        "p.toml: care_call, title is missing; it takes a line of text, up to 80 characters",
        "p.toml: care_call, channel: 'fax' is not allowed; it takes email, call, sms, app, letter or none",
        "p.toml: care_call, cool_down: 30 is not allowed; it takes a span with a unit (30d, 12h), up to 800d",
        "p.toml: care_call, cost: nan is not allowed; it takes a number from 0 to 1,000,000,000",
        "p.toml: care_call, budget_per_day: 0 is not allowed; it takes a number above 0, up to 1,000,000",
        "p.toml: care_call, when 1, strength: 2 is not allowed; it takes a number above 0, up to 1",
        "p.toml: care_call, when 1, why: 'no' is not allowed; it takes " + TAKES["why"],
        "p.toml: care_call, when 1, reasons: 'price' is not allowed; it takes " + TAKES["reasons"],
        "p.toml: care_call, when 1, segments: 'vip' is not allowed; it takes a list of new, loyal, high_value or standard",
        "p.toml: care_call, when 2, strength is missing; it takes a number above 0, up to 1",
        "p.toml: care_call, when 2, why: '{evidence} {name}' is not allowed; it takes " + TAKES["why"],
        "p.toml: care_call, when 2, kinds: 'resolved' is not allowed; it takes a list of opened, escalated or churned",
        "p.toml: care_call, when 2, whyy: no such field; did you mean why?",
        "p.toml: care_call, titel: no such field; did you mean title?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"email"', '"none"\ncontact = true', "offer: contact = true needs a channel"),
        ('"email"', '"email"\ncontact = false', "offer: channel = email reaches the customer"),
        ('"30d"', '"900d"', "offer, cool_down: '900d' is not allowed"),
        ('"30d"', '"a month"', "offer, cool_down: 'a month' is not allowed"),
        ("cost = 5", "cost = -1", "offer, cost: -1 is not allowed"),
        ("cost = 5", 'cost = "5"', "offer, cost: '5' is not allowed"),
        ('"Make an offer"', '"a\\nb"', "offer, title: 'a\\nb' is not allowed"),
        ('"Make an offer"', '"  "', "offer, title: '  ' is not allowed"),
        ('"Make an offer"', f'"{"a" * 81}"', "offer, title: 'aaa"),
        ('["price"]', "[]", "offer, when 1, reasons: [] is not allowed"),
        ("strength = 1\n", "strength = inf\n", "offer, when 2, strength: inf is not allowed"),
        ("strength = 1\n", "strength = true\n", "offer, when 2, strength: True is not allowed"),
    ],
)
def test_a_slip_is_told(old: str, new: str, fault: str) -> None:
    (said,) = faults(SMALL.replace(old, new))
    assert said.startswith(f"p.toml: {fault}")
    assert len(said) < 300


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no action in it"),
        ("offer = 3", "offer: 3 is no table; it takes [offer] with title, channel"),
        ("[offer", "not TOML: "),
        ('[offer]\ntitle = "t"\nchannel = "app"\nwhen = 5', "offer, when: 5 is not allowed; it takes tables"),
        (
            '[offer]\ntitle = "t"\nchannel = "app"\nwhen = [5]',
            "offer, when 1: 5 is no table; it takes [[offer.when]] with strength",
        ),
        (
            "\n".join(SMALL.replace("offer", f"o{n}") for n in range(ACTIONS_IN_PLAYBOOK_MAX + 1)),
            "41 actions; it takes",
        ),
    ],
)
def test_what_is_no_playbook_is_told(text: str, fault: str) -> None:
    (said,) = faults(text)
    assert said.startswith(f"p.toml: {fault}")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    huge, latin = tmp_path / "huge.toml", tmp_path / "latin.toml"
    huge.write_bytes(b"#" * (BYTES_MAX + 1))
    latin.write_bytes(b'title = "\xe9"')
    for path, why in [
        (tmp_path / "none", "No such file"),
        (tmp_path, "Is a directory"),
        (huge, "larger"),
        (latin, "UTF-8"),
    ]:
        with pytest.raises(ConfigError, match=why) as caught:
            read_playbook(path)
        assert str(path) in str(caught.value)


def test_a_bad_one_in_force_is_told_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("a = 1\nb = 2\nc = 3\n")
    with pytest.raises(ConfigError) as caught:
        playbook_in_force(bad)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"CHURNWATCH_PLAYBOOK_FILE: {bad}: a: 1 is no table")
    assert line.endswith(f"`churnwatch playbook check {bad}` says 2 more")


def test_the_one_in_force_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL)
    before = playbook_in_force(path)
    path.write_text("nonsense")
    assert playbook_in_force(path) is before


def test_the_default_is_part_of_the_package() -> None:
    """Or an installed program would have none."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "*.toml" in setuptools["package-data"]["alerts"]


def test_the_playbook_shown_in_the_documentation_is_right() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    shown = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert shown
    for text in shown:
        assert parse_playbook(text, "docs/alerts.md")
    described = re.findall(r"^\| `([a-z_]+)` \| .* \| (\d+) days \| (\d*) ?\|$", page, re.MULTILINE)
    assert described == [
        (play.code, str(play.cool_down_ms // DAY_MS), "" if play.budget_per_day is None else f"{play.budget_per_day:g}")
        for play in {play.code: play for play in read_playbook(None)}.values()
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5_000,
        f"a = {'9' * 5_000}",
        SMALL.replace("cost = 5", f"cost = {'9' * 400}"),
        SMALL.replace("cost = 5", "cost = 1979-05-27"),
        SMALL.replace("cost", '"\\u001b[2Jcost"'),
        SMALL.replace("[offer]", '["\\u001b[2J"]'),
        '"" = 3',
        "when = [{}]",
    ],
)
def test_a_hostile_file_is_told_in_a_few_plain_words(text: str) -> None:
    said = faults(text)
    assert all(line.isprintable() and len(line) < 400 for line in said)


@given(data())
def test_a_damaged_file_is_told_or_read(data: DataObject) -> None:
    start = data.draw(integers(0, len(SMALL)))
    end = data.draw(integers(start, min(len(SMALL), start + 8)))
    text = (
        SMALL[:start]
        + data.draw(sampled_from(["", '"', "[", "]", "=", "\n", "{", "9", "-", "#", "é", "'"]))
        + SMALL[end:]
    )
    with suppress(ConfigError):
        assert parse_playbook(text, "p.toml")
