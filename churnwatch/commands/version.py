"""`churnwatch version`: what is installed."""

import platform
from importlib.metadata import version as version_of
from typing import Final

from churnwatch.commands.options import Json
from churnwatch.terminal import say, say_json

PARTS: Final = ("churnwatch", "faust-streaming", "aiokafka", "confluent-kafka", "redis", "river")


def versions() -> dict[str, str]:
    """Give the versions of Python, of Churnwatch and of what it stands on."""
    return {"python": platform.python_version()} | {part: version_of(part) for part in PARTS}


def version(*, as_json: Json = False) -> None:
    """Say which version this is, and what it stands on."""
    found = versions()
    if as_json:
        say_json(found)
        return
    say(f"churnwatch {found.pop('churnwatch')}")
    for part, number in found.items():
        say(f"  {part} {number}")
