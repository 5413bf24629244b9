"""Markup and plots: nothing unescaped, axes with round ticks."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from churnwatch.report.markup import Markup, table, tag
from churnwatch.report.plot import LEFT, WIDTH, Axis, Plot, months, numbers

HOSTILE = "<script>alert('x')</script>\"&"


def ms(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def test_text_and_attributes_are_escaped_and_markup_is_not() -> None:
    made = tag("p", HOSTILE, tag("b", "bold"), title=HOSTILE)
    assert "<script>" not in made
    found = ET.fromstring(made)
    assert (found.text, found.get("title"), found[0].text) == (HOSTILE, HOSTILE, "bold")
    assert tag("p", Markup("<i>as it is</i>")) == "<p><i>as it is</i></p>"


def test_void_elements_have_no_end_and_none_leaves_an_attribute_out() -> None:
    assert tag("meta", charset="utf-8", id=None) == '<meta charset="utf-8">'


def test_a_table_names_its_rows() -> None:
    found = ET.fromstring(table(("of", "n"), [(HOSTILE, "1")], "what"))
    assert [cell.tag for cell in found.findall("tbody/tr/*")] == ["th", "td"]
    assert found.findtext("tbody/tr/th") == HOSTILE


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ([0.0, 1.0], {"percent": True}, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        ([0.61, 0.64], {"percent": True}, ["61 %", "62 %", "63 %", "64 %"]),
        ([3, 1_900], {"from_zero": True}, ["0", "500", "1,000", "1,500", "2,000"]),
        ([0.0, 0.0], {}, ["0.0", "0.2"]),
        ([], {}, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_ticks_are_round(values: list[float], options: dict[str, bool], said: list[str]) -> None:
    axis = numbers(values, "x", **options)
    assert [text for _, text in axis.ticks] == said
    assert all(axis.low <= value <= axis.high for value in values)


def test_months_are_named_with_their_year_where_it_changes() -> None:
    axis = months(ms(1997, 11, 5), ms(1998, 2, 20))
    assert [at_ms for at_ms, _ in axis.ticks] == [ms(1997, 12), ms(1998, 1), ms(1998, 2)]
    assert [said for _, said in axis.ticks] == ["Dec 1997", "Jan 1998", "Feb"]
    assert len(months(ms(1990, 1), ms(2000, 1)).ticks) <= 12
    assert months(5, 5).high > 5


def test_a_plot_can_be_read_alone() -> None:
    plot = Plot("p", f"Title {HOSTILE}", "what it shows", Axis(0, 2, ((0, "none"),), "of x"), numbers([0, 1], "of y"))
    plot.line([(0, 0), (2, 1)], "a line", 1, shape="circle")
    plot.bars([(0, 1, 0, 0.5)], "bars", 2)
    plot.marks([(1, 1)], "up", 3, "up")
    plot.marks([(1, 99)], "cross", 3, "cross")
    plot.marks([], "square", 4, "square")
    plot.ticks([1.0], "ticks", 4)
    found = ET.fromstring(plot.svg())
    texts = [text.text for text in found.iter("text")]
    assert {f"Title {HOSTILE}", "a line", "bars", "up", "cross", "square", "ticks", "of x", "of y", "none"} <= set(
        texts
    )
    assert (found.get("role"), found.get("aria-labelledby")) == ("img", "p-title p-said")
    assert (found.findtext("title"), found.findtext("desc")) == (f"Title {HOSTILE}", "what it shows")
    across = [float(point.split(",")[0]) for point in found.find("polyline").get("points").split()]  # type: ignore[union-attr]
    assert LEFT == across[0] < across[1] < WIDTH
