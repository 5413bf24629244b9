"""Every sentence that the product can publish has a Chinese form with the same figures; what nobody knows stays as it is."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.why import changes_of
from alerts import play_words
from alerts.alert import Reason
from alerts.bandit import Favourite
from alerts.causes import FeatureEffect
from alerts.counterfactual import Change, outlook, with_outlook
from alerts.episode import Episode, Transition
from alerts.evidence import TOPICS
from alerts.farewell import retold
from alerts.play import Channel, Play
from alerts.reasons import Rise, Silence, explain_step
from alerts.signs import signs_in
from alerts.value import Forecast
from churnwatch.playbook_file import read_playbook
from churnwatch.worth import _money, _sentence
from console.retold import Retold
from console.sentences import Sentences, sentences
from console.texts import language
from features.catalog import CATALOG
from features.said import SAID
from features.state import Activity, apply
from models.drift import Drift, Moved, Shift
from models.input_counts import EDGES
from models.verdict import judge
from streams.events import Login, Ticket
from streams.time import DAY_MS

AT_MS = 10_000 * DAY_MS
PLAYS = read_playbook(None)
DEFAULTS = {feature.name: float(feature.default) for feature in (*CATALOG, *SAID)}
FIGURE = re.compile(r"(?<![\d.])\d[\d,]*(?:\.\d+)?")
MONTHS = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d{4})年(\d+)月(\d+)日")


@pytest.fixture(scope="module")
def chinese() -> Sentences:
    found = sentences("zh")
    assert found is not None
    return found


def figures(text: str) -> list[float]:
    """All numbers in a text, "no days" as 0, the parts of a date each by itself."""
    text = MONTHS.sub(lambda day: " " + " ".join(str(int(part)) for part in day.groups() if part), text)
    text = re.sub(r"\b[Nn]o (?=\w+s\b)(?!(?:orders|logins) in \d+ days(?!,))", "0 ", text)
    return sorted(float(number.replace(",", "")) for number in FIGURE.findall(text))


def holds(said: str | None, published: str) -> None:
    assert said is not None, published
    assert figures(said) == figures(published), (published, said)
    assert not re.search("[a-z]{4}", said), said


def test_every_form_says_all_that_it_has_taken(chinese: Sentences) -> None:
    for forms in chinese.tables.values():
        for form in forms:
            assert set(re.findall(r"{(\w+)", form.said)) == set(form.kinds), form.english
            assert sorted(re.findall(r"\d+", form.said)) == sorted(re.findall(r"\d+", form.english))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.covers[0])
def test_every_topic(chinese: Sentences, topic: Any) -> None:
    said = 0
    names = {*topic.shows, *topic.covers[:2], "order_days"}
    for values in product((0.0, 1.0, 0.25, 2.5, 1234.5, -1.5), repeat=min(len(names), 4)):
        sentence = topic.says(DEFAULTS | dict(zip(sorted(names), values, strict=False)))
        if sentence is not None:
            holds(chinese.evidence(sentence), sentence)
            said += 1
    assert said


def test_every_sign(chinese: Sentences) -> None:
    for name, value in product(DEFAULTS, (1.0, 2.0)):
        for sign in signs_in({name: value}):
            holds(chinese.evidence(sign.told), sign.told)
    acts = {"discount_share_before": 0.4, "basket_before": 100.0, "basket_latest": 12.5}
    acts |= {"logins_30d": 4.0, "order_silence_days": 40.0, "gap_mean_days": 9.0}
    for latest in (0.0, 0.1):
        for sign in signs_in(acts | {"discount_share_latest": latest}):
            holds(chinese.evidence(sign.told), sign.told)


def changes() -> Iterator[str]:
    """What may be supposed of customers with and without open tickets."""
    for tickets in range(3):
        activity = Activity.empty()
        apply(activity, "logins", Login(event_id="l", customer_id="c", occurred_at=AT_MS - DAY_MS))
        for n in range(tickets):
            ticket = Ticket(
                event_id=f"t{n}", customer_id="c", occurred_at=AT_MS - DAY_MS, ticket_id=f"t{n}", status="opened"
            )
            apply(activity, "tickets", ticket)
        yield from (change.what for change in changes_of(activity, AT_MS, None))  # type: ignore[arg-type] # no risk is asked for


CHANGES = sorted(set(changes()))
OPENED = Transition("opened", "rise", "c-1", "e", "a", AT_MS, 0.8, 0.6, "high", "loyal", "model", holdout=False)
STEPS = [
    ("opened", "rise"), ("escalated", "rise"), ("escalated", "untaken"), ("escalated", "snooze_over"), ("resolved", "return"),
    ("resolved", "fall"), ("resolved", "won_back"), ("resolved", "false_alarm"), ("churned", "gone"), ("churned", "cancelled"),
]  # fmt: skip


@st.composite
def told(draw: st.DrawFn) -> list[Reason]:
    """The reasons of an alert, by the way that they are made."""
    kind, cause = draw(st.sampled_from(STEPS))
    basis = draw(st.sampled_from(["model", "rule"]))
    fields: dict[str, Any] = {"kind": kind, "cause": cause, "basis": basis}
    step = replace(OPENED, **fields)
    number = st.one_of(st.integers(0, 400).map(float), st.floats(0, 2000).map(lambda x: round(x, 3)))
    pick = draw(st.lists(st.sampled_from(CATALOG), max_size=5))
    values = DEFAULTS | {feature.name: draw(number) for feature in pick}
    effects = [
        FeatureEffect(f.name, f.family, 1.0 if f in pick else 0.0, values[f.name], f.default, f.unit, f.meaning)
        for f in CATALOG
    ]
    said = {feature.name: draw(st.sampled_from([0.0, 0.0, 1.0, 3.0])) for feature in SAID}
    sign = draw(st.sampled_from(["order", "sign of life"]))
    quiet = Silence(draw(number), draw(st.none() | number), sign)
    rise = draw(st.none() | st.builds(Rise, st.floats(0, 1), st.floats(0, 30)))
    reason = draw(st.sampled_from([None, "price", "service", "product", "competition", "other"]))
    found = explain_step(step, effects, quiet, said=said, cancellation=reason, rise=rise)
    opened_ms = AT_MS - draw(st.sampled_from([0, 1, 40])) * DAY_MS
    seen_ms = draw(st.sampled_from([AT_MS, AT_MS - 80 * DAY_MS]))
    episode = Episode(number=1, opened_ms=opened_ms, closed_ms=AT_MS - 50 * DAY_MS, seen_ms=seen_ms)
    before = explain_step(replace(step, kind="opened", cause="rise"), effects, quiet, said=said)
    found = retold(step, episode, found, before if kind == "churned" else (), sign)
    return with_outlook(found, outlook(step, [Change(draw(st.sampled_from(CHANGES)), lambda: 0.41)]))


@settings(max_examples=150, deadline=None)
@given(told())
def test_every_reason_of_every_step(reasons: list[Reason]) -> None:
    known = sentences("zh")
    assert known is not None
    for reason in reasons:
        holds(known.evidence(reason.evidence), reason.evidence)


def test_every_action_of_the_default_playbook(chinese: Sentences) -> None:
    price = Reason("price", 0.62, "Discounts of 40 % in 90 days; risk up from 0.21 to 0.46 in 7 days", {})
    passed = [play_words.rests(PLAYS[0], AT_MS), play_words.kept(PLAYS[1], 250.5, "EUR")]
    favours = [None, Favourite("x", None), Favourite("x", 0.71)]
    for play, moved, currency in product(PLAYS, favours, ("EUR", None)):
        assert chinese.one("title", play.title)
        for place, before in product(range(3), ([], passed)):
            words = play_words.chosen(place, play, price, 80.25, currency, moved, before)
            why = f"{play.why.replace('{evidence}', price.evidence)}. {words}"
            holds("".join(said or "None" for _, said in chinese.why(why)), why)


def test_every_channel_and_span(chinese: Sentences) -> None:
    for channel, span_ms in product(get_args(Channel), (0, DAY_MS, 30 * DAY_MS)):
        play = Play("a", "Call the customer", "…", 1.0, channel=channel, cool_down_ms=span_ms, cost=2.5)
        words = play_words.chosen(0, play, Reason("price", 1.0, "…", {}), 80.0, "EUR", None, [])
        assert [said is None for _, said in chinese.why(f"Our own words. {words}")] == [True, False]


def verdicts() -> Iterator[str]:
    base = {"recent_examples": 3000.0, "recent_base_rate": 0.5}
    yield judge({}).reason
    yield judge({"recent_examples": 40.0}).reason
    for auc, rule, ece in product((0.55, 0.62, 0.7), (0.5, 0.62, 0.68), (0.004, 0.07, 0.2)):
        yield judge(base | {"recent_auc": auc, "recent_rule_auc": rule, "recent_ece": ece}).reason


def drifts() -> Iterator[str]:
    edges = [None, *EDGES, None]
    moved = [Moved("orders_30d", 0.31, low, high, 0.34, 0.61) for low, high in pairwise(edges)]
    for shift in (0.012, -0.012):
        yield from Drift({}, moved, Shift(0.4, 0.6, warns=True), Shift(shift, -shift, warns=True)).warnings().values()


def forecasts() -> Iterator[str]:
    for low, high in ((0.0, 0.0), (0.0, 12_345.678), (5.0, 10.0)):
        for currency in ("EUR", None):
            yield _sentence(Forecast(90, 0.87, 120.0, 111.17, 0.17, low, high), currency).strip()
    for said in ("by their orders", "as the profile says"):
        yield f"Worth {_money(12_345.6, 'EUR')} in 365 days if they stay, {said}; {_money(2.0, 'EUR')} of it at risk"
    yield "By their orders they have not left with a chance of 87%; then, all told,"


@pytest.mark.parametrize(("table", "made"), [("verdict", verdicts), ("drift", drifts), ("worth", forecasts)])
def test_every_sentence_on_the_model_and_on_worth(
    chinese: Sentences, table: str, made: Callable[[], Iterator[str]]
) -> None:
    for sentence in made():
        said = chinese.one(table, sentence)
        assert said is not None, sentence
        assert [f for f in figures(sentence) if f not in figures(said)] == [], (sentence, said)


@pytest.mark.parametrize(
    "text", ["", "2 orders on Mars in 30 days", "; ", "<b>no order yet</b>", "No order yet; x", "1 " * 9000]
)
def test_what_nobody_knows_stays_in_its_own_words(chinese: Sentences, text: str) -> None:
    assert chinese.evidence(text) is None
    shown = Retold(language("zh")).evidence(text)
    assert shown.startswith('<span lang="en">')
    assert "<b>" not in shown


def test_english_is_what_was_published() -> None:
    told = Retold(language("en"))
    assert told.evidence("2 < 3") == told.title("2 < 3") == told.why("2 < 3") == "2 &lt; 3"


def test_a_playbook_of_one_s_own_keeps_its_words() -> None:
    shown = Retold(language("zh")).why("给客户<打电话>. First choice: fits any reason.")
    assert shown == '<span lang="">给客户&lt;打电话&gt;. </span>首选：适用于任何原因。'
