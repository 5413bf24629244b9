"""The boundaries of event time at which a learner looks whether there is a new guide to cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.learner_state import LearnerState
from streams.time import DAY_MS

QUIET_MAX: Final = 1_000
"""Boundaries in a row at which nothing was learnt, after which all stays as it is: no window over the days is as wide. A mark that somebody
has forged may lie in the year 9999, a million boundaries away."""


def boundaries(state: LearnerState, until_ms: int, grid_ms: int | None) -> Iterator[int]:
    """Give the boundaries up to `until_ms` at which something may have changed; learning goes on in between.

    Args:
        state: the learner's; read anew before each boundary.
        until_ms: how far nothing can still come; in replay a multiple of `grid_ms`.
        grid_ms: in replay, the distance of the boundaries; None for live, where `until_ms` itself is the only one.
    """
    if state.first_ms is None:
        return
    if grid_ms is None:
        yield until_ms
        return
    boundary_ms, quiet, learnt = max(state.first_ms - 1, state.learnt_until_ms or 0), 0, state.counters.examples
    while True:
        # The extra changes with the days, the model with the examples: no other boundary is worth a look.
        next_ms = (boundary_ms // DAY_MS + 1) * DAY_MS if quiet < QUIET_MAX else until_ms
        if state.waiting:
            next_ms = min(next_ms, max(state.waiting[0][0], boundary_ms + 1))
        boundary_ms = -(-next_ms // grid_ms) * grid_ms
        if boundary_ms > until_ms:
            return
        yield boundary_ms
        quiet, learnt = (quiet + 1 if state.counters.examples == learnt else 0), state.counters.examples
        if boundary_ms == until_ms:
            return
