"""What a playbook's TOML file holds: each field, what it takes, and how that is said where it takes something else."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from alerts.alert import Code
from alerts.bands import Raised
from alerts.play import Channel
from churnwatch.settings_load import span
from streams.time import DAY_MS, parse_duration

TITLE_MAX: Final = 80
WHY_MAX: Final = 200
WHEN_MAX: Final = 20
AMOUNT_MAX: Final = 1e9
PER_DAY_MAX: Final = 1e6
COOL_DOWN_MAX_MS: Final = 800 * DAY_MS
EVIDENCE: Final = "{evidence}"

CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)
CODE_WORDS: Final = "small letters, digits and _, up to 32, a letter first"

Segment = Literal["new", "loyal", "high_value", "standard"]
Step = Literal["opened", "escalated", "churned"]


def one_of(kind: object) -> str:
    """Say what a `Literal` takes.

    >>> one_of(Raised)
    'watch, high or critical'
    """
    *first, last = get_args(kind)
    return f"{', '.join(first)} or {last}"


TAKES: Final = {
    "title": f"a line of text, up to {TITLE_MAX} characters",
    "channel": one_of(Channel),
    "contact": "true or false",
    "cool_down": f"a span with a unit (30d, 12h), up to {span(COOL_DOWN_MAX_MS)}",
    "cost": f"a number from 0 to {AMOUNT_MAX:,.0f}",
    "budget_per_day": f"a number above 0, up to {PER_DAY_MAX:,.0f}",
    "when": f"tables [[….when]], 1 to {WHEN_MAX} of them",
    "reasons": f"a list of {one_of(Code)}",
    "segments": f"a list of {one_of(Segment)}",
    "bands": f"a list of {one_of(Raised)}",
    "kinds": f"a list of {one_of(Step)}",
    "value_at_risk_min": f"a number from 0 to {AMOUNT_MAX:,.0f}",
    "strength": "a number above 0, up to 1",
    "why": f"a line of text, up to {WHY_MAX} characters, with {EVIDENCE} in it once and no other braces",
}
"""Field to what it takes, in words."""


def _span_ms(value: object) -> int:
    # Held to its bounds here, so that a fault quotes what stands in the file.
    if not isinstance(value, str) or (ms := parse_duration(value)) > COOL_DOWN_MAX_MS:
        raise ValueError("no such span of time")
    return ms


def _line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("empty, or holds control characters")
    return value


class _Table(BaseModel):
    # Strict: "5" for a number would be a slip. Infinity and nan are numbers in TOML.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class When(_Table):
    """`[[action.when]]`: when the action is suggested, and why; a list that is left out means any."""

    strength: float = Field(gt=0, le=1)
    why: str = Field(max_length=WHY_MAX)
    reasons: list[Code] = Field(default=[], min_length=1, max_length=20)
    segments: list[Segment] = Field(default=[], min_length=1, max_length=20)
    bands: list[Raised] = Field(default=[], min_length=1, max_length=20)
    kinds: list[Step] = Field(default=["opened", "escalated"], min_length=1, max_length=20)
    value_at_risk_min: float = Field(default=0.0, ge=0, le=AMOUNT_MAX)

    @field_validator("why")
    @classmethod
    def _quotes_the_evidence(cls, why: str) -> str:
        before, evidence, after = _line(why).partition(EVIDENCE)
        if not evidence or set(before + after) & set("{}"):
            raise ValueError("braces")
        return why


class Listed(_Table):
    """`[action]`: an action, what it costs, and how often it may be used."""

    title: str = Field(max_length=TITLE_MAX)
    channel: Channel
    contact: bool | None = None
    cool_down: Annotated[int, BeforeValidator(_span_ms)] = 0
    cost: float = Field(default=0.0, ge=0, le=AMOUNT_MAX)
    budget_per_day: float | None = Field(default=None, gt=0, le=PER_DAY_MAX)
    when: list[When] = Field(min_length=1, max_length=WHEN_MAX)

    @field_validator("title")
    @classmethod
    def _is_a_line(cls, title: str) -> str:
        return _line(title)

    @model_validator(mode="after")
    def _reaches_whom_it_says(self) -> Listed:
        if self.contact and self.channel == "none":
            raise ValueError("contact = true needs a channel: how does it reach the customer?")
        if self.contact is False and self.channel not in {"none", "app"}:
            raise ValueError(f"channel = {self.channel} reaches the customer, so contact cannot be false")
        return self

    @property
    def contacts(self) -> bool:
        """Whether the customer hears from the business."""
        return self.channel != "none" if self.contact is None else self.contact
