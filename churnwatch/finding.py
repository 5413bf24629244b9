"""What the doctor says of one thing that it has looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `what`, how it is, what was found, and what to do about it ("" where nothing)."""

    what: str
    status: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""
