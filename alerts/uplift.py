"""Did it help? What the trials in the ledger say: retention, spend and value, treated against held out.

    entries of the ledger -> `trials_in` -> per row (all, a segment, an action, a reason) the arms' sums by segment and month
                   -> `strata_of` -> strata in which both arms have some customers -> `assess` -> `Uplift`

Both arms are told as they were drawn, whatever the team got round to (intention to treat), so what is claimed is the effect
of *alerting*. What acting did to those with whom it was done is told beside it: the same difference, divided by the share of
the treated who were reached (Bloom, "Accounting for no-shows in experimental evaluation designs", Evaluation Review 8, 1984),
less that of those held out who were reached by mistake. It supposes that an alert nobody acts on does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from alerts.intervals import Arm, Interval, Stratum, expected_difference, mean_difference, share_difference
from alerts.ledger import Ledger
from alerts.trials import BY_REASON, DONE, NAME, SQUARE_UNIT
from alerts.uplift_verdict import ALPHA, Verdict, judge

By = Literal["segment", "action", "reason"]

BLOCK_MIN: Final = 5
"""Months of a segment are put together until each arm has so many customers: with one or two no spread can be told."""

REACHED_MIN: Final = 0.05
"""With a smaller share reached the effect on those reached is anybody's guess."""

HUNDREDTHS: Final = 100.0


@dataclass(slots=True)
class Sums:
    """What has been booked of some trials of one arm; money in hundredths, `squares` in whole units squared."""

    n: int = 0
    kept: int = 0
    spend: int = 0
    squares: int = 0
    expected: int = 0
    cost: int = 0
    reached: int = 0
    accepted: int = 0

    def add(self, name: str, amount: int, did: str) -> None:
        """Add one entry of the ledger."""
        setattr(self, name, getattr(self, name) + amount)
        if name == "n" and did != "left":
            self.reached += amount
            self.accepted += amount if did == "accepted" else 0

    def __iadd__(self, other: Sums) -> Self:
        """Add the trials of `other`."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def arm(self) -> Arm:
        """Return them as the statistics want them, in units of money."""
        return Arm(
            self.n,
            self.kept,
            self.spend / HUNDREDTHS,
            self.squares * SQUARE_UNIT / HUNDREDTHS**2,
            self.expected / HUNDREDTHS,
        )


@dataclass(slots=True)
class Pair:
    """Both arms of the same customers."""

    treated: Sums = field(default_factory=Sums)
    held: Sums = field(default_factory=Sums)

    def __iadd__(self, other: Pair) -> Self:
        """Add the trials of `other`."""
        self.treated += other.treated
        self.held += other.held
        return self


Cells = dict[tuple[str, str], Pair]
"""(segment, month of conclusion) to what was booked."""

SUMS: Final = frozenset(("n", "kept", "spend", "squares", "expected", "cost"))


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a row's trials say. Shares are 0 to 1, money is in units; an interval is None where there is nothing to compare.

    Attributes:
        treated, held: concluded trials of each arm.
        treated_kept, held_kept: share of them who stayed.
        retention: difference of the shares, within strata (so not quite that of the two above).
        spend: difference of spend a customer within the horizon.
        customers_saved, spend_saved, value_saved: over all treated: how many stayed who would not have, what was spent more within
            the horizon, and what those who stayed would spend in it going by their past.
        cost: what the team reported to have spent on the treated.
        reached, accepted: share of the treated with whom something was done, and who took it.
        held_reached: share of those held out with whom something was done all the same.
        on_reached, on_accepted: difference of retention among those; None where too few were.
        verdict: in one word, and how far it is to one.
    """

    treated: int
    held: int
    treated_kept: float
    held_kept: float
    retention: Interval | None
    spend: Interval | None
    customers_saved: Interval | None
    spend_saved: Interval | None
    value_saved: Interval | None
    cost: float
    reached: float
    accepted: float
    held_reached: float
    on_reached: Interval | None
    on_accepted: Interval | None
    verdict: Verdict


