"""The silence clock: when a customer is looked at next although no event arrives.

Churn is the absence of events, so every customer has one next wake-up. After the last activity at `t`:

```
 t    +1d +2d  +3d    +5d      +7d         +10d            +14d     weekly snapshots      gone         expiry
 |-----x---x----x------x--------x------------x---------------x----x------x------x--- ... --x---- ... ----x
        the ladder: an early look, ever wider apart            the global snapshot grid    active_days  expiry_days
```

Snapshots due within the first fourteen days wake the customer too, and so does a label whose horizon has passed. A spell of silence
therefore costs at most 7 rungs + one look a week until the customer counts as gone: 20 with the defaults, however long it lasts.

All instants are epoch milliseconds; everything is a pure function of what is passed in.
"""

from __future__ import annotations

from models.question import Question
from streams.time import DAY_MS

LADDER_DAYS = (1, 2, 3, 5, 7, 10, 14)


def next_rung_ms(last_activity_ms: int, after_ms: int) -> int | None:
    """The first rung of the ladder later than `after_ms`; None where all have passed.

    >>> next_rung_ms(0, 3 * DAY_MS) // DAY_MS
    5
    """
    for days in LADDER_DAYS:
        due_ms = last_activity_ms + days * DAY_MS
        if due_ms > after_ms:
            return due_ms
    return None


def next_wake_ms(
    *,
    after_ms: int,
    last_activity_ms: int,
    first_pending_matures_ms: int | None,
    episode_until_ms: int | None,
    expiry_days: int,
    question: Question,
) -> int:
    """The earliest instant later than `after_ms` at which something is due for a customer who stays silent.

    `first_pending_matures_ms` is when the oldest snapshot's label is known; `episode_until_ms` an instant at which the open
    episode wants another look (the end of a snooze), None where there is none.
    """
    leaves_ms = question.gone_ms(last_activity_ms)
    candidates = [last_activity_ms + expiry_days * DAY_MS]
    if after_ms < leaves_ms:
        candidates.append(leaves_ms)
        snapshot_ms = question.next_snapshot_ms(after_ms)
        if snapshot_ms <= leaves_ms:
            candidates.append(snapshot_ms)
        rung_ms = next_rung_ms(last_activity_ms, after_ms)
        if rung_ms is not None:
            candidates.append(rung_ms)
    if first_pending_matures_ms is not None:
        candidates.append(max(first_pending_matures_ms, after_ms + 1))
    if episode_until_ms is not None and episode_until_ms > after_ms:
        candidates.append(episode_until_ms)
    # A customer who is long past the expiry (a late event) is due at once, in the next millisecond, never in the past.
    return max(min(candidates), after_ms + 1)
