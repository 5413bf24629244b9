"""The trial behind "did it help?": a customer at risk, treated or held out by lot, and what became of them.

    alert opens       first day                                  until_day
      |---------------|------------------ horizon ---------------|
                       orders on these days: kept? spent how much?   -> booked, in the arm that the lot gave

1. A trial begins with the alert that opens a customer's episode. The arm is the lot's (`episode.held_out`) and stays so,
   whatever is done: a false alarm, a customer who may not be contacted or whom nobody got round to still counts as treated.
   Anything else would compare those whom the team chose with those whom nobody chose (intention to treat).
2. A customer enters once, and again only when `AGAIN_MS` have passed. Whoever is saved by an action is warned about again more
   often than their likes who were held out, for those have left; in second trials the treated would be the frailer ones, and
   a helpful action would look harmful (the built-in selection of repeated periods: Hernán, "The hazards of hazard ratios",
   Epidemiology 21, 2010).
3. Whole UTC days are counted, from the midnight at or after the opening on, for both arms alike.
4. It is concluded when its last day has passed, and booked as whole numbers that add up over partitions (`book`): the
   ledger holds no customer. Orders that come later than that change nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, Protocol

import msgspec

from alerts.episode import Episode, alert_id
from alerts.rewards import book_reward
from streams.bounds import Count, Day, InstantMs
from streams.events import Outcome
from streams.time import DAY_MS

NAME: Final = "trial"
BY_REASON: Final = "trial_reason"
DONE: Final = "trial_done"
"""Names of entries in the ledger: `trial|arm|segment|action|did|sum`, `trial_reason|arm|segment|reason|sum`,
`trial_done|action|sum` (by what was done, not by what was suggested)."""

AGAIN_MS: Final = 365 * DAY_MS

AMOUNT_MAX: Final = 10**9
"""In hundredths: ten million a customer. What is above counts as that, so that the squares of 46,000 such fit a ledger's entry."""

SQUARE_UNIT: Final = 10_000
"""Squares of amounts are booked in whole units of money squared, not in hundredths squared."""

ALERTS_KNOWN: Final = 12
EPISODES_KNOWN: Final = 8
"""Outcomes are known by the ids of so many alerts of each of so many episodes."""

NO_ACTION: Final = "none"
OTHER_ACTION: Final = "other"
"""For what the playbook does not know: a team may write anything there, and a ledger without customers is no place for it."""

Did = Literal["left", "contacted", "declined", "accepted"]
RANK: Final[dict[str, int]] = {"left": 0, "contacted": 1, "declined": 2, "accepted": 3}


class Trial(msgspec.Struct, array_like=True, gc=False):
    """A customer's trial; mutable, kept with the customer's state (some 60 bytes).

    Attributes:
        number: of the episode that opened.
        opened_ms: when.
        until_day: UTC day after the last one that counts.
        held: whether the customer is held out of treatment.
        segment: at the opening.
        reason: code of the first reason given then.
        action: code of the first action suggested then, or that would have been to one held out; `none` where there is none.
        expected: what the customer would spend within the horizon, if staying; hundredths.
        did: the most that the team has reported: nothing (`left`), contacted, declined, accepted.
        taken: code of the action that it named.
        cost: sum of what it reported to have spent; hundredths.
        concluded: whether it has been booked; kept for a year, so that the customer does not enter again.
    """

    number: Count
    opened_ms: InstantMs
    until_day: Day
    held: bool
    segment: str
    reason: str
    action: str
    expected: Count
    did: Did = "left"
    taken: str = ""
    cost: Count = 0
    concluded: bool = False

    @property
    def first_day(self) -> int:
        """The first UTC day that counts."""
        return first_day(self.opened_ms)

    @property
    def ends_ms(self) -> int:
        """When it can be concluded: the midnight after its last day."""
        return self.until_day * DAY_MS


class Book(Protocol):
    """Where sums are booked (`counts.StatsBuilder`)."""

    def book(self, day: int, *key: str, amount: int = 1) -> None:
        """Add an amount to the entry of a key on a UTC day."""


def first_day(opened_ms: int) -> int:
    """Return the UTC day that begins at or after an instant.

    >>> first_day(3 * DAY_MS), first_day(3 * DAY_MS + 1)
    (3, 4)
    """
    return -(-opened_ms // DAY_MS)


def hundredths(amount: float) -> int:
    """Return money in hundredths, as far as `AMOUNT_MAX`.

    >>> hundredths(12.34), hundredths(1e12)
    (1234, 1000000000)
    """
    return min(int(max(amount, 0.0) * 100 + 0.5), AMOUNT_MAX)


def may_begin(known: Trial | None, at_ms: int) -> bool:
    """Tell whether a customer whose last trial this is enters (again)."""
    return known is None or (known.concluded and at_ms >= known.opened_ms + AGAIN_MS)


def note_outcome(trial: Trial, outcome: Outcome, episode: Episode, codes: Collection[str]) -> None:
    """Note what the team has reported, if it was done within the trial.

    Args:
        trial: the customer's; changed in place.
        outcome: about an alert of this customer.
        episode: the customer's present one: alerts of later episodes than the trial's first count as well, for it is the
            customer who is treated.
        codes: the actions that the playbook knows.
    """
    did = outcome.status if outcome.status in ("contacted", "declined", "accepted") else None
    if trial.concluded or not (did or outcome.cost) or not trial.opened_ms <= outcome.occurred_at < trial.ends_ms:
        return
    if not _is_about(trial, outcome, episode):
        return
    trial.cost = min(trial.cost + hundredths(outcome.cost or 0.0), AMOUNT_MAX)
    if did and RANK[did] >= RANK[trial.did]:
        trial.did = did
        if outcome.action:
            trial.taken = outcome.action if outcome.action in codes else OTHER_ACTION


def _is_about(trial: Trial, outcome: Outcome, episode: Episode) -> bool:
    first, last = trial.number, min(episode.number, trial.number + EPISODES_KNOWN - 1)
    return any(
        outcome.alert_id == alert_id(outcome.customer_id, episode.life_day, number, seq + 1)
        for number in range(first, last + 1)
        for seq in range(ALERTS_KNOWN)
    )


def conclude(trial: Trial, *, kept: bool, spent: int, book: Book) -> None:
    """Book a trial whose time is up, on its `until_day`, and mark it so.

    Args:
        trial: changed in place.
        kept: whether the customer gave a sign of staying within it, and did not cancel after that.
        spent: what was ordered for within it; hundredths.
        book: where the sums go.
    """
    trial.concluded = True
    arm = "held" if trial.held else "treated"
    spent = min(spent, AMOUNT_MAX)
    sums = {
        "n": 1,
        "kept": int(kept),
        "spend": spent,
        "squares": spent * spent // SQUARE_UNIT,
        "expected": trial.expected,
        "cost": trial.cost,
    }
    if not trial.held and trial.did != "left":
        book_reward(book, trial.until_day, trial.segment, trial.reason, trial.taken or trial.action, kept=kept)
    keys = [(NAME, arm, trial.segment, trial.action, trial.did), (BY_REASON, arm, trial.segment, trial.reason)]
    if trial.taken and not trial.held:
        keys.append((DONE, trial.taken))
    for key in keys:
        for name, amount in sums.items():
            if amount and (key[0] != DONE or name in ("n", "kept", "cost")):
                book.book(trial.until_day, *key, name, amount=amount)
