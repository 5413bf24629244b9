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
class Figures:
    """The study's answer; speeds are events a second."""

    speed_without: list[float]
    speed_with: list[float]
    speed_ratio: float
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
    without: Sequence[float], with_sink: Sequence[float], delivered: Sequence[Delivered], *, same_alerts: bool
) -> Figures:
    """Sum up: speeds without and with the sink, the run with an outage and the one with a kill as well."""
    ratio = (sum(with_sink) / len(with_sink)) / (sum(without) / len(without))
    outage, kill = delivered
    # What differs between two runs of the same is the machine's doing, not the sink's.
    spread = (max(without) - min(without)) / max(without)
    short = list(_short("with an outage", outage))
    short += _short("with an outage and a kill", kill)
    if outage.repeated:
        short.append(f"{outage.repeated} alerts came twice though nothing was killed")
    if not same_alerts:
        short.append("the stream said something else with a sink than without")
    if ratio < min(RATIO_MIN, 1 - spread):
        short.append(
            f"the stream ran at {ratio:.2f} of its speed, with a spread of {spread:.2f} between runs without a sink"
        )
    speeds = [[round(speed, 1) for speed in some] for some in (without, with_sink)]
    return Figures(speeds[0], speeds[1], round(ratio, 3), same_alerts, outage, kill, short)


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
