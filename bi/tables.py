"""The star schema, declared once: what each table and column holds, and what two rows of the same key come to.

PostgreSQL (`bi.ddl`, `bi.upsert`), Parquet and the documentation are made from these declarations.

Messages may come twice, and topics are read at different speeds. So each column says how two values of it are merged:

| merge | what counts |
| --- | --- |
| `key` | it tells rows apart |
| `once` | the value that was there first |
| `least`, `greatest` | the smaller, the greater one |
| `last` | that of the row whose columns `by` are greater, all columns of the same `by` together |
| `replace` | the new one: it is a snapshot of what the learner keeps |

Each is idempotent, and none depends on how the messages were cut into chunks or how the topics were interleaved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Type = Literal["text", "whole", "decimal", "figure", "truth", "instant", "day"]
"""`decimal` is exact, of four digits after the point (money, risks, shares: sums of them do not depend on their order); `figure` is a
floating-point number; `instant` is a point in time in UTC, of milliseconds; `day` a UTC day."""

Merge = Literal["key", "once", "least", "greatest", "last", "replace"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `by` are the columns that say which row is the later one, where `merge` is `last`."""

    name: str
    type: Type
    meaning: str
    merge: Merge = "once"
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the star."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart."""
        return tuple(column.name for column in self.columns if column.merge == "key")

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def once(self) -> bool:
        """Whether a row stays as it was first heard, for what comes later is the same message again."""
        return all(column.merge in ("key", "once") for column in self.columns)

    @property
    def of_customers(self) -> bool:
        """Whether each row is about one customer: it goes when that customer is erased."""
        return "customer_id" in self.names


def key(name: str, type_: Type, meaning: str) -> Column:
    """Declare a column of the key."""
    return Column(name, type_, meaning, "key")


def last(by: str, name: str, type_: Type, meaning: str) -> Column:
    """Declare a column whose latest value counts, `by` these columns (blanks between them)."""
    return Column(name, type_, meaning, "last", tuple(by.split()))


CUSTOMER: Final = Column("customer_id", "text", "Whom it is about: dim_customer")

DIM_CUSTOMER: Final = Table(
    "dim_customer",
    "One row a customer: the latest profile, the latest score, first and latest order",
    (
        key("customer_id", "text", "The id that producers use"),
        last("profile_offset", "plan", "text", "Plan, from the latest profile"),
        last("profile_offset", "owner", "text", "Who looks after them, from the latest profile"),
        last("profile_offset", "country", "text", "Country, from the latest profile"),
        last("profile_offset", "profile_segment", "text", "Segment that the profile sets; null: it is computed"),
        last("profile_offset", "annual_value", "decimal", "What the profile says they are worth a year"),
        last("profile_offset", "do_not_contact", "truth", "Whether the profile asks not to contact them"),
        last("profile_offset", "signed_up_at", "instant", "When they signed up, from the latest profile"),
        last("profile_offset", "profile_offset", "whole", "Which message of the profiles' topic that was"),
        last("score_offset", "segment", "text", "Segment at the latest score: dim_segment"),
        last("score_offset", "band", "text", "Band of risk at the latest score: low, watch, high, critical"),
        last("score_offset", "risk", "decimal", "Risk of leaving, 0 to 1, when the band last changed"),
        last("score_offset", "scored_at", "instant", "When that was, on the customer's clock"),
        last("score_offset", "model_version", "text", "Which model said so"),
        last("score_offset", "score_offset", "whole", "Which message of the scores' topic that was"),
        Column("first_order_at", "instant", "First order placed", "least"),
        Column("last_order_at", "instant", "Latest order placed", "greatest"),
    ),
)

DIM_SEGMENT: Final = Table(
    "dim_segment",
    "One row a segment: those that Churnwatch computes, and those that profiles or scores name",
    (
        key("segment", "text", "The segment's name in alerts and scores"),
        Column("title", "text", "The same for headings"),
        Column("computed", "truth", "Whether Churnwatch gives it to customers by itself"),
    ),
)

DIM_DATE: Final = Table(
    "dim_date",
    "One row a day, without gaps",
    (
        key("day", "day", "The UTC day"),
        Column("week", "day", "Monday of its week"),
        Column("month", "day", "First day of its month"),
        Column("quarter", "day", "First day of its quarter"),
        Column("year", "whole", "Calendar year"),
        Column("month_number", "whole", "1 to 12"),
        Column("day_of_month", "whole", "1 to 31"),
        Column("weekday", "whole", "1 (Monday) to 7"),
        Column("weekend", "truth", "Whether it is a Saturday or a Sunday"),
    ),
)

_BY_SCORE: Final = "scored_at from_score source_offset"

FACT_DAILY_SCORE: Final = Table(
    "fact_daily_score",
    "One row a customer and day on which something was said of their risk: the last that was said that day. Between two rows nothing changed",
    (
        key("customer_id", "text", "Whom it is about: dim_customer"),
        key("day", "day", "The UTC day, on the customer's clock: dim_date"),
        last(_BY_SCORE, "band", "text", "Band of risk: low, watch, high, critical"),
        last(_BY_SCORE, "risk", "decimal", "Risk of leaving, 0 to 1"),
        last(_BY_SCORE, "segment", "text", "Segment: dim_segment"),
        last(_BY_SCORE, "model_version", "text", "Which model said so: fact_model_quality, or a rule"),
        last(_BY_SCORE, "scored_at", "instant", "When, on the customer's clock"),
        last(_BY_SCORE, "from_score", "whole", "1: said by a score; 0: by an alert"),
        last(_BY_SCORE, "source_offset", "whole", "Which message of its topic that was"),
    ),
)

DIMENSIONS: Final = (DIM_CUSTOMER, DIM_SEGMENT, DIM_DATE)
