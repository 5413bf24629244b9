"""A shop's customers who leave for causes that are known here, and hidden from whoever reads their events.

    traits       rhythm of orders and visits, basket, discounts, language, how readily one writes
    background   tickets, returns, reviews and surveys that befall anybody, good and bad
    leaving      from its onset on a cause weakens orders and visits, each cause in its own way, and shows signs:
                 not one of them is certain, most are shared with customers who stay, and what is written is any wording
    decoys       customers who show a cause's signs and stay; leavers who show another cause's as well; holidays

Same arguments, same events. Nothing of the truth is in the events, and none of the wording was taken from the product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from streams.time import DAY_MS, parse_instant
from studies.phrases import COMPLAINTS, LANGUAGES, MIDDLING, PRAISE

START_MS: Final = parse_instant("2023-01-02T00:00:00Z")
CAUSES: Final = ("engagement", "price", "service", "product", "competition")
LEAVING_SHARE: Final = 0.6
DECOY_SHARE: Final = 0.15
"""Of those who stay: show a cause's signs all the same. Of those who leave: have shown one long before they did."""
STRAY_SHARE: Final = 0.08
"""Of those who leave: show another cause's signs as well, half as often each."""
HOLIDAY_SHARE: Final = 0.2
PLAIN_CATEGORIES: Final = ("delivery",) * 7 + ("product",) * 3 + ("billing",) * 3 + (
    "service", "service", "account", "account", "return", "return", "other",
)  # fmt: skip
THEMES: Final = ("price", "service", "product", "product", "delivery", "other")


@dataclass(frozen=True, slots=True)
class Truth:
    """Why a customer leaves (`cause`), from when on it works, and after when there is no order; days since the start."""

    cause: str
    onset_day: float
    last_day: float


@dataclass(slots=True)
class Population:
    """Events as the lines of an event file hold them, in the order of their times; and the truth about those who leave."""

    events: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, Truth] = field(default_factory=dict)


def populate(seed: int, customers: int = 400, days: int = 400) -> Population:
    """Draw a population.

    >>> few = populate(1, customers=20, days=200)
    >>> sorted(few.left) == sorted(populate(1, customers=20, days=200).left), len(few.events) > 100
    (True, True)
    """
    random, found = Random(f"population {seed}"), Population()  # noqa: S311 - a population, no secret
    dated: list[tuple[int, dict[str, Any]]] = []
    for number in range(customers):
        name = f"c{number:05d}"
        life = Life(random, name, days)
        if life.truth is not None:
            found.left[name] = life.truth
        dated += life.live()
    dated.sort(key=lambda event: event[0])
    found.events = [
        {"event_id": f"e{place:07d}", "occurred_at": START_MS + at_ms} | fields
        for place, (at_ms, fields) in enumerate(dated)
    ]
    return found


