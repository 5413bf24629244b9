"""The plots of the page, each from the story alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log2

from alerts.segments import SEGMENTS
from churnwatch.evaluation import weekly
from churnwatch.report.curves import gain, histogram, reliability, tenths, weekly_rates
from churnwatch.report.markup import Markup
from churnwatch.report.plot import Axis, Plot, months, numbers
from churnwatch.report.story import OURS, Story
from churnwatch.report.whatif import Point
from models.measures import roc_auc
from streams.time import DAY_MS

WEEK_MS = 7 * DAY_MS
LEAD_BIN_DAYS = 5
ID_LETTERS_MAX = 48


def auc_over_time(story: Story) -> Markup | None:
    """Weekly AUC of every contender; None where no week has both outcomes."""
    rows = story.judged.tested
    found = {name: weekly(roc_auc, one.risk, rows.label, rows.taken_ms) for name, one in story.contenders.items()}
    if not found[OURS]:
        return None
    values = [auc for line in found.values() for _, auc in line]
    plot = Plot(
        "auc",
        "How well leavers were told from those who stayed, week by week",
        "Lines of the AUC within each week's snapshots; 0.5 is drawing lots, 1 is perfect.",
        _span(story),
        numbers([*values, 0.5], "AUC within the week (0.5: drawing lots, 1: perfect)"),
    )
    for style, (name, line) in enumerate(found.items(), start=1):
        plot.line(line, name, style, shape="circle" if name == OURS else None)
    return plot.svg()


def rates_over_time(story: Story) -> Markup | None:
    """What was said on average, against what came."""
    rows = story.judged.tested
    rates = weekly_rates(rows.risk, rows.label, rows.taken_ms)
    if not rates:
        return None
    plot = Plot(
        "rates",
        "What was said on average, and what came",
        "Two lines: the mean predicted risk of each week's snapshots, and the share of those customers who then left.",
        _span(story),
        numbers([rate for _, *both in rates for rate in both], "share of the customers looked at", percent=True),
    )
    plot.line([(at_ms, said) for at_ms, said, _ in rates], "said: mean risk", 1, shape="circle")
    plot.line([(at_ms, came) for at_ms, _, came in rates], "came: share that left", 2, shape="square")
    return plot.svg()


def reliability_curve(story: Story) -> Markup | None:
    """Of those about whom a risk was said, how many left."""
    rows = story.judged.tested
    bins = reliability(rows.risk, rows.label)
    if not bins:
        return None
    plot = Plot(
        "reliability",
        "Can the percentages be taken at their word?",
        "Predictions in ten bins: mean risk said, against the share that left. On the diagonal, the two are equal.",
        numbers([0.0, 1.0], "risk said", percent=True),
        numbers([0.0, 1.0], "share that left", percent=True),
        height=340,
    )
    whole = sum(one.rows for one in bins)
    plot.bars([(one.said - 0.02, one.said + 0.02, 0.0, one.rows / whole) for one in bins], "part of all predictions", 3)
    plot.line([(0.0, 0.0), (1.0, 1.0)], "at their word", 5)
    plot.line([(one.said, one.came) for one in bins], OURS, 1, shape="circle")
    return plot.svg()


def gain_curve(story: Story) -> Markup | None:
    """How many of the leavers are reached by looking after the riskiest so many."""
    rows = story.judged.tested
    lines = {name: gain(one.risk, rows.label, rows.taken_ms) for name, one in story.contenders.items()}
    if not lines[OURS]:
        return None
    plot = Plot(
        "gain",
        "Whoever looks after the riskiest so many reaches how many of the leavers?",
        "Share of each week's customers, riskiest first, against the share of all leavers who are among them.",
        numbers([0.0, 1.0], "share of the week's customers, riskiest first", percent=True),
        numbers([0.0, 1.0], "share of all leavers", percent=True),
        height=340,
    )
    for style, (name, line) in enumerate(lines.items(), start=1):
        plot.line(line, name, style)
    plot.line([(0.0, 0.0), (1.0, 1.0)], "drawing lots", 5)
    return plot.svg()


def lift_bars(story: Story) -> Markup | None:
    """Churn rate by tenth of risk."""
    rows = story.judged.tested
    rates = tenths(rows.risk, rows.label, rows.taken_ms)
    if not rates:
        return None
    base = float(rows.label.mean())
    plot = Plot(
        "lift",
        "How many left in each tenth, riskiest first",
        "Bars: the share that left of each tenth of every week's customers, ranked by risk; a line at the share of all.",
        Axis(
            0.0, len(rates), tuple((place + 0.5, f"{place + 1}.") for place in range(len(rates))), "tenth of the week"
        ),
        numbers([0.0, max(rates)], "share that left", percent=True),
    )
    plot.bars([(place + 0.12, place + 0.88, 0.0, rate) for place, rate in enumerate(rates)], OURS, 1)
    plot.line([(0.0, base), (float(len(rates)), base)], f"all: {base:.0%}", 2)
    return plot.svg()


def lead_histogram(story: Story) -> Markup | None:
    """By how many days the right warnings came sooner than certainty."""
    days, span = story.horizon_days, story.judged.span
    right = (one for one in story.judged.warned if one.right and one.opened_ms >= span.from_ms)
    leads = [lead for one in right if (lead := one.lead_days(span.horizon_ms)) is not None]
    bins = histogram((min(lead, days - 0.5) for lead in leads), LEAD_BIN_DAYS)
    if not bins:
        return None
    plot = Plot(
        "lead",
        f"How much sooner right warnings came than waiting out {days} days of silence",
        "Bars: right warnings by the days from the warning to the end of the horizon that began with the last order.",
        numbers([0.0, float(days)], "days gained"),
        numbers([count for _, count in bins], "right warnings", from_zero=True),
    )
    plot.bars([(start, start + LEAD_BIN_DAYS, 0.0, count) for start, count in bins], "right warnings", 1)
    return plot.svg()


def alerts_by_week(story: Story) -> Markup | None:
    """Warnings per week of the whole log, by segment, on top of each other."""
    warned, result = story.judged.warned, story.judged.result
    if not warned:
        return None
    counts = Counter((one.opened_ms // WEEK_MS, one.segment) for one in warned)
    axis = months(result.first_ms, result.last_ms)
    tops = Counter(one.opened_ms // WEEK_MS for one in warned)
    plot = Plot(
        "weeks",
        "Warnings per week, by segment, in the whole log",
        "Stacked bars: warnings opened each week, by the customer's segment.",
        axis,
        numbers(tops.values(), "warnings in the week", from_zero=True),
    )
    height: Counter[int] = Counter()
    for style, segment in enumerate(sorted(SEGMENTS), start=1):
        bars = []
        for week in sorted(tops):
            if count := counts[week, segment]:
                bars.append((week * WEEK_MS, (week + 1) * WEEK_MS, height[week], height[week] + count))
                height[week] += count
        plot.bars(bars, segment.replace("_", " "), style)
    return plot.svg()


def budget_curve(points: Sequence[Point], key: str, of: str) -> Markup | None:
    """What other budgets would have given."""
    known = [(log2(one.at), one.precision, one.recall) for one in points if one.precision is not None]
    if not known:
        return None
    ticks = tuple((log2(one.at), f"{one.at:.3g}") for one in points)
    plot = Plot(
        key,
        f"What another budget would have given: {of}",
        "Against warnings a day: the share of warnings that are right, and the share of leavers warned about.",
        Axis(ticks[0][0], ticks[-1][0], ticks, "warnings a day (each step doubles them)"),
        numbers([0.0, 1.0], "share", percent=True),
    )
    plot.line([(at, right) for at, right, _ in known], "of the warnings are right", 1, shape="circle")
    recalls = [(at, recall) for at, _, recall in known if recall is not None]
    plot.line(recalls, "of the leavers are warned about", 2, shape="square")
    return plot.svg()


def short(customer: str) -> str:
    """Cut an id to what fits above a drawing."""
    return customer if len(customer) <= ID_LETTERS_MAX else customer[: ID_LETTERS_MAX - 1] + "…"


def timeline(story: Story, number: int) -> Markup:
    """A customer's orders, risk and warnings, on the time of the log."""
    person, result = story.people[number], story.judged.result
    plot = Plot(
        f"person{number}",
        f"{short(person.customer)}: {person.kind}",
        f"{len(person.orders_ms)} orders, {len(person.warned)} warnings; the line is the risk as said each week.",
        months(result.first_ms, result.last_ms),
        Axis(0.0, 1.0, ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")), "risk said"),
        height=190.0,
    )
    # A gap in the line where nothing was said: the customer was gone, or the silence rule spoke.
    week_ms = story.settings.snapshot_ms
    piece = person.risks[:1]
    for before, after in pairwise(person.risks):
        if after[0] - before[0] > week_ms:
            plot.line(piece, "risk", 1)
            piece = []
        piece.append(after)
    plot.line(piece, "risk", 1)
    plot.ticks([float(at_ms) for at_ms in person.orders_ms], "order", 4, length=16.0)
    plot.marks([(one.opened_ms, one.risk) for one in person.warned], "warned", 2, "up")
    gone = [(one.closed_ms, one.risk) for one in person.warned if one.ended == "churned"]
    plot.marks(gone, "gone", 3, "cross")
    back = [(one.closed_ms, 0.1) for one in person.warned if one.ended == "resolved"]
    plot.marks(back, "withdrawn", 4, "square")
    return plot.svg()


def _span(story: Story) -> Axis:
    taken_ms = story.judged.tested.taken_ms
    return months(int(taken_ms[0]), int(taken_ms[-1]))
