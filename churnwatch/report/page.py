"""The page itself: verdict first, then what it rests on, then what else might have been, then ten customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from churnwatch.evaluation import REGULAR_ORDER_DAYS, Figures
from churnwatch.report import figures
from churnwatch.report.markup import Markup, table, tag
from churnwatch.report.people import Person
from churnwatch.report.story import BGNBD, OURS, RECENCY, SILENCE, Story
from churnwatch.report.style import CSS
from churnwatch.report.verdict import headline, sentences
from churnwatch.report.whatif import Point
from streams.time import DAY_MS, iso

TERMS = (
    "AUC: how often a leaver has a higher risk than somebody who stayed. Lift: churn rate of the riskiest tenth over that of all. "
    "Calibration error: how far risks are from the shares that left, over ten bins. Log loss: punishes confident errors most."
)


def page(story: Story) -> str:
    """Return the whole page: one file, which fetches nothing."""
    first, last = story.told["first"][:10], story.told["last"][:10]
    title = f"Backtest, {first} to {last}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"Churnwatch: {title}"),
        tag("style", Markup(CSS)),
    )
    body = tag("body", tag("main", tag("h1", title), *_verdict(story), *_sections(story)))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _sections(story: Story) -> Iterator[Markup]:
    yield from _quality(story)
    yield from _warnings(story)
    yield from _what_if(story)
    yield from _people(story)
    yield from _method(story)


def _verdict(story: Story) -> Iterator[Markup]:
    alerts, quality = story.told["alerts"], story.told["quality"]
    yield tag(
        "p",
        f"What Churnwatch would have said about this log, had it been there, and what came of it. Judged is what it said from "
        f"{iso(story.judged.span.from_ms)[:10]} on, always with only what was known at the time.",
        class_="soft",
    )
    yield tag(
        "div",
        tag("p", tag("strong", headline(story))),
        tag("ul", [tag("li", one) for one in sentences(story)]),
        class_="verdict",
    )
    tiles = (
        (_percent(alerts["precision"]), "of the warnings were right"),
        (_percent(alerts["precision_by_chance"]), "would have been, drawing as many of each segment by lot"),
        (_percent(quality["base_rate"]), "left, of all customers looked at"),
        (_short(alerts["per_day"]), "warnings a day"),
        (_short(alerts["lead_days_median"]), "days gained by half of the right warnings, or more"),
        (_percent(story.contenders[OURS].regulars["precision_10"]), "left, of the riskiest tenth of the regulars"),
    )
    yield tag("ul", [tag("li", tag("b", value), what) for value, what in tiles], class_="tiles")


def _quality(story: Story) -> Iterator[Markup]:
    yield tag("h2", "How good it was")
    yield tag(
        "p",
        "Beside Churnwatch stand simpler ways of scoring the same customers at the same time. "
        f"{RECENCY} ranks by the days since the last order alone. The {SILENCE.lower()} holds them against the customer's own "
        "rhythm; it is what speaks until a model has seen enough. "
        f"{BGNBD} is the classic statistical model of repeat buying, fitted anew every four weeks.",
    )
    yield _contenders(story)
    yield from _figures(figures.auc_over_time(story), figures.rates_over_time(story))
    yield from _figures(figures.reliability_curve(story), figures.gain_curve(story), figures.lift_bars(story))
    yield tag("div", _segments(story), class_="wide")


def _contenders(story: Story) -> Markup:
    columns = ("weekly_auc", "roc_auc", "pr_auc", "lift_10", "log_loss", "ece")
    head = ("", "AUC in the week", "AUC", "PR AUC", "lift of the top tenth", "log loss", "calibration error")
    more = ("regulars: AUC in the week", "regulars: riskiest tenth left", "caught by 30 days", "caught by 45 days")
    rows = [
        (
            name,
            *(_fine(one.all[column]) for column in columns),
            _fine(one.regulars["weekly_auc"]),
            _percent(one.regulars["precision_10"]),
            _percent(one.catch_30),
            _percent(one.catch_45),
        )
        for name, one in story.contenders.items()
    ]
    caption = (
        "Higher is better, but for log loss and calibration error. Caught: of the regulars who left for good (no order "
        f"for {story.judged.span.for_good_ms // DAY_MS} days), the share that was among the riskiest tenth of the regulars in some week "
        "up to so many days after the last order."
    )
    return tag("div", table((*head, *more), rows, caption), class_="wide")


def _segments(story: Story) -> Markup:
    blocks: dict[str, Figures] = {"all": story.told["quality"]} | story.told["segments"]
    columns = ("weekly_auc", "roc_auc", "lift_10", "log_loss", "ece")
    rows = [
        (
            name.replace("_", " "),
            f"{block['examples']:,}",
            _percent(block["base_rate"]),
            *(_fine(block[column]) for column in columns),
        )
        for name, block in blocks.items()
    ]
    head = ("customers", "predictions", "left", "AUC in the week", "AUC", "lift", "log loss", "calibration error")
    return table(
        head, rows, f"By segment; regulars are those with {REGULAR_ORDER_DAYS} order days or more, of any segment."
    )


def _warnings(story: Story) -> Iterator[Markup]:
    yield tag("h2", "The warnings")
    yield from _figures(figures.lead_histogram(story), figures.alerts_by_week(story))
    alerts, told = story.told["alerts"], story.told["segments"]
    chance = {"all": alerts["precision_by_chance"]} | {name: block["base_rate"] for name, block in told.items()}
    rows = [
        (
            name.replace("_", " "),
            f"{one['opened']:,}",
            _short(one["per_day"]),
            f"{one['judged']:,}",
            _percent(one["precision"]),
            _percent(chance[name]),
            _short(one["lead_days_median"]),
            _short(one["after_last_order_days_median"]),
        )
        for name, one in ({"all": alerts} | alerts["segments"]).items()
    ]
    medians = ("days gained (median)", "days after the last order (median)")
    head = ("segment", "opened", "a day", "judged", "right", "right by chance", *medians)
    caption = (
        "Judged are warnings whose horizon had passed when the log ended. By chance: the share that left, of all customers "
        "looked at in the segment; for all, as many of each segment drawn by lot."
    )
    yield tag("div", table(head, rows, caption), class_="wide")


def _what_if(story: Story) -> Iterator[Markup]:
    yield tag("h2", "What another budget or threshold would have given")
    yield tag(
        "p",
        "Replayed over the weekly snapshots, ranked by risk alone: one warning in a spell of silence. The product also looks between "
        "the snapshots, keeps floors, rests and a budget for each segment, so read how the rows compare rather than each by itself.",
    )
    regular = figures.budget_curve(story.regular_budgets, "budget-regulars", "regulars alone")
    yield from _figures(figures.budget_curve(story.budgets, "budget", "all customers"), regular)
    head = ("warnings a day", "right", "leavers warned about")
    yield table(
        head, _points(story.budgets, "{:.3g}"), "Budgets: every week the riskiest who have not been warned about yet"
    )
    yield table(head, _points(story.regular_budgets, "{:.3g}"), "The same among regulars alone")
    rows = ((cells[0], f"{one.per_day:.1f}", *cells[1:]) for one, cells in _with(story.thresholds))
    yield table(("threshold", "warnings a day", *head[1:]), rows, "Thresholds: whoever reaches the risk")


def _with(points: Sequence[Point]) -> Iterator[tuple[Point, tuple[str, ...]]]:
    yield from zip(points, _points(points, "{:.2f}"), strict=True)


def _points(points: Sequence[Point], form: str) -> Iterator[tuple[str, ...]]:
    for one in points:
        yield form.format(one.at), _percent(one.precision), _percent(one.recall)


def _people(story: Story) -> Iterator[Markup]:
    yield tag("h2", "Ten customers")
    yield tag(
        "p",
        "Picked by what they spent, regulars first, from those it was right about, those it missed, and those it was wrong about.",
    )
    for place, person in enumerate(story.people):
        yield _figure(figures.timeline(story, place), _story_of(person))


def _story_of(person: Person) -> str:
    whole = "" if figures.short(person.customer) == person.customer else f"{person.customer}: "
    told = f"{whole}{len(person.orders_ms)} orders, {person.spent:,.0f} in all, the last on {iso(person.orders_ms[-1])[:10]}. "
    if not person.warned:
        return f"{told}No warning."
    first = person.warned[-1]
    after = "" if first.right is None else " Nothing came within the horizon." if first.right else " They came back."
    return f"{told}Latest warning on {iso(first.opened_ms)[:10]} at {first.risk:.0%}: {first.why}.{after}"


def _method(story: Story) -> Iterator[Markup]:
    told, settings = story.told, story.settings
    events = told["events"]
    sign = "order" if settings.churn_on == "orders" else "sign of life"
    facts = (
        (
            f"The question, every {settings.snapshot_ms // DAY_MS} days, about everybody with an order in the last "
            f"{settings.active_ms // DAY_MS} days: will there be no {sign} in the next {story.horizon_days} days?"
        ),
        _left_out(story),
        "A model learns from an answer only once its outcome is known. The simpler ways keep the same rule.",
        (
            f"Events: {events['read']:,} read, {events['applied']:,} applied, {events['duplicate']:,} duplicate, "
            f"{events['late']:,} late, {events['dead_lettered']:,} refused."
        ),
        f"The budget was {settings.alert_daily_budget:g} warnings a day.",
        TERMS,
    )
    yield tag("h2", "How this was worked out")
    yield tag("ul", [tag("li", fact) for fact in facts])


def _left_out(story: Story) -> str:
    snapshots = story.told["snapshots"]
    return (
        f"{snapshots['scored']:,} answers were given, {snapshots['evaluated']:,} are evaluated. Left out: "
        f"{snapshots['before']:,} from before {snapshots['evaluated_from'][:10]}, {snapshots['by_rule']:,} that the silence rule "
        f"gave for want of a model, and {snapshots['censored']:,} whose {story.horizon_days} days had not passed when the log "
        "ended: of those customers nobody knows yet, so they count neither as gone nor as staying."
    )


def _figures(*drawn: Markup | None) -> Iterator[Markup]:
    yield from (_figure(one, None) for one in drawn if one is not None)


def _figure(drawn: Markup, caption: str | None) -> Markup:
    return tag("figure", drawn, None if caption is None else tag("figcaption", caption))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _fine(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