def trials_in(ledger: Ledger, by: By | None = None, months: Mapping[str, object] | None = None) -> dict[str, Cells]:
    """Return what was booked of trials, by row: `all` where `by` is None; `months`: of trials concluded in these only."""
    rows: dict[str, Cells] = {}
    for month, told_by, amount in ledger.entries(BY_REASON if by == "reason" else NAME, months):
        match told_by:
            case (arm, segment, row, did, name) if by != "reason":
                pass
            case (arm, segment, row, name) if by == "reason":
                did = "left"
            case _:
                continue
        if name not in SUMS or arm not in ("treated", "held"):
            continue
        shown = "all" if by is None else segment if by == "segment" else row
        pair = rows.setdefault(shown, {}).setdefault((segment, month), Pair())
        (pair.held if arm == "held" else pair.treated).add(name, amount, did)
    return rows


def done_in(ledger: Ledger, months: Mapping[str, object] | None = None) -> dict[str, Sums]:
    """Return, by action that the team says it took, how many treated, how many of them stayed, and the cost."""
    rows: dict[str, Sums] = {}
    for _, told_by, amount in ledger.entries(DONE, months):
        if len(told_by) == 2 and told_by[1] in SUMS:
            rows.setdefault(told_by[0], Sums()).add(told_by[1], amount, "accepted")
    return rows


def months_in(ledger: Ledger) -> dict[str, int]:
    """Return the months in which trials were concluded, ascending, with how many."""
    found: dict[str, int] = {}
    for month, told_by, amount in ledger.entries(NAME):
        if told_by[-1] == "n":
            found[month] = found.get(month, 0) + amount
    return found


def strata_of(cells: Cells) -> list[Stratum]:
    """Return strata of customers alike: a segment's consecutive months, put together until both arms have `BLOCK_MIN`.

    What is too few at the end goes to the block before it. Which months go together depends on how many there were, never on
    what became of them, so it cannot bend the result; it keeps a changed share of held-out customers from doing so.
    """
    strata: list[Stratum] = []
    for segment in sorted({segment for segment, _ in cells}):
        blocks: list[Pair] = []
        block = Pair()
        for _, month in sorted(key for key in cells if key[0] == segment):
            block += cells[segment, month]
            if min(block.treated.n, block.held.n) >= BLOCK_MIN:
                blocks.append(block)
                block = Pair()
        if blocks:
            blocks[-1] += block
        else:
            blocks.append(block)
        strata += [Stratum(found.treated.arm(), found.held.arm()) for found in blocks]
    return strata


def assess(cells: Cells, alpha: float = ALPHA) -> Uplift:
    """Return what the trials of a row say; `alpha`: the risk of a wrong verdict, ever."""
    whole = total(cells.values())
    treated, held = whole.treated, whole.held
    strata = strata_of(cells)
    retention, spend = share_difference(strata), mean_difference(strata)
    worth = expected_difference(strata)
    reached, by_mistake = _part(treated.reached, treated.n), _part(held.reached, held.n)
    accepted, taken_by_mistake = _part(treated.accepted, treated.n), _part(held.accepted, held.n)
    return Uplift(
        treated=treated.n,
        held=held.n,
        treated_kept=_part(treated.kept, treated.n),
        held_kept=_part(held.kept, held.n),
        retention=retention,
        spend=spend,
        customers_saved=retention and retention.times(treated.n),
        spend_saved=spend and spend.times(treated.n),
        value_saved=worth and worth.times(treated.n),
        cost=treated.cost / HUNDREDTHS,
        reached=reached,
        accepted=accepted,
        held_reached=by_mistake,
        on_reached=_on_some(retention, reached - by_mistake),
        on_accepted=_on_some(retention, accepted - taken_by_mistake),
        verdict=judge(strata, treated.n, held.n, alpha),
    )


def assess_rows(rows: Mapping[str, Cells]) -> dict[str, Uplift]:
    """Assess each row, sorted; the risk of a wrong verdict is shared among them, so that it holds for the table as a whole."""
    return {row: assess(cells, ALPHA / len(rows)) for row, cells in sorted(rows.items())}


def total(pairs: Iterable[Pair]) -> Pair:
    """Return the sums of all pairs."""
    whole = Pair()
    for pair in pairs:
        whole += pair
    return whole


def _part(some: int, of: int) -> float:
    return some / of if of else 0.0


def _on_some(effect: Interval | None, share: float) -> Interval | None:
    if effect is None or share < REACHED_MIN:
        return None
    return Interval(*(min(max(bound / share, -1.0), 1.0) for bound in effect))
