"""Load the settings and say, a line each, what is wrong with them: the variable, the value, the values allowed."""

from __future__ import annotations

import difflib
import os
import types
import typing
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from churnwatch.settings import Settings
from churnwatch.settings_fields import DURATION, INSTANT, describe
from churnwatch.settings_sources import CONFIG_VARIABLE, ENV_PREFIX, config_path, file_key, public_name, read_config
from streams.errors import ConfigError
from streams.time import iso

SPANS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))
KINDS = {
    bool: "on or off",
    int: "a whole number",
    float: "a number",
    date: "a date (1970-01-05)",
    Path: "a path",
}
SPAN = "a span with a unit (60d, 1h, 15m, 30s, 250ms)"
MASK = "********"


def load_settings(**overrides: Any) -> Settings:
    """Read all settings: overrides (by field), environment, file, defaults.

    Raises ConfigError, one line per unknown name, bad value and contradiction.
    """
    problems = list(_unknown_names())
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems += [line for detail in error.errors(include_url=False) for line in _explain(detail)]
    if problems:
        raise ConfigError("\n".join(problems))
    return settings


def _unknown_names() -> Iterator[str]:
    variables = {public_name(field) for field in Settings.model_fields} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if name.startswith(ENV_PREFIX) and name not in variables:
            known = {variable.removeprefix(ENV_PREFIX) for variable in variables}
            yield f"{name}: no such setting{_nearest(name.removeprefix(ENV_PREFIX), known, ENV_PREFIX)}"
    path = config_path()
    keys = {file_key(field) for field in Settings.model_fields}
    for key in sorted(read_config(path)) if path else ():
        if key not in keys:
            yield f"{key} in {path}: no such setting{_nearest(key, keys)}"


def _nearest(name: str, known: set[str], prefix: str = "") -> str:
    # Compared without the prefix, which would make everything look alike.
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {prefix}{close[0]}?" if close else "; `churnwatch config show` lists them all"


def _explain(detail: ErrorDetails) -> Iterator[str]:
    if not detail["loc"]:
        yield from detail["msg"].removeprefix("Value error, ").splitlines()
        return
    field = str(detail["loc"][0])
    info = Settings.model_fields.get(field)
    if info is None:
        yield f"{field}: no such setting"
        return
    given = "the value given" if is_secret(info) else repr(detail["input"])
    yield f"{_where(field)}: {given} is not allowed; it takes {allowed(info)}"


def _where(field: str) -> str:
    if origin(field) == "file":
        return f"{file_key(field)} in {config_path()}"
    return public_name(field)


def origin(field: str) -> Literal["environment", "file", "default"]:
    """Say where a setting's value comes from."""
    if os.environ.get(public_name(field)):
        return "environment"
    path = config_path()
    return "file" if path is not None and file_key(field) in read_config(path) else "default"


def is_secret(info: FieldInfo) -> bool:
    """Whether a setting must never be shown."""
    return SecretStr in (info.annotation, *get_args(info.annotation))


def allowed(info: FieldInfo) -> str:
    """Say in words what a setting takes.

    >>> allowed(Settings.model_fields["clock"])
    'live or replay'
    >>> allowed(Settings.model_fields["topic_partitions"])
    'a whole number from 1 to 1024'
    """
    _, unit, _ = describe(info)
    if unit == DURATION:
        return SPAN + _range(info, span)
    if unit == INSTANT:
        return "an instant (1998-06-30T00:00:00Z) or epoch milliseconds"
    kind = _bare(info.annotation)
    if get_origin(kind) is Literal:
        *first, last = get_args(kind)
        return f"{', '.join(first)} or {last}"
    pattern = next((f"text like {rule.pattern}" for rule in info.metadata if getattr(rule, "pattern", None)), None)
    return pattern or KINDS.get(kind, "text") + _range(info, str)


def _bare(annotation: Any) -> Any:
    """Take `| None` off a type."""
    if get_origin(annotation) in (types.UnionType, typing.Union):
        return next(arm for arm in get_args(annotation) if arm is not type(None))
    return annotation


def _range(info: FieldInfo, show: Any) -> str:
    rules = {name: getattr(rule, name) for rule in info.metadata for name in ("ge", "gt", "le") if hasattr(rule, name)}
    if "ge" in rules and "le" in rules:
        return f" from {show(rules['ge'])} to {show(rules['le'])}"
    if "ge" in rules:
        return f" of at least {show(rules['ge'])}"
    return f" above {show(rules['gt'])}" if "gt" in rules else ""


def span(ms: int) -> str:
    """Write milliseconds as a span with a unit.

    >>> span(5_184_000_000), span(90_000), span(0)
    ('60d', '90s', '0ms')
    """
    size, unit = next(((size, unit) for size, unit in SPANS if ms and ms % size == 0), (1, "ms"))
    return f"{ms // size}{unit}"


def shown(field: str, value: Any) -> str:
    """Write a setting's value as one would set it; a secret masked, "" where it is not set."""
    info = Settings.model_fields[field]
    if value is None:
        return ""
    if is_secret(info):
        return MASK
    if isinstance(value, bool):
        return "on" if value else "off"
    if describe(info)[1] == DURATION:
        return span(value)
    return iso(value) if describe(info)[1] == INSTANT else str(value)
