"""What pages show of the system's own sentences: in the reader's language, or in the published words, marked as such for screen readers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

from console.sentences import Sentences, sentences
from console.texts import Language

KEPT_MAX: Final = 8_192
"""Sentences remembered: the same evidence is shown again and again, and looking for its form takes a fifth of a millisecond."""

ENGLISH: Final = "en"
UNKNOWN: Final = ""
"""HTML's word for text of a language that nobody has stated: a playbook of the shop's own."""


class Retold:
    """How one language tells what was published. All text is escaped."""

    def __init__(self, spoken: Language) -> None:
        self._name = spoken.name

    def evidence(self, text: str) -> Markup:
        """The evidence of a reason, or what would bring a risk down."""
        return _evidence(self._name, text)

    def title(self, text: str) -> Markup:
        """The name of an action."""
        return _one(self._name, "title", text, UNKNOWN)

    def why(self, text: str) -> Markup:
        """Why an action is suggested."""
        return _why(self._name, text)

    def sentence(self, table: str, text: str) -> Markup:
        """A sentence of a table: `verdict`, `drift` or `worth`."""
        return _one(self._name, table, text, ENGLISH)


@lru_cache(KEPT_MAX)
def _evidence(name: str, text: str) -> Markup:
    known = sentences(name)
    return escape(text) if known is None else _shown(text, known.evidence(text), ENGLISH)


@lru_cache(KEPT_MAX)
def _one(name: str, table: str, text: str, otherwise: str) -> Markup:
    known = sentences(name)
    return escape(text) if known is None else _shown(text, known.one(table, text), otherwise)


@lru_cache(KEPT_MAX)
def _why(name: str, text: str) -> Markup:
    known: Sentences | None = sentences(name)
    if known is None:
        return escape(text)
    return Markup("").join(_shown(published, said, UNKNOWN) for published, said in known.why(text))


def _shown(published: str, said: str | None, otherwise: str) -> Markup:
    return Markup('<span lang="{}">{}</span>').format(otherwise, published) if said is None else escape(said)
