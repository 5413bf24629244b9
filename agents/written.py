"""How a customer is written: what says nothing is left out, and the words that come up everywhere are numbers.

`record.Line` is the whole. Fields at the end of an array that have their default are not
written; a number that is 0 is written as the integer, which takes one byte of nine;
instants, where they can be, in seconds. A word that is not in `WORDS` (a team's own action,
a segment of the business) is written out. So the list need not grow, and must not change: that would be another schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, cast, get_args

import msgspec

from alerts.bands import BANDS
from alerts.episode import SEQ_MAX, Basis, Episode
from alerts.trials import Did, Trial
from models.album import Album, Heads, VectorSize
from models.labels import Reach, Touch
from streams.bounds import Count, Day, Finite
from streams.time import INSTANT_MAX_MS

WORDS: Final = (
    *("", "new", "loyal", "high_value", "standard"),
    *("engagement", "price", "service", "product", "competition"),
    *("none", "other", "dedicated_service", "care_call", "complaint_follow_up", "onboarding", "personal_offer"),
    *("loyalty_points", "satisfaction_survey", "win_back"),
    *("acknowledged", "contacted", "accepted", "declined", "false_alarm", "snoozed"),
)
"""Segments, reasons, actions, outcomes. Never to be changed: see above."""

SECOND_MS: Final = 1_000

_NUMBER: Final[dict[str, int]] = {word: number for number, word in enumerate(WORDS)}
_DID: Final[tuple[Did, ...]] = ("left", "contacted", "declined", "accepted")
_BASES: Final[tuple[Basis | Literal[""], ...]] = ("", "model", "rule", "")
_BAND: Final = {band: number << 3 for number, band in enumerate(BANDS)}
_BASIS: Final = {basis: number << 5 for number, basis in enumerate(_BASES[:3])}

Instant = Annotated[int, msgspec.Meta(ge=-INSTANT_MAX_MS - 1, le=INSTANT_MAX_MS // SECOND_MS)]
"""Whole seconds, which take four bytes less; or, below zero, -1 less the milliseconds."""

Word = Annotated[int, msgspec.Meta(ge=0, lt=len(WORDS))] | str


class EpisodeLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An `Episode`; what it has in common with the customer is None. `state`: open, held out, lost; 2 bits of band, 2 of basis."""

    life_day: Day | None = None
    risk: Finite | None = None
    seen_ms: Instant | None = None
    state: Annotated[int, msgspec.Meta(ge=0, le=127)] = 0
    segment: Word = 0
    mark: Finite = 0.0
    shift: Finite = 0.0
    shift_since_ms: Instant = 0
    number: Count = 0
    seq: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] = 0
    opened_ms: Instant = 0
    closed_ms: Instant = 0
    threshold: Finite = 0.0
    peak_risk: Finite = 0.0
    value: Finite = 0.0
    quiet_until_ms: Instant = 0
    reason: Word = 0
    snoozed_until_ms: Instant = 0
    outcome: Word = 0
    outcome_ms: Instant = 0
    action: Word = 0
    remind_ms: Instant = 0
    reminders: Count = 0


class TrialLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A `Trial`. `state`: held out, concluded; 2 bits of what was done."""

    number: Count
    opened_ms: Instant
    until_day: Day
    state: Annotated[int, msgspec.Meta(ge=0, le=15)]
    segment: Word
    reason: Word
    action: Word
    expected: Count
    taken: Word = 0
    cost: Count = 0


class AlbumLine(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An `Album`."""

    size: VectorSize
    heads: Heads
    rows: bytes
    segments: list[Word]


def instant(at_ms: int) -> int:
    """Return how an instant is written.

    >>> instant(867_715_200_000), instant(5)
    (867715200, -6)
    """
    return -1 - at_ms if at_ms % SECOND_MS else at_ms // SECOND_MS


def ms_of(instant: int) -> int:
    """Return the milliseconds of an instant as written."""
    return instant * SECOND_MS if instant >= 0 else -1 - instant


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
        None if episode.seen_ms == last_ms else instant(episode.seen_ms),
        episode.open | episode.holdout << 1 | episode.lost << 2 | _BAND[episode.band] | _BASIS[episode.basis],
        _NUMBER.get(episode.segment, episode.segment),
        episode.mark or 0,
        episode.shift or 0,
        instant(episode.shift_since_ms),
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
        instant(episode.opened_ms),
        instant(episode.closed_ms),
        episode.threshold or 0,
        episode.peak_risk or 0,
        episode.value or 0,
        instant(episode.quiet_until_ms),
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
        instant(episode.snoozed_until_ms),
        _NUMBER.get(episode.outcome, episode.outcome),
        instant(episode.outcome_ms),
        _NUMBER.get(episode.action, episode.action),
        instant(episode.remind_ms),
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
        ms_of(line.opened_ms),
        ms_of(line.closed_ms),
        BANDS[state >> 3 & 3],
        line.threshold,
        risk if line.risk is None else line.risk,
        line.peak_risk,
        line.mark,
        line.shift,
        ms_of(line.shift_since_ms),
        last_ms if line.seen_ms is None else ms_of(line.seen_ms),
        _BASES[state >> 5],
        text_of(line.segment),
        line.value,
        bool(state & 2),
        bool(state & 4),
        ms_of(line.quiet_until_ms),
        ms_of(line.snoozed_until_ms),
        text_of(line.outcome),
        ms_of(line.outcome_ms),
        text_of(line.action),
        text_of(line.reason),
        ms_of(line.remind_ms),
        line.reminders,
    )


def trial_line(trial: Trial) -> tuple[Any, ...]:
    """Return the fields of a `TrialLine`."""
    line = (
        trial.number,
        instant(trial.opened_ms),
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
        opened_ms=ms_of(line.opened_ms),
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
        line.setdefault(instant(at_ms), []).append(_NUMBER.get(code, code))
    return line


def suggested_of(line: Mapping[int, Sequence[int | str]]) -> dict[str, int]:
    """Return what was suggested, each with when."""
    return {text_of(code): ms_of(at) for at, codes in line.items() for code in codes}


def touches_line(touches: Sequence[Touch], since_ms: int) -> list[int]:
    """Return instants and reaches in turn, of those that may yet reach a snapshot: which waits, or is taken from `since_ms` on."""
    return [part for one in touches if one.at_ms >= since_ms for part in (instant(one.at_ms), one.reach)]


def touches_of(line: Sequence[int]) -> list[Touch]:
    """Return the touches of a line; ValueError where one reaches further than any can."""
    reaches = cast("Sequence[Reach]", line[1::2])
    if not {*reaches} <= {*get_args(Reach)}:
        raise ValueError("a warning or treatment reached what there is not")
    return [Touch(ms_of(at), reach) for at, reach in zip(line[::2], reaches, strict=True)]


def album_line(album: Album) -> tuple[Any, ...]:
    """Return the fields of an `AlbumLine`."""
    return album.size, album.heads, album.rows, [_NUMBER.get(name, name) for name in album.segments]


def album_of(line: AlbumLine) -> Album:
    """Return the album of a line; ValueError where its parts do not fit together."""
    album = Album(line.size, line.heads, line.rows, tuple(map(text_of, line.segments)))
    if album.fits:
        return album
    raise ValueError("the waiting snapshots' parts do not fit together")
