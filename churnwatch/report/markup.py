"""HTML and SVG from nested calls. Text is escaped unless it is markup already, so no customer's id can become part of the page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

VOID: Final = frozenset({"meta", "br", "hr"})


class Markup(str):
    """Text that is markup: `tag` takes it as it is."""

    __slots__ = ()


Child = str | Markup | Iterable["Child"] | None


def text(child: Child) -> str:
    """Return a child as markup: escaped, unless it is `Markup`; the parts of an iterable one after the other."""
    if child is None:
        return ""
    if isinstance(child, Markup):
        return str(child)
    if isinstance(child, str):
        return escape(child)
    return "".join(map(text, child))


def tag(element: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """Return an element. Attributes are escaped; `_` stands for `-`, a trailing one is dropped, None leaves the attribute out.

    >>> tag("p", "a < b", class_="x")
    '<p class="x">a &lt; b</p>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in VOID:
        return Markup(f"<{element}{said}>")
    return Markup(f"<{element}{said}>{text(children)}</{element}>")


def _written(value: str | float) -> str:
    # A tenth of a unit of the drawing is finer than any printer, and keeps the page small.
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]], caption: str) -> Markup:
    """Return a table; every first cell names its row."""
    body = [
        tag("tr", [tag("th", cell, scope="row") if not place else tag("td", cell) for place, cell in enumerate(row)])
        for row in rows
    ]
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", [tag("th", cell, scope="col") for cell in head])),
        tag("tbody", body),
    )