class Life:
    """One customer: traits drawn at once, events when it is `live`d."""

    def __init__(self, random: Random, name: str, days: int) -> None:
        self._random, self._name, self._days = random, name, days
        self._numbers = 0
        self._events: list[tuple[int, dict[str, Any]]] = []
        self._first = random.uniform(0, 0.5) * days
        self._gap = min(max(random.lognormvariate(2.4, 0.4), 4.0), 28.0)
        self._visits = random.uniform(1.2, 3.0)
        self._basket = random.lognormvariate(3.8, 0.5)
        self._discount = random.uniform(0.08, 0.22) if random.random() < 0.5 else 0.0
        self._language = random.choice(LANGUAGES)
        self._writes = random.uniform(0.3, 1.7)
        self.truth = self._leave() if random.random() < LEAVING_SHARE else None
        self._decoy: Truth | None = None
        before = days if self.truth is None else self.truth.onset_day - 60
        if random.random() < DECOY_SHARE and before > self._first + 60:
            onset = random.uniform(self._first + 30, before)
            self._decoy = Truth(random.choice(CAUSES[1:]), onset, onset + random.uniform(20, 45))
        self._away = 0.0, 0.0
        if random.random() < HOLIDAY_SHARE:
            begins = random.uniform(self._first, days)
            self._away = begins, begins + random.uniform(20, 40)

    def live(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the customer's events, each with its milliseconds since the start, in no order."""
        self._orders()
        self._logins()
        self._surveys()
        if self.truth is not None:
            self._show(self.truth, 1.0)
            if self._random.random() < STRAY_SHARE:
                other = self._random.choice([cause for cause in CAUSES[1:] if cause != self.truth.cause])
                self._show(Truth(other, self.truth.onset_day - 20, self.truth.last_day), 0.5)
            self._say_goodbye(self.truth)
        if self._decoy is not None:
            self._show(self._decoy, 1.0)
        return self._events

    def _leave(self) -> Truth | None:
        random = self._random
        onset = random.uniform(self._first + 50, self._days + 60)
        return Truth(random.choice(CAUSES), onset, onset + random.uniform(20, 50)) if onset < self._days else None

    # -- how much there is of everything -------------------------------------------------------------------------------

    def _faded(self, day: float) -> float:
        """How far the customer is on the way out: 0 before the onset, 1 at the last day."""
        truth = self.truth
        if truth is None or day <= truth.onset_day:
            return 0.0
        return min((day - truth.onset_day) / (truth.last_day - truth.onset_day), 1.0)

    def _order_pace(self, day: float) -> float:
        if self._away[0] < day < self._away[1]:
            return 0.15
        faded = self._faded(day)
        if self.truth is None or not faded:
            return 1.0
        if self.truth.cause == "competition":
            return 0.4
        return 1.0 - (0.65 if self.truth.cause == "engagement" else 0.4) * faded

    def _visit_pace(self, day: float) -> float:
        if self._away[0] < day < self._away[1]:
            return 0.3
        faded = self._faded(day)
        if self.truth is None or not faded:
            return 1.0
        return 1.0 - {"engagement": 0.75, "competition": 0.15}.get(self.truth.cause, 0.5) * faded

    def _price_felt(self, day: float) -> bool:
        for one in (self.truth, self._decoy):
            if one is not None and one.cause == "price" and one.onset_day < day:
                return day < one.last_day or one is self.truth
        return False

    # -- what there is -------------------------------------------------------------------------------------------------

    def _orders(self) -> None:
        random, day = self._random, self._first
        end = self._days if self.truth is None else self.truth.last_day
        loses_discounts, shrinks = random.random() < 0.9, random.random() < 0.75
        while day < end:
            felt = self._price_felt(day)
            amount = self._basket * random.lognormvariate(0, 0.35) * (0.65 if felt and shrinks else 1.0)
            share = self._discount if random.random() < 0.7 and not (felt and loses_discounts) else 0.0
            order = self._number()
            self._add(
                day, "orders", order_id=order, amount=round(amount * (1 - share), 2), currency="EUR",
                items=float(random.randint(1, 4)), discount=round(amount * share, 2),
            )  # fmt: skip
            self._aftermath(day, order, amount)
            day += random.gammavariate(2, self._gap / 2) / self._order_pace(day)

    def _aftermath(self, day: float, order: str, amount: float) -> None:
        """What befalls anybody after an order."""
        random = self._random
        if random.random() < 0.015:
            self._return(day + random.uniform(2, 10), order, amount)
        if random.random() < 0.02:
            self._ticket(day + random.uniform(0.1, 6), random.choice(PLAIN_CATEGORIES), random.expovariate(0.8), 4.2)
        if random.random() < 0.12 * self._writes:
            rating = random.choices((5, 4, 3, 2, 1), (52, 32, 10, 4, 2))[0]
            themes = [random.choice(THEMES)] if random.random() < 0.5 else None
            text = None
            if random.random() < 0.4:
                said = PRAISE if rating > 3 else MIDDLING if rating == 3 else COMPLAINTS[random.choice(CAUSES[1:])]
                text = random.choice(said[self._language])
            self._review(day + random.uniform(1, 12), rating, themes, text)

    def _logins(self) -> None:
        random, day = self._random, self._first
        end = float(self._days)
        if self.truth is not None:
            end = self.truth.last_day + random.uniform(*((5, 30) if self.truth.cause == "competition" else (0, 15)))
        while day < end:
            day += random.expovariate(self._visits / self._gap) / self._visit_pace(day)
            if day < end:
                seconds = float(int(random.lognormvariate(5.3, 0.6) * (1 - 0.4 * self._faded(day))))
                self._add(day, "logins", channel=random.choice(("web", "app")), session_seconds=seconds)

    def _surveys(self) -> None:
        random, day = self._random, self._first
        end = self._days if self.truth is None else self.truth.last_day
        while (day := day + random.uniform(60, 120)) < end:
            if random.random() < 0.2 * self._writes:
                points = random.gauss(7.8, 1.5) - 2.5 * self._faded(day)
                self._add(day, "reviews", kind="survey", nps=float(min(max(round(points), 0), 10)))

    # -- signs of a cause ----------------------------------------------------------------------------------------------

    def _show(self, why: Truth, much: float) -> None:
        """Show the signs of a cause, as it strikes or soon after, each `much` as likely as when it is the cause."""
        random = self._random

        def chance(p: float) -> bool:
            return random.random() < p * much

        def some_day() -> float:
            return why.onset_day + random.uniform(-0.4, 0.15) * (why.last_day - why.onset_day)

        if why.cause == "price":
            if chance(0.65):
                self._ticket(some_day(), "billing", random.expovariate(0.6), 3.4)
            if chance(0.7):
                self._complain(some_day(), "price", (2, 3))
        elif why.cause == "service":
            self._show_service(chance, some_day)
        elif why.cause == "product":
            self._show_product(chance, some_day)
        elif why.cause == "competition":
            if chance(0.8):
                self._complain(some_day(), "other", (2, 3), of="competition")
            if chance(0.6):
                self._ticket(some_day(), "cancellation", random.expovariate(0.6), 3.6)

    def _show_service(self, chance: Callable[[float], bool], some_day: Callable[[], float]) -> None:
        random = self._random
        for _ in range(random.choice((1, 1, 2, 3))):
            if chance(0.9):
                category = random.choice(("delivery", "service", "service", "account", "other"))
                self._ticket(some_day(), category, random.choice((2.0, 6.0, 10.0, 14.0, 90.0)), 1.9)
        if chance(0.5):
            self._complain(some_day(), random.choice(("service", "delivery")), (1, 2, 3))

    def _show_product(self, chance: Callable[[float], bool], some_day: Callable[[], float]) -> None:
        random = self._random
        for _ in range(random.choice((1, 1, 2))):
            if chance(0.7):
                self._return(some_day(), self._number(), self._basket)
        if chance(0.75):
            self._complain(some_day(), "product", (1, 2))
        if chance(0.5):
            self._ticket(some_day(), random.choice(("product", "return")), random.expovariate(0.6), 3.4)

    def _say_goodbye(self, truth: Truth) -> None:
        """One in ten says so, and half of those why."""
        random = self._random
        if random.random() < 0.1:
            known = truth.cause if truth.cause != "engagement" and random.random() < 0.5 else "other"
            self._add(truth.last_day + random.uniform(10, 40), "cancellations", reason=known)

    def _complain(self, day: float, theme: str, ratings: tuple[int, ...], of: str | None = None) -> None:
        """A poor review: with its theme ticked, or in words, or both, or neither."""
        random = self._random
        said = COMPLAINTS[of or ("service" if theme == "delivery" else theme)][self._language]
        # There is no topic to tick for a competitor: who means one writes.
        text = random.choice(said) if random.random() < (1.0 if of else 0.7) * self._writes else None
        ticked = random.random() < 0.65
        self._review(day, random.choice(ratings), [theme] if ticked else None, text)

    # -- events --------------------------------------------------------------------------------------------------------

    def _ticket(self, day: float, category: str, took_days: float, satisfaction: float) -> None:
        random, ticket = self._random, self._number()
        severity = random.choice(("low", "normal", "normal", "high"))
        self._add(day, "tickets", ticket_id=ticket, status="opened", category=category, severity=severity)
        if random.random() < 0.93 and took_days < 60:
            stars = float(min(max(round(random.gauss(satisfaction, 0.8)), 1), 5)) if random.random() < 0.5 else None
            self._add(day + took_days, "tickets", ticket_id=ticket, status="resolved", satisfaction=stars)

    def _return(self, day: float, order: str, amount: float) -> None:
        self._add(day, "orders", order_id=order, amount=round(amount, 2), status="returned")

    def _review(self, day: float, rating: int, themes: list[str] | None, text: str | None) -> None:
        self._add(day, "reviews", rating=float(rating), topics=themes, text=text)

    def _number(self) -> str:
        self._numbers += 1
        return f"{self._name}-{self._numbers}"

    def _add(self, day: float, stream: str, **fields: Any) -> None:
        if 0 <= day < self._days:
            self._events.append((int(day * DAY_MS), {"stream": stream, "customer_id": self._name} | fields))
