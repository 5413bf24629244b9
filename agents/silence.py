"""The silence clock: when a customer is looked at next although no event arrives.

Churn is the absence of events, so every customer has one next wake-up. After the last activity at `t`:

```
 t    +1d +2d  +3d    +5d      +7d         +10d            +14d     weekly snapshots      gone         expiry
 |-----x---x----x------x--------x------------x---------------x----x------x------x--- ... --x---- ... ----x
        the ladder: an early look, ever wider apart            the global snapshot grid    active_days  expiry_days
```

Snapshots due within the first fourteen days wake the customer too, and so do the end of a cool-down and a label whose time has come
(nobody is looked at for a label alone, see `agents.wakeups`). A spell of silence therefore costs 7 rungs, a look a week until the customer counts
as gone and one then: 21 with the defaults, however long it lasts, and as many more as cool-downs, snoozes and reminders end in it.

All instants are epoch milliseconds; everything is a pure function of what is passed in.
"""

from __future__ import annotations

from bisect import bisect_right

from models.question import Question
from streams.time import DAY_MS

LADDER_DAYS = (1, 2, 3, 5, 7, 10, 14)
LADDER_MS = tuple(days * DAY_MS for days in LADDER_DAYS)

EXPIRY_RETRY_MS = 30 * DAY_MS
"""How long a customer who may not go yet is kept before the next try."""


def next_rung_ms(last_activity_ms: int, after_ms: int) -> int | None:
    """The first rung of the ladder later than `after_ms`; None where all have passed.

    >>> next_rung_ms(0, 3 * DAY_MS) // DAY_MS
    5
    """
    passed = bisect_right(LADDER_MS, after_ms - last_activity_ms)
    return last_activity_ms + LADDER_MS[passed] if passed < len(LADDER_MS) else None


def next_expiry_ms(last_activity_ms: int, after_ms: int, expiry_ms: int) -> int:
    """When the state of a customer may be deleted: `expiry_ms` after the last activity, then every `EXPIRY_RETRY_MS`.

    >>> [next_expiry_ms(0, after_days * DAY_MS, 400 * DAY_MS) // DAY_MS for after_days in (0, 399, 400, 431)]
    [400, 400, 430, 460]
    """
    first_ms = last_activity_ms + expiry_ms
    if after_ms < first_ms:
        return first_ms
    return first_ms + ((after_ms - first_ms) // EXPIRY_RETRY_MS + 1) * EXPIRY_RETRY_MS


def next_wake_ms(
    after_ms: int,
    silent_since_ms: int | None,
    first_pending_matures_ms: int | None,
    episode_until_ms: int | None,
    expires_ms: int,
    question: Question,
) -> int:
    """The earliest instant later than `after_ms` at which something is due for a customer who stays silent.

    Args:
        after_ms: the customer's clock.
        silent_since_ms: the last activity; None for one whose silence says nothing any more (an explicit cancellation).
        first_pending_matures_ms: when the label of the oldest snapshot is known; None where none waits.
        episode_until_ms: when the episode wants another look (a cool-down or snooze ends); None where it does not.
        expires_ms: when the state may be deleted.
        question: the grid of snapshots, and from when on a customer counts as gone.
    """
    wake_ms = expires_ms
    if silent_since_ms is not None and after_ms < (leaves_ms := question.gone_ms(silent_since_ms)):
        snapshot_ms = question.next_snapshot_ms(after_ms)
        look_ms = snapshot_ms if snapshot_ms < leaves_ms else leaves_ms
        silence_ms = after_ms - silent_since_ms
        if silence_ms < LADDER_MS[-1]:
            rung_ms = silent_since_ms + LADDER_MS[bisect_right(LADDER_MS, silence_ms)]
            if rung_ms < look_ms:
                look_ms = rung_ms
        if look_ms < wake_ms:
            wake_ms = look_ms
    if first_pending_matures_ms is not None and first_pending_matures_ms < wake_ms:
        wake_ms = first_pending_matures_ms
    if episode_until_ms is not None and after_ms < episode_until_ms < wake_ms:
        wake_ms = episode_until_ms
    # What should have been done before (a setting has changed, say) is due at once, but never in the past.
    return wake_ms if wake_ms > after_ms else after_ms + 1
