"""How a process that runs for long logs: to standard error, as text or JSON lines, and what a client repeats only seldom."""

from __future__ import annotations

import json
import logging
import sys
from typing import Final

from churnwatch.settings import Settings

SELDOM_SECONDS: Final = 10.0


class _Seldom(logging.Filter):
    """Lets a client's line through once in a while: without Kafka, aiokafka says three of them ten times a second, for as long as it lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the place in the client's code that says it has rested."""
        place = record.pathname, record.lineno
        if record.created - self._said_s.get(place, 0.0) < SELDOM_SECONDS:
            return False
        self._said_s[place] = record.created
        return True


class _JsonLines(logging.Formatter):
    """A JSON document a line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        told = {"time": self.formatTime(record), "level": record.levelname.lower(), "logger": record.name}
        return json.dumps(told | {"message": record.getMessage()}, ensure_ascii=False)


def set_up_logging(settings: Settings) -> None:
    """Set up the root logger: of ours from CHURNWATCH_LOG_LEVEL on, of the clients' from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else text)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    seldom = _Seldom()
    handler.addFilter(lambda record: not record.name.startswith("aiokafka") or seldom.filter(record))
    logging.getLogger("churnwatch").setLevel(settings.log_level.upper())
