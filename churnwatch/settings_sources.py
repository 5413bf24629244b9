"""Where settings come from: the environment, then one TOML file; and how a setting is called out there.

A field `lateness_ms` is `CHURNWATCH_LATENESS` in the environment and `lateness` in the file; a table in the file is a
prefix (`[kafka] bootstrap` is `kafka_bootstrap`). An empty variable counts as not set, as compose files pass them on.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from typing_extensions import override

from streams.errors import ConfigError

ENV_PREFIX = "CHURNWATCH_"
CONFIG_VARIABLE = "CHURNWATCH_CONFIG"


def file_key(field: str) -> str:
    """Give the name of a setting in the TOML file.

    >>> file_key("lateness_ms")
    'lateness'
    """
    return field.removesuffix("_ms")


def public_name(field: str) -> str:
    """Give the name of a setting's environment variable.

    >>> public_name("lateness_ms")
    'CHURNWATCH_LATENESS'
    """
    return ENV_PREFIX + file_key(field).upper()


def config_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Give the TOML file's path, if one is named."""
    named = environ.get(CONFIG_VARIABLE)
    return Path(named) if named else None


def read_config(path: Path) -> dict[str, Any]:
    """Read a TOML file into flat keys; raises ConfigError where it cannot be read or is no TOML."""
    try:
        return flatten(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"{CONFIG_VARIABLE}={path}: {error.strerror}; name a readable TOML file or unset it"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{CONFIG_VARIABLE}={path}: not a TOML file: {error}") from error


def flatten(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn tables into prefixes.

    >>> flatten({"kafka": {"bootstrap": "a:1"}, "clock": "live"})
    {'kafka_bootstrap': 'a:1', 'clock': 'live'}
    """
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}_")
        else:
            flat[prefix + key] = value
    return flat


def file_values(fields: Iterable[str], found: Mapping[str, Any]) -> dict[str, Any]:
    """Pick the known keys of a file, by field; a bare number for a span of time stays text, so that its unit is missed."""
    values = {field: found[file_key(field)] for field in fields if file_key(field) in found}
    for field, value in values.items():
        if isinstance(value, datetime):
            values[field] = value.isoformat()
        elif field.endswith("_ms") and field != "replay_until_ms" and not isinstance(value, str):
            values[field] = str(value)
    return values


class _Source(PydanticBaseSettingsSource):
    """What both sources share: they answer for all fields at once."""

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        return self().get(field_name), field_name, False


class EnvironmentSource(_Source):
    """The settings found in the environment, as text."""

    @override
    def __call__(self) -> dict[str, Any]:
        names = {field: public_name(field) for field in self.settings_cls.model_fields}
        return {field: os.environ[name] for field, name in names.items() if os.environ.get(name)}


class FileSource(_Source):
    """The settings found in the TOML file, if one is named."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        path = config_path()
        self._found = {} if path is None else read_config(path)

    @override
    def __call__(self) -> dict[str, Any]:
        return file_values(self.settings_cls.model_fields, self._found)
