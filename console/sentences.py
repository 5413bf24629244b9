"""Sentences that the system publishes in English, told in another language: what they say is matched by its form, and said anew.

Evidence, suggestions and verdicts are text by the time they reach the console: on the alerts' topic, in the model's guide. Not all that
they say stands beside them as figures (dates, what the risk was, what would bring it down), so the figures are taken from the sentence
itself and written as the reader's locale has them. `texts/sentences.<language>.toml` holds the forms, and says how they are written.

A sentence of no known form is left alone: better English than wrong.
"""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from console.texts import FOLDER, Language, language

TEXT_MAX: Final = 4_000
"""Longer texts are nobody's sentence: they are shown as they are."""

_NUMBER: Final = r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
_KINDS: Final[Mapping[str, str]] = {
    "": _NUMBER,
    "date": r"\d{4}-\d\d-\d\d",
    "amount": rf"{_NUMBER}(?: [A-Z]{{3}})?",
    "reason": "[a-z_]+",
    "name": "[a-z0-9_]+",
}

_CHOSEN: Final = re.compile(
    r"(?P<said>.*)\. (?P<place>\w+ choice): (?P<parts>.*?)\.(?: Before it would come (?P<passed>.*)\.)?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence as it is published, and how the language says it; `kinds` is what each name in it stands for."""

    english: str
    pattern: re.Pattern[str]
    kinds: Mapping[str, str]
    said: str


class Sentences:
    """The forms of one language, by table."""

    def __init__(self, spoken: Language, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._spoken = spoken
        self.tables = {
            name: [_form(english, said, tables) for english, said in texts.items()] for name, texts in tables.items()
        }
        self._fills: Mapping[str, Callable[[str], str | None]] = {
            "date": spoken.date,
            "amount": self._amount,
            "reason": lambda code: spoken.word("reason", code),
            "name": str,
            "evidence": self.evidence,
            "moved": lambda listed: self._joined("moved", listed, "; ", "；"),
            "title": lambda title: self.one("title", title) or title,
        }

    def one(self, table: str, text: str) -> str | None:
        """Return a sentence or phrase of a table; None where it has no such form."""
        for form in self.tables[table]:
            found = form.pattern.fullmatch(text)
            if found is None:
                continue
            filled = {name: self._fill(form.kinds[name], taken) for name, taken in found.groupdict().items()}
            if None not in filled.values():
                return form.said.format(**filled)
        return None

    def evidence(self, text: str) -> str | None:
        """Return the evidence of a reason: sentences, and clauses within them."""
        told = [self._joined("evidence", clause, ". ", "。") for clause in text[:TEXT_MAX].split("; ")]
        return None if len(text) > TEXT_MAX or None in told else "；".join(filter(None, told))

    def why(self, text: str) -> Iterator[tuple[str, str | None]]:
        """Yield why an action is suggested, in pieces: how each was published, and how it is said; None where that is not known.

        What a playbook of the shop's own says stays in its words; how the choice came about is told.
        """
        found = _CHOSEN.fullmatch(text) if len(text) <= TEXT_MAX else None
        place = None if found is None else self.one("place", found["place"])
        parts = None if found is None else self._joined("choice", found["parts"], ", ", "，")
        if found is None or place is None or parts is None:
            yield text, None
            return
        passed = self._joined("passed", found["passed"], "; ", "；") if found["passed"] else ""
        said = self.one("why", found["said"])
        if passed is None:
            yield text, None
            return
        yield f"{found['said']}. ", None if said is None else f"{said}。"
        yield "", f"{place}：{parts}。" + (f"排在其前的是：{passed}。" if passed else "")

    def _joined(self, table: str, text: str, between: str, said_between: str) -> str | None:
        told = [self.one(table, part) for part in text.split(between)]
        return None if None in told else said_between.join(filter(None, told))

    def _fill(self, kind: str, taken: str) -> str | None:
        known = self._fills.get(kind)
        if known is not None:
            return known(taken)
        if kind in self.tables:
            return self.one(kind, taken)
        number = taken.split(" ", 1)[0]
        return self._spoken.exact("0" if number.lower() == "no" else number)

    def _amount(self, taken: str) -> str:
        number, _, currency = taken.partition(" ")
        return self._spoken.exact(number, currency)


def _form(english: str, said: str, tables: Mapping[str, Mapping[str, str]]) -> Form:
    pattern, kinds = "", {}
    for literal, name, kind, _ in string.Formatter().parse(english):
        text = re.escape(literal)
        if not pattern and literal[:1].isalpha():
            # Within a sentence a form begins with a small letter.
            first = literal[0]
            text = f"[{first.upper()}{first.lower()}]{re.escape(literal[1:])}"
        pattern += text
        if name is not None:
            kinds[name] = kind or ""
            pattern += f"(?P<{name}>{_taken(kind or '', tables)})"
    return Form(english, re.compile(pattern, re.ASCII | re.DOTALL), kinds, said)


def _taken(kind: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    return ".+?" if kind in tables else rf"(?:[Nn]o|{_NUMBER}) {re.escape(kind)}s?"


@cache
def sentences(name: str) -> Sentences | None:
    """Return the forms of a language; None for English, which they are published in."""
    file = FOLDER / f"sentences.{name}.toml"
    if not file.exists():
        return None
    return Sentences(language(name), tomllib.loads(file.read_text(encoding="utf-8")))
