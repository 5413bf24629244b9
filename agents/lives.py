"""The lives of a partition's state: what to do where Redis has lost it, all of it or its latest commits.

State is a function of the log, so what is lost is built again from Kafka. Two things must not come of that: alerts that went out
long ago must not go out again, and the learner must not take what it is told anew for news, nor news for a repetition.

* Every state has a `life`: the wall clock at which it began. Example batches carry it; a later life replaces an earlier one.
* What is stored *and* acknowledged is committed to the consumer group, with a note of life, commits and clock. Kafka keeps that
  when Redis is gone, so a state that is missing, or older than its note, is recognised (`revive`).
* Such a state begins a new life, and knows what was `Said` before: that much of the log, and silences up to that clock. Of
  what the rebuilding decides, alerts, scores and dead letters that lie within are not sent again (`withhold`).

The group's commits are a second old at most, so what was said in the last second before the loss may be said twice, under the same id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from agents.effects import AlertNote, Effects
from agents.meta import Meta, Said
from alerts.alert import Trigger
from streams.bounds import COUNT_MAX
from streams.deadletter import CONNECT
from streams.errors import Corrupt, TransportError
from streams.outgoing import Outgoing
from streams.time import DAY_MS, iso, parse_instant

NOTHING_LOST: Final = ""

AHEAD_MS_MAX: Final = 3_660 * DAY_MS
"""How far a partition's clock may be ahead of the wall: a replay may be told to run on into the future, though hardly for ten years."""


class Committed(NamedTuple):
    """What the consumer group knows of one topic of the partition."""

    offset: int
    note: str


class _Told(msgspec.Struct, frozen=True):
    """Of an alert or a score, what tells when it was decided."""

    raised_at: str | None = None
    scored_at: str | None = None
    trigger: Trigger | None = None


_told = msgspec.json.Decoder(_Told)


def note_of(meta: Meta) -> str:
    """Return what is noted beside the offsets committed to the consumer group.

    >>> note_of(Meta(life=7, commits=3, clock_ms=50))
    '7 3 50'
    """
    clock_ms = meta.clock_ms if meta.said is None else max(meta.clock_ms, meta.said.clock_ms)
    return f"{meta.life} {meta.commits} {clock_ms}"


def committable(meta: Meta) -> dict[str, int]:
    """Return the offsets that may be committed to the group: while a state is built again they do not go back.

    >>> committable(Meta(offsets={"orders": 4, "logins": 2}, said=Said(offsets={"orders": 9})))
    {'orders': 9, 'logins': 2}
    """
    said = {} if meta.said is None else meta.said.offsets
    return {topic: max(offset, said.get(topic, 0)) for topic, offset in meta.offsets.items()}


def heard_of(committed: Mapping[str, Committed]) -> Said | None:
    """Return what the group knows of the partition, by the latest of its notes; None where it knows nothing.

    Offsets without a note of ours (an older version's, or another program's) count as said, up to no clock.

    >>> heard_of({"orders": Committed(9, "7 3 50"), "logins": Committed(2, "7 2 40")})
    Said(offsets={'orders': 9, 'logins': 2}, clock_ms=50, life=7, commits=3)
    """
    offsets = {topic: known.offset for topic, known in committed.items() if known.offset > 0}
    if not offsets:
        return None
    said = Said(offsets)
    life, commits, clock_ms = max(_read(known.note) for known in committed.values())
    if life:
        said.life, said.commits, said.clock_ms = life, commits, clock_ms
    return said


def _read(note: str) -> tuple[int, int, int]:
    """Life, commits and clock of a note; zeros for what is none of ours."""
    parts = note.split()
    if len(parts) != 3 or not all(part.removeprefix("-").isdecimal() for part in parts):
        return 0, 0, 0
    life, commits, clock_ms = map(int, parts)
    if not (0 <= life < COUNT_MAX and 0 <= commits < COUNT_MAX):
        return 0, 0, 0  # a life after it could not be written down
    return life, commits, clock_ms


def later(one: Mapping[str, Committed], other: Mapping[str, Committed]) -> dict[str, Committed]:
    """Return of each topic what is known last.

    >>> later({"orders": Committed(9, "7 3 50")}, {"orders": Committed(9, "7 4 60"), "logins": Committed(2, "")})
    {'logins': Committed(offset=2, note=''), 'orders': Committed(offset=9, note='7 4 60')}
    """
    found = [(topic, known) for side in (one, other) for topic, known in side.items()]
    return dict(sorted(found, key=lambda item: (item[1].offset, _read(item[1].note))))


