"""Write docs/features.md from the catalogue in features/catalog.py; with --check only say whether it is current.

    python -m churnwatch.feature_docs [--check] [FILE]

Exit code 0: written, or current. 1: out of date, or the file cannot be written.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from churnwatch.written_page import write_or_check
from features.catalog import CATALOG, LIFETIME, LOGINS, ORDERS, PRESENCE, REVIEWS, RHYTHM, TICKETS, Feature
from features.past import PRESENCE_DAYS_MAX
from features.said import SAID
from features.seen import LIMIT
from features.tickets import EVENTS_MAX, TICKETS_MAX
from features.tiles import RETENTION_DAYS, WINDOW_DAYS_MAX

PAGE: Final = Path("docs/features.md")

INTRODUCTION: Final = f"""# Features

<!-- Written by `python -m churnwatch.feature_docs` from features/catalog.py. Edit that, not this. -->

What the model sees of a customer, and what an alert's reasons name: {len(CATALOG)} numbers as of an instant, in this order.

- **Days are UTC days, windows half-open.** As of a midnight, 7 days are the 7 whole days before it; within a day, that day is
  the last of the 7. *Window* is how far back a feature looks; without one it looks at all there is.
- **Order does not matter.** Events are added to the tile of their own day, whenever they arrive; sums are integers. The same
  events give the same state, byte for byte, and an event that comes twice counts once.
- **Late is exact.** Tiles are kept for {RETENTION_DAYS} days and no sum reaches back more than {WINDOW_DAYS_MAX}; of the days before,
  {PRESENCE_DAYS_MAX} in all, only those with an order are remembered. So a vector may be computed two weeks late, with later events
  applied already, and is the same.
- **Bounded.** Per customer at most {LIMIT:,} event ids are remembered (the newest), {TICKETS_MAX} tickets (resolved ones go first) and
  {EVENTS_MAX} events of each.
- **Scale** says what a linear model is given: *log* the logarithm of one plus the value, *linear* the value itself. *Default* is the
  value for a customer of whom nothing is known.
- Only orders with status `placed` count as orders; amounts are added up whatever their currency.
"""

GROUPS: Final = (
    ("Orders: recency, frequency, amount", ORDERS),
    ("Rhythm: gaps, and the present silence beside them", RHYTHM),
    ("Lifetime", LIFETIME),
    ("Presence: in which stretches of the past year there was an order", PRESENCE),
    ("Logins", LOGINS),
    ("Tickets", TICKETS),
    ("Reviews, surveys, cancellations", REVIEWS),
    ("What was said: for the reasons of alerts alone, the model does not see it", SAID),
)


def page() -> str:
    """Return the whole page in Markdown."""
    sections = [f"## {title}\n\n{_table(group)}" for title, group in GROUPS]
    return "\n".join([INTRODUCTION, *sections])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; returns the exit code."""
    return write_or_check("churnwatch.feature_docs", PAGE, page, arguments)


def _table(group: tuple[Feature, ...]) -> str:
    def lines() -> Iterator[str]:
        yield "| feature | window | unit | family | scale | default | meaning |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        for f in group:
            window = f"{f.window_days} days" if f.window_days else ""
            cells = (f"`{f.name}`", window, f.unit, f.family, f.scale, f"{f.default:g}", f.meaning)
            yield f"| {' | '.join(cells)} |".replace("|  |", "| |")

    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    sys.exit(main())
