"""How a customer is written: what says nothing is left out, and the words that come up everywhere are numbers.

`record.Line` is the whole. Fields at the end of an array that have their default are not
written; a number that is 0 is written as the integer, which takes one byte of nine. A word that is not in `WORDS` (a team's own action,
a segment of the business) is written out. So the list need not grow, and must not change: that would be another schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec

from alerts.bands import BANDS
from alerts.episode import SEQ_MAX, Basis, Episode
from alerts.trials import Did, Trial
from streams.bounds import Count, Day, Finite, InstantMs

WORDS: Final = (
    *("", "new", "loyal", "high_value", "standard"),
    *("engagement", "price", "service", "product", "competition"),
    *("none", "other", "dedicated_service", "care_call", "complaint_follow_up", "onboarding", "personal_offer"),
    *("loyalty_points", "satisfaction_survey", "win_back"),
    *("acknowledged", "contacted", "accepted", "declined", "false_alarm", "snoozed"),
)
"""Segments, reasons, actions, outcomes. Never to be changed: see above."""

_NUMBER: Final[dict[str, int]] = {word: number for number, word in enumerate(WORDS)}
_DID: Final[tuple[Did, ...]] = ("left", "contacted", "declined", "accepted")
_BASES: Final[tuple[Basis | Literal[""], ...]] = ("", "model", "rule", "")
_BAND: Final = {band: number << 3 for number, band in enumerate(BANDS)}
_BASIS: Final = {basis: number << 5 for number, basis in enumerate(_BASES[:3])}

Word = Annotated[int, msgspec.Meta(ge=0, lt=len(WORDS))] | str


class EpisodeLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An `Episode`; what it has in common with the customer is None. `state`: open, held out, lost; 2 bits of band, 2 of basis."""

    life_day: Day | None = None
    risk: Finite | None = None
    seen_ms: InstantMs | None = None
    state: Annotated[int, msgspec.Meta(ge=0, le=127)] = 0
    segment: Word = 0
    mark: Finite = 0.0
    shift: Finite = 0.0
    shift_since_ms: InstantMs = 0
    number: Count = 0
    seq: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] = 0
    opened_ms: InstantMs = 0
    closed_ms: InstantMs = 0
    threshold: Finite = 0.0
    peak_risk: Finite = 0.0
    value: Finite = 0.0
    quiet_until_ms: InstantMs = 0
    reason: Word = 0
    snoozed_until_ms: InstantMs = 0
    outcome: Word = 0
    outcome_ms: InstantMs = 0
    action: Word = 0
    remind_ms: InstantMs = 0
    reminders: Count = 0


class TrialLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A `Trial`. `state`: held out, concluded; 2 bits of what was done."""

    number: Count
    opened_ms: InstantMs
    until_day: Day
    state: Annotated[int, msgspec.Meta(ge=0, le=15)]
    segment: Word
    reason: Word
    action: Word
    expected: Count
    taken: Word = 0
    cost: Count = 0


def text_of(word: int | str) -> str:
    """Return the word that `word` wrote."""
    return word if isinstance(word, str) else WORDS[word]


def episode_line(episode: Episode, day: int, risk: float, last_ms: int | None) -> tuple[Any, ...]:
    """Return the fields of an `EpisodeLine`, without those at the end that are as in one that has never begun.

    `day`, `risk` and `last_ms` are the customer's day of the first record, risk and last order: the episode has mostly the same.
    """
    looked = (
        None if episode.life_day == day else episode.life_day,
        None if episode.risk == risk else episode.risk,
        None if episode.seen_ms == last_ms else episode.seen_ms,
        episode.open | episode.holdout << 1 | episode.lost << 2 | _BAND[episode.band] | _BASIS[episode.basis],
        _NUMBER.get(episode.segment, episode.segment),
        episode.mark or 0,
        episode.shift or 0,
        episode.shift_since_ms,
    )
    if _is_reported(episode):
        return looked + _begun(episode) + _reported(episode)
    return looked + _begun(episode) if _has_begun(episode) else looked


def _has_begun(episode: Episode) -> bool:
    return bool(
        episode.number
        or episode.opened_ms
        or episode.closed_ms
        or episode.quiet_until_ms
        or episode.seq
        or episode.threshold
        or episode.peak_risk
        or episode.value
        or episode.reason
    )


def _begun(episode: Episode) -> tuple[Any, ...]:
    return (
        episode.number,
        episode.seq,
        episode.opened_ms,
        episode.closed_ms,
        episode.threshold or 0,
        episode.peak_risk or 0,
        episode.value or 0,
        episode.quiet_until_ms,
        _NUMBER.get(episode.reason, episode.reason),
    )


def _is_reported(episode: Episode) -> bool:
    return bool(
        episode.remind_ms
        or episode.outcome_ms
        or episode.outcome
        or episode.snoozed_until_ms
        or episode.reminders
        or episode.action
    )


def _reported(episode: Episode) -> tuple[Any, ...]:
    return (
        episode.snoozed_until_ms,
        _NUMBER.get(episode.outcome, episode.outcome),
        episode.outcome_ms,
        _NUMBER.get(episode.action, episode.action),
        episode.remind_ms,
        episode.reminders,
    )


def episode_of(line: EpisodeLine, day: int, risk: float, last_ms: int) -> Episode:
    """Return the episode of a line; the others are as for `episode_line`."""
    state = line.state
    return Episode(
        day if line.life_day is None else line.life_day,
        line.number,
        bool(state & 1),
        line.seq,
        line.opened_ms,
        line.closed_ms,
        BANDS[state >> 3 & 3],
        line.threshold,
        risk if line.risk is None else line.risk,
        line.peak_risk,
        line.mark,
        line.shift,
        line.shift_since_ms,
        last_ms if line.seen_ms is None else line.seen_ms,
        _BASES[state >> 5],
        text_of(line.segment),
        line.value,
        bool(state & 2),
        bool(state & 4),
        line.quiet_until_ms,
        line.snoozed_until_ms,
        text_of(line.outcome),
        line.outcome_ms,
        text_of(line.action),
        text_of(line.reason),
        line.remind_ms,
        line.reminders,
    )


def trial_line(trial: Trial) -> tuple[Any, ...]:
    """Return the fields of a `TrialLine`."""
    line = (
        trial.number,
        trial.opened_ms,
        trial.until_day,
        trial.held | trial.concluded << 1 | _DID.index(trial.did) << 2,
        _NUMBER.get(trial.segment, trial.segment),
        _NUMBER.get(trial.reason, trial.reason),
        _NUMBER.get(trial.action, trial.action),
        trial.expected,
        _NUMBER.get(trial.taken, trial.taken),
        trial.cost,
    )
    return line if any(line[8:]) else line[:8]


def trial_of(line: TrialLine) -> Trial:
    """Return the trial of a line."""
    return Trial(
        number=line.number,
        opened_ms=line.opened_ms,
        until_day=line.until_day,
        held=bool(line.state & 1),
        segment=text_of(line.segment),
        reason=text_of(line.reason),
        action=text_of(line.action),
        expected=line.expected,
        did=_DID[line.state >> 2],
        taken=text_of(line.taken),
        cost=line.cost,
        concluded=bool(line.state & 2),
    )


def suggested_line(suggested: Mapping[str, int]) -> dict[int, list[int | str]]:
    """Return what was suggested by when it was, ascending: a customer's suggestions come several at once."""
    line: dict[int, list[int | str]] = {}
    for at_ms, code in sorted((at_ms, code) for code, at_ms in suggested.items()):
        line.setdefault(at_ms, []).append(_NUMBER.get(code, code))
    return line


def suggested_of(line: Mapping[int, Sequence[int | str]]) -> dict[str, int]:
    """Return what was suggested, each with when."""
    return {text_of(code): at_ms for at_ms, codes in line.items() for code in codes}
