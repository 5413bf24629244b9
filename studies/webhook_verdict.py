"""What the webhook study makes of what arrived: pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from churnwatch.settings_webhook import secret_key
from churnwatch.webhook_signing import ID, SIGNATURE, TIMESTAMP, signature
from studies.webhook_receiver import Arrived

RATIO_MIN: Final = 0.9
"""Below this the stream would be disturbed, unless runs without a sink differ by more among themselves."""

CPU_RATIO_MAX: Final = 1.15
CORE_SHARE_MIN: Final = 0.7
"""A worker in replay takes a whole core. Where it got less, others were at work on the machine, and its speed tells of them."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """How one run was delivered.

    Attributes:
        alerts: published, each id once.
        arrived: taken by the receiver, repetitions included.
        missing: published and never taken.
        repeated: taken again, `repeated_late` those among them that cannot have been in flight at the kill.
        disordered: customers whose alerts did not come in the order of the topic.
        changed: taken with other bytes than were published.
        forged: taken without a good signature.
        attempts: all posts.
        dead: dead letters.
        back_ms: from the receiver's return to the first alert that it took.
    """

    alerts: int
    arrived: int
    missing: int
    repeated: int
    repeated_late: int
    disordered: int
    changed: int
    forged: int
    attempts: int
    dead: int
    back_ms: int


@dataclass(frozen=True, slots=True)
class Stream:
    """How fast a worker went: events a second, its processor time per event, and the share of a core that it got."""

    speed: float
    cpu_ms: float
    core_share: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The study's answer; the ratios are judged where the machine was `quiet`: on a busy one they tell of the others."""

    without_sink: list[Stream]
    with_sink: list[Stream]
    speed_ratio: float
    cpu_ratio: float
    quiet: bool
    same_alerts: bool
    outage: Delivered
    kill: Delivered
    shortcomings: list[str]


def delivered_of(
    published: Sequence[tuple[int, int, bytes]],
    arrived: Sequence[Arrived],
    killed_at: int,
    in_flight_max: int,
    *,
    secret: str,
    attempts: int,
    dead: int,
    back_ms: int,
) -> Delivered:
    """Judge one run.

    Args:
        published: partition, offset and value of every record of the alerts' topic.
        arrived: what the receiver took, in that order.
        killed_at: how much it had taken when the sink was killed; all of it where it was not.
        in_flight_max: how many alerts of a partition may be in flight.
        secret: what was signed with.
        attempts: see `Delivered`, like the rest.
        dead: dead letters.
        back_ms: time to the first alert.
    """
    values: dict[str, bytes] = {}
    lane_of: dict[str, int] = {}
    for partition, _, value in sorted(published):
        alert_id = json.loads(value)["alert_id"]
        values.setdefault(alert_id, value)
        lane_of.setdefault(alert_id, partition)
    place = {alert_id: number for number, alert_id in enumerate(values)}
    customer_of = {alert_id: str(json.loads(value)["customer_id"]) for alert_id, value in values.items()}
    ids = [one.alert_id for one in arrived]
    last: set[str] = set()
    for lane in set(lane_of.values()):
        last.update([found for found in ids[:killed_at] if lane_of.get(found) == lane][-in_flight_max:])
    again = [found for found, count in Counter(ids).items() for _ in range(count - 1)]
    firsts: dict[str, list[int]] = {}
    for found in dict.fromkeys(ids):
        firsts.setdefault(customer_of.get(found, ""), []).append(place.get(found, -1))
    return Delivered(
        alerts=len(values),
        arrived=len(ids),
        missing=len(values.keys() - set(ids)),
        repeated=len(again),
        repeated_late=sum(found not in last for found in again),
        disordered=sum(places != sorted(places) for places in firsts.values()),
        changed=sum(values.get(one.alert_id) != one.body for one in arrived),
        forged=sum(not _good(one, secret) for one in arrived),
        attempts=attempts,
        dead=dead,
        back_ms=back_ms,
    )


def _good(one: Arrived, secret: str) -> bool:
    stamp = int(one.headers.get(TIMESTAMP, "0"))
    return one.headers.get(SIGNATURE) == signature(secret_key(secret), one.headers[ID], stamp, one.body)


def figures(
    without: Sequence[Stream], with_sink: Sequence[Stream], delivered: Sequence[Delivered], *, same_alerts: bool
) -> Figures:
    """Sum up: the stream without and with the sink, the run with an outage and the one with a kill as well."""
    speed_ratio = _mean([one.speed for one in with_sink]) / _mean([one.speed for one in without])
    cpu_ratio = _mean([one.cpu_ms for one in with_sink]) / _mean([one.cpu_ms for one in without])
    quiet = min(one.core_share for one in (*without, *with_sink)) >= CORE_SHARE_MIN
    outage, kill = delivered
    short = [*_short("with an outage", outage), *_short("with an outage and a kill", kill)]
    if outage.repeated:
        short.append(f"{outage.repeated} alerts came twice though nothing was killed")
    if not same_alerts:
        short.append("the stream said something else with a sink than without")
    # What differs between two runs of the same is the machine's doing, not the sink's.
    slowest = min(RATIO_MIN, 1 - _spread([one.speed for one in without]))
    if quiet and speed_ratio < slowest:
        short.append(f"the stream ran at {speed_ratio:.2f} of its speed, wanted is {slowest:.2f}")
    dearest = max(CPU_RATIO_MAX, 1 + _spread([one.cpu_ms for one in without]))
    if quiet and cpu_ratio > dearest:
        short.append(f"an event took {cpu_ratio:.2f} times the processor time, wanted is {dearest:.2f}")
    return Figures(
        list(without),
        list(with_sink),
        round(speed_ratio, 3),
        round(cpu_ratio, 3),
        quiet,
        same_alerts,
        outage,
        kill,
        short,
    )


def _mean(some: Sequence[float]) -> float:
    return sum(some) / len(some)


def _spread(some: Sequence[float]) -> float:
    return (max(some) - min(some)) / max(some)


def _short(run: str, one: Delivered) -> Iterator[str]:
    wanted = {
        "never arrived": one.missing,
        "came again that were not in flight": one.repeated_late,
        "arrived with other bytes": one.changed,
        "were not signed": one.forged,
        "were dead-lettered": one.dead,
    }
    yield from (f"{run}: {count} alerts {what}" for what, count in wanted.items() if count)
    if one.disordered:
        yield f"{run}: the alerts of {one.disordered} customers came out of order"
    if not one.alerts:
        yield f"{run}: there were no alerts"
