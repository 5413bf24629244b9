"""Plots as inline SVG: title, legend and the names of both axes stand in the drawing, so that it can be read (and printed) alone.

    title
    -- what  .. what                      legend: every series has a dash or shape of its own, not only a colour
    name of y
    | ticks
    +-------- ticks, name of x

Colours and dashes are classes (`style.CSS`), for light, dark and print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import Final, Literal

from churnwatch.report.markup import Markup, tag
from streams.time import DAY_MS

WIDTH: Final = 720.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 26.0, 66.0, 44.0
LETTER: Final = 6.4
"""Width of a letter of the legend, about."""

Point = tuple[float, float]
Shape = Literal["circle", "square", "up", "cross"]
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high` of the data, with (value, text) at the ticks, and what it says."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    name: str

    def at(self, value: float) -> float:
        """Where a value lies, 0 to 1; what is outside is drawn at the edge."""
        return min(max((value - self.low) / ((self.high - self.low) or 1.0), 0.0), 1.0)


def step_of(spread: float, ticks: int) -> float:
    """The round step (1, 2 or 5 times a power of ten) that divides `spread` into about `ticks`.

    >>> step_of(0.93, 5)
    0.2
    """
    rough = max(spread, 1e-12) / ticks
    power = 10.0 ** floor(log10(rough))
    return float(next(power * factor for factor in (1, 2, 5, 10) if rough <= power * factor * 1.0001))


def numbers(values: Iterable[float], name: str, *, from_zero: bool = False, percent: bool = False) -> Axis:
    """An axis around the values, with round ticks; `percent` writes shares as such."""
    known = [*values, *([0.0] if from_zero else [])] or [0.0, 1.0]
    step = step_of(max(known) - min(known) or abs(known[0]) or 1.0, 5)
    first, last = floor(min(known) / step + 1e-9), ceil(max(known) / step - 1e-9)
    last = max(last, first + 1)
    ticks = [tick * step for tick in range(first, last + 1)]
    digits = max(0, -floor(log10(step)) - (2 if percent else 0))

    def said(value: float) -> str:
        return f"{100 * value:.{digits}f} %" if percent else f"{value:,.{digits}f}"

    return Axis(ticks[0], ticks[-1], tuple((tick, said(tick)) for tick in ticks), name)


def months(first_ms: int, last_ms: int) -> Axis:
    """An axis of time: a tick at the first of a month, at most twelve of them."""
    year, month = (at := datetime.fromtimestamp(first_ms / 1000, UTC)).year, at.month
    starts: list[datetime] = []
    while (start := datetime(year, month, 1, tzinfo=UTC)).timestamp() * 1000 <= last_ms:
        starts.append(start)
        year, month = (year + month // 12, month % 12 + 1)
    every = next((step for step in (1, 2, 3, 6, 12) if len(starts) <= 12 * step), 12 * ceil(len(starts) / 144))
    shown = [
        start
        for start in starts
        if start.timestamp() * 1000 >= first_ms and (12 * start.year + start.month - 1) % every == 0
    ]
    ticks = [
        (start.timestamp() * 1000, MONTHS[start.month - 1] + (f" {start.year}" if start.year > year else ""))
        for start, year in zip(shown, [0, *(start.year for start in shown)], strict=False)
    ]
    return Axis(first_ms, max(last_ms, first_ms + DAY_MS), tuple(ticks), "")


class Plot:
    """A drawing; add series, then ask for `svg`. `key` is unique on the page; `said` is told to those who cannot see it."""

    def __init__(self, key: str, title: str, said: str, x: Axis, y: Axis, height: float = 270.0) -> None:
        self._key, self._title, self._said = key, title, said
        self._x, self._y, self._height = x, y, height
        self._drawn: list[Markup] = []
        self._legend: list[tuple[str, Markup]] = []

    def line(self, points: Sequence[Point], name: str, style: int, *, shape: Shape | None = None) -> None:
        """Draw a line through points; `style` 1 to 4 is its colour and dash, 5 a thin line to compare with."""
        path = " ".join(f"{self._across(x):.1f},{self._down(y):.1f}" for x, y in points)
        self._drawn.append(tag("polyline", points=path, class_=f"line s{style}"))
        sample = tag("line", x1=0, y1=0, x2=26, y2=0, class_=f"line s{style}")
        if shape is not None:
            self._drawn += [mark(shape, self._across(x), self._down(y), style) for x, y in points]
            sample = Markup(sample + mark(shape, 13, 0, style))
        self._name(name, sample)

    def marks(self, points: Sequence[Point], name: str, style: int, shape: Shape) -> None:
        """Draw single marks."""
        self._drawn += [mark(shape, self._across(x), self._down(y), style) for x, y in points]
        self._name(name, mark(shape, 13, 0, style))

    def bars(self, spans: Sequence[tuple[float, float, float, float]], name: str, style: int) -> None:
        """Draw bars, each (x from, x to, y from, y to)."""
        for left, right, low, high in spans:
            top, across = self._down(high), self._across(left)
            size = {"width": max(self._across(right) - across - 1.0, 0.5), "height": max(self._down(low) - top, 0.0)}
            self._drawn.append(tag("rect", x=across, y=top, class_=f"bar s{style}", **size))
        self._name(name, tag("rect", x=6, y=-6, width=14, height=12, class_=f"bar s{style}"))

    def ticks(self, xs: Sequence[float], name: str, style: int, *, length: float = 10.0) -> None:
        """Draw short strokes that stand on the axis of x."""
        foot = self._down(self._y.low)
        self._drawn += [
            tag("line", x1=(at := self._across(x)), x2=at, y1=foot, y2=foot - length, class_=f"stroke s{style}")
            for x in xs
        ]
        self._name(name, tag("line", x1=13, x2=13, y1=5, y2=-5, class_=f"stroke s{style}"))

    def svg(self) -> Markup:
        """The drawing, with its title and description for those who cannot see it."""
        ids = f"{self._key}-title {self._key}-said"
        return tag(
            "svg",
            tag("title", self._title, id=f"{self._key}-title"),
            tag("desc", self._said, id=f"{self._key}-said"),
            tag("text", self._title, x=0, y=15, class_="title"),
            self._legends(),
            self._axes(),
            self._drawn,
            viewBox=f"0 0 {WIDTH:.0f} {self._height:.0f}",
            role="img",
            aria_labelledby=ids,
        )

    def _across(self, x: float) -> float:
        return LEFT + self._x.at(x) * (WIDTH - LEFT - RIGHT)

    def _down(self, y: float) -> float:
        return self._height - BOTTOM - self._y.at(y) * (self._height - BOTTOM - TOP)

    def _name(self, name: str, sample: Markup) -> None:
        if name and all(name != known for known, _ in self._legend):
            self._legend.append((name, sample))

    def _legends(self) -> Iterable[Markup]:
        across = 0.0
        for name, sample in self._legend:
            yield tag("g", sample, tag("text", name, x=32, y=4), transform=f"translate({across:.0f} 34)")
            across += 52 + LETTER * len(name)

    def _axes(self) -> Iterable[Markup]:
        foot, end = self._height - BOTTOM, WIDTH - RIGHT
        for value, said in self._y.ticks:
            down = self._down(value)
            yield tag("line", x1=LEFT, x2=end, y1=down, y2=down, class_="grid")
            yield tag("text", said, x=LEFT - 6, y=down + 4, class_="right")
        for value, said in self._x.ticks:
            across = self._across(value)
            yield tag("line", x1=across, x2=across, y1=foot, y2=foot + 4, class_="axis")
            yield tag("text", said, x=across, y=foot + 17, class_="middle")
        yield tag("line", x1=LEFT, x2=end, y1=foot, y2=foot, class_="axis")
        yield tag("text", self._y.name, x=0, y=TOP - 12, class_="name")
        yield tag("text", self._x.name, x=(LEFT + end) / 2, y=self._height - 6, class_="name middle")


def mark(shape: Shape, x: float, y: float, style: int) -> Markup:
    """A mark around a point of the drawing."""
    name = f"mark s{style}"
    match shape:
        case "circle":
            return tag("circle", cx=x, cy=y, r=3.2, class_=name)
        case "square":
            return tag("rect", x=x - 3.5, y=y - 3.5, width=7, height=7, class_=name)
        case "up":
            return tag("path", d=f"M{x:.1f} {y - 6:.1f}l5.5 10h-11z", class_=name)
        case "cross":
            return tag("path", d=f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8", class_=f"{name} open")