def revive(stored: Meta | None, known: Said | None, seen: tuple[int, int], now_ms: int) -> tuple[Meta, str]:
    """Say which state goes on, and in which life.

    Args:
        stored: what the store holds, None where it holds nothing.
        known: what the consumer group knows, see `heard_of`.
        seen: life and number of the latest commit that this runner itself has made to the store; (0, 0) for none.
        now_ms: the wall clock, which numbers the lives.

    Returns:
        The state to go on from, and a sentence about what was lost (`NOTHING_LOST` where nothing was).

    Raises:
        Corrupt: the state is from the future; every wake-up of thousands of years would be due.
    """
    if stored is not None and max(stored.clock_ms, stored.taken_ms) > now_ms + AHEAD_MS_MAX:
        raise Corrupt(
            f"a partition's clock stands at {iso(max(stored.clock_ms, stored.taken_ms))}, years ahead of the wall clock: set this "
            "machine's clock right, or delete the partition's keys to build them again"
        )
    if stored is None:
        meta = Meta(life=now_ms)
        lost = "" if known is None and not seen[0] else "nothing of it is there any more"
    else:
        meta, at = stored, (stored.life, stored.commits)
        if not meta.life:
            meta.life = now_ms  # of a version that counted no lives
            return meta, NOTHING_LOST
        noted = (0, 0) if known is None else (known.life, known.commits)
        lost = "" if at >= max(noted, seen) else f"commits after number {stored.commits} are not there any more"
    if lost:
        earlier = [0 if stored is None else stored.life, seen[0], 0 if known is None else known.life]
        meta.life = max(now_ms, max(earlier) + 1)
        meta.seq = 0
        meta.said = meta.said.with_(known) if meta.said is not None and known is not None else meta.said or known
    if stored is None:
        meta.born = meta.life
    return meta, lost


def check_topics(meta: Meta, ids: Mapping[str, str]) -> None:
    """Note which topics the state is of (Kafka's own ids); raises `TransportError` where one was created anew since."""
    for topic, now in ids.items():
        before = meta.topic_ids.get(topic, now)
        if before != now and meta.offsets.get(topic, 0):
            raise TransportError(
                f"{topic} was created anew: the stored state reflects {meta.offsets[topic]} records of the topic that "
                "had this name before. Start afresh with another CHURNWATCH_REDIS_NAMESPACE; what the old topic held "
                "can be brought back by `churnwatch bootstrap` from files"
            )
        meta.topic_ids[topic] = now


def withhold(meta: Meta, effects: Effects) -> bool:
    """Take out of the effects what an earlier life has said already; returns whether the state is still behind that life."""
    said = meta.said
    if said is None:
        return False
    notes = iter(effects.alerts)
    # A score names no record. One of a step that goes beyond what was taken in before may follow from what is new in it.
    within = all(offset <= said.offsets.get(topic, 0) for topic, offset in meta.offsets.items())
    kept: list[Outgoing] = []
    alerts: list[AlertNote] = []
    for message in effects.outgoing:
        told = _decided(message)
        note = next(notes) if told is not None and told.raised_at is not None else None
        if not (_letter_said(message, said) if told is None else _said(told, said, within=within)):
            kept.append(message)
            if note is not None:
                alerts.append(note)
    effects.outgoing[:], effects.alerts[:] = kept, alerts
    if meta.clock_ms >= said.clock_ms and all(meta.offsets.get(t, 0) >= n for t, n in said.offsets.items()):
        meta.said = None
    return meta.said is not None


def _decided(message: Outgoing) -> _Told | None:
    """What an alert or a score says of itself; None for a dead letter, whose value may be anything."""
    if any(name == f"{CONNECT}offset" for name, _ in message.headers):
        return None
    return _told.decode(message.value or b"{}")


def _said(told: _Told, said: Said, *, within: bool) -> bool:
    if told.scored_at is not None:
        return within and parse_instant(told.scored_at) <= said.clock_ms
    trigger = told.trigger
    if trigger is not None and trigger.topic is not None and trigger.offset is not None:
        return trigger.offset < said.offsets.get(trigger.topic, 0)
    return parse_instant(told.raised_at or "") <= said.clock_ms


def _letter_said(message: Outgoing, said: Said) -> bool:
    headers = dict(message.headers)
    return int(headers[f"{CONNECT}offset"]) < said.offsets.get(headers[f"{CONNECT}topic"].decode(), 0)
