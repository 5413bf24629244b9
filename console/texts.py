"""What the console says, in each language: texts from `texts/*.toml`, and numbers, money and dates as people there write them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from babel.units import format_unit

from alerts.goals import Unit

FOLDER: Final = Path(__file__).parent / "texts"
LANGUAGES: Final[Mapping[str, str]] = {"en": "en", "zh": "zh_Hans_CN"}
"""Name of a language, as in the address of its texts, to the locale of its numbers and dates."""

WHOLE_FROM: Final = 100
"""Amounts from here on are shown without their decimals: nobody decides by them."""

OTHERS: Final = ("zh_hans", "zh_cn", "zh_hans_cn", "zh_sg", "zh_tw", "zh_hk", "zh_hant")


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `tag` is what HTML's `lang` says."""

    name: str
    locale: Locale
    texts: Mapping[str, str]

    @property
    def tag(self) -> str:
        """The language for HTML's `lang`."""
        return "zh-Hans" if self.name == "zh" else self.name

    def say(self, key: str, **given: Any) -> str:
        """Return a text with what is given filled in; raises KeyError for one that nobody has written."""
        return self.texts[key].format(**given)

    def word(self, kind: str, code: str) -> str:
        """Return what a code of the data is called (`word("band", "high")`); one that is not known stands as it is."""
        return self.texts.get(f"{kind}.{code}", code)

    def number(self, value: float) -> str:
        """Return a number with its separators, and two digits where it is not whole."""
        return format_decimal(round(value, 2), locale=self.locale)

    def figure(self, value: float | None) -> str:
        """Return a figure of quality with three digits; nothing where it is not defined."""
        return "" if value is None else format_decimal(round(value, 3), "0.000", locale=self.locale)

    def percent(self, share: float) -> str:
        """Return a share (0 to 1) in whole percent."""
        return format_percent(share, locale=self.locale)

    def exact(self, number: str, currency: str = "") -> str:
        """Return a number with just the decimals that it has in a text (`12.50`), in a currency where one is named."""
        value = Decimal(number.replace(",", ""))
        decimals = "." + "0" * len(number.partition(".")[2]) if "." in number else ""
        pattern = f"{'+' if number.startswith('+') else ''}#,##0{decimals}"
        if currency:
            return format_currency(value, currency, f"¤{pattern}", locale=self.locale, currency_digits=False)
        return format_decimal(value, pattern, locale=self.locale)

    def date(self, day: str) -> str:
        """Return a day that is written as in ISO 8601; one that is none stands as it is.

        >>> language("en").date("2026-03-02"), language("en").date("2026-13-45")
        ('Mar 2, 2026', '2026-13-45')
        """
        try:
            return format_date(date.fromisoformat(day), "medium", locale=self.locale)
        except ValueError:
            return day

    def measure(self, figure: float, unit: Unit) -> str:
        """Return a figure of `alerts.goals` in its unit."""
        match unit:
            case "share":
                return self.percent(figure)
            case "money":
                return self.money(figure, None)
            case "days":
                return format_unit(round(figure, 1), "duration-day", "short", locale=self.locale)
            case "milliseconds":
                return format_timedelta(round(figure / 1000), threshold=1.5, locale=self.locale)

    def money(self, amount: float, currency: str | None) -> str:
        """Return an amount, in whole units from a hundred on, with its currency where that is known."""
        whole = abs(amount) >= WHOLE_FROM
        if currency is None:
            return format_decimal(round(amount, 0 if whole else 2), locale=self.locale)
        if whole:
            return format_currency(amount, currency, "¤#,##0", locale=self.locale, currency_digits=False)
        return format_currency(amount, currency, locale=self.locale)

    def instant(self, at_ms: int) -> str:
        """Return an instant in UTC, to the minute."""
        return format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC), "medium", locale=self.locale)

    def day(self, at_ms: int) -> str:
        """Return the day of an instant, in UTC."""
        return format_date(datetime.fromtimestamp(at_ms / 1000, UTC), "medium", locale=self.locale)

    def ago(self, at_ms: int, now_ms: int) -> str:
        """Return how long ago something was, in the one unit that fits."""
        return format_timedelta((at_ms - now_ms) // 1000, add_direction=True, locale=self.locale)


@cache
def language(name: str) -> Language:
    """Return a language of `LANGUAGES`."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return Language(name, Locale.parse(LANGUAGES[name]), _flat(tomllib.load(file)))


def preferred(asked: Iterable[str]) -> str:
    """Return the first language of a browser's preferences that there is, English where there is none.

    >>> preferred(["fr-FR", "zh-TW", "en"]), preferred(["de"])
    ('zh', 'en')
    """
    wanted = [tag.replace("-", "_").lower() for tag in asked]
    found = negotiate_locale(wanted, [*LANGUAGES, *OTHERS])
    return "en" if found is None else found.partition("_")[0]


def _flat(nested: Mapping[str, Any]) -> dict[str, str]:
    return {f"{table}.{key}": text for table, texts in nested.items() for key, text in texts.items()}
