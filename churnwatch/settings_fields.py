"""How a setting is declared: its chapter, default, unit and meaning; and what the chapters of the settings share."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from churnwatch.settings_sources import ENV_PREFIX
from streams.time import parse_duration, parse_instant

DURATION = "duration"
INSTANT = "instant"


def _duration_ms(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _instant_ms(value: object) -> object:
    if not isinstance(value, str):
        return value
    return parse_instant(int(value) if value.isdecimal() else value)


Duration = Annotated[int, BeforeValidator(_duration_ms)]
Instant = Annotated[int, BeforeValidator(_instant_ms)]


def setting(group: str, default: Any, unit: str, meaning: str, **limits: Any) -> Any:
    """Declare one setting: its chapter, default, unit ("" where it has none), meaning and pydantic's limits."""
    if unit == DURATION and isinstance(default, str):
        default = parse_duration(default)
    return Field(default=default, description=meaning, json_schema_extra={"group": group, "unit": unit}, **limits)


def describe(info: FieldInfo) -> tuple[str, str, str]:
    """Give a setting's chapter, unit and meaning."""
    extra = cast("dict[str, object]", info.json_schema_extra)
    return str(extra["group"]), str(extra["unit"]), info.description or ""


class Chapter(BaseSettings):
    """Some of the settings, immutable; `settings.Settings` is made of all chapters."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)
