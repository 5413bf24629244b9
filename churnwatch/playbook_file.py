"""Playbooks as TOML files: read, checked, and made into plays. The one that comes with Churnwatch lies beside `alerts.playbook`.

A fault is one line that names the file, the action, the field and what is allowed there; all faults are found at once.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from alerts.play import ACTIONS_IN_PLAYBOOK_MAX, Play
from churnwatch.playbook_format import CODE, CODE_WORDS, TAKES, Listed, When
from streams.errors import ConfigError

BYTES_MAX: Final = 256 << 10
GIVEN_MAX: Final = 60
"""Characters of a wrong value that are quoted."""

DEFAULT_NAME: Final = "the default playbook"


def read_playbook(path: Path | None) -> tuple[Play, ...]:
    """Read a playbook; None: the default one.

    Raises:
        ConfigError: it cannot be used; a line for each fault.
    """
    return parse_playbook(playbook_text(path), DEFAULT_NAME if path is None else str(path))


def playbook_text(path: Path | None) -> str:
    """Return a playbook as it stands in its file; None: the default one.

    Raises:
        ConfigError: there is none, or it is no text.
    """
    if path is None:
        return files("alerts").joinpath("default_playbook.toml").read_text(encoding="utf-8")
    try:
        with path.open("rb") as file:
            held = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; name a readable TOML file") from error
    if len(held) > BYTES_MAX:
        raise ConfigError(f"{path}: larger than {BYTES_MAX >> 10} kB, which no playbook is")
    try:
        return held.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error


@cache
def playbook_in_force(path: Path | None) -> tuple[Play, ...]:
    """Return the playbook that the settings name (`playbook_file`), read once a process.

    All partitions of a worker so go by the same, whatever becomes of the file while it runs.

    Raises:
        ConfigError: it cannot be used; one line, with the first fault and where to find the others.
    """
    try:
        return read_playbook(path)
    except ConfigError as error:
        first, *others = str(error).splitlines()
        more = f"; `churnwatch playbook check {path}` says {len(others)} more" if others else ""
        raise ConfigError(f"CHURNWATCH_PLAYBOOK_FILE: {first}{more}") from error


def parse_playbook(text: str, name: str) -> tuple[Play, ...]:
    """Return the plays in a TOML text, in its order; `name` says in faults where it came from.

    Raises:
        ConfigError: it cannot be used; a line for each fault.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of TOML's own kind, or a number, or nesting, without end
        raise ConfigError(f"{name}: not TOML: {error}") from error
    faults = list(_faults_of_all(tables))
    plays: list[Play] = []
    for code, table in tables.items():
        if not CODE.fullmatch(code):
            faults.append(f"{_quoted(code)} cannot be the name of an action; it takes {CODE_WORDS}")
        try:
            plays.extend(_plays(code, Listed.model_validate(table)))
        except ValidationError as error:
            faults.extend(_explain(code, detail) for detail in error.errors(include_url=False))
    if faults:
        raise ConfigError("\n".join(f"{name}: {fault}" for fault in faults))
    return tuple(plays)


def _faults_of_all(tables: Mapping[str, Any]) -> Iterator[str]:
    if not tables:
        yield "no action in it; `churnwatch playbook show --toml` prints one to start from"
    if len(tables) > ACTIONS_IN_PLAYBOOK_MAX:
        yield f"{len(tables)} actions; it takes up to {ACTIONS_IN_PLAYBOOK_MAX}"


def _plays(code: str, listed: Listed) -> Iterator[Play]:
    for when in listed.when:
        yield Play(
            code,
            listed.title,
            when.why,
            when.strength,
            reasons=tuple(when.reasons),
            segments=tuple(when.segments),
            kinds=tuple(when.kinds),
            bands=tuple(when.bands),
            value_at_risk_min=when.value_at_risk_min,
            contact=listed.contacts,
            channel=listed.channel,
            cool_down_ms=listed.cool_down,
            cost=listed.cost,
            budget_per_day=listed.budget_per_day,
        )


def _explain(code: str, detail: ErrorDetails) -> str:
    """Say a fault in words: which action and field, what stands there, what it takes."""
    place = [_named(code)]
    field = None
    for part in detail["loc"]:
        if isinstance(part, int) and place[-1] == "when":
            place[-1] = f"when {part + 1}"
        elif isinstance(part, str):
            place.append(_named(field := part))
    where, kind = ", ".join(place), detail["type"]
    if kind == "missing":
        return f"{where} is missing; it takes {TAKES[str(field)]}"
    if kind == "extra_forbidden":
        known = list((Listed if len(place) == 2 else When).model_fields)
        close = difflib.get_close_matches(str(field), known, n=1)
        advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        return f"{where}: no such field; {advice}"
    if kind in {"model_type", "model_attributes_type"}:
        head, model = (f"[{place[0]}]", Listed) if len(place) == 1 else (f"[[{place[0]}.when]]", When)
        return f"{where}: {_quoted(detail['input'])} is no table; it takes {head} with {', '.join(model.model_fields)}"
    if field is None:
        return f"{where}: {detail['msg'].removeprefix('Value error, ')}"
    return f"{where}: {_quoted(detail['input'])} is not allowed; it takes {TAKES[field]}"


def _named(name: str) -> str:
    """A name as it stands, or quoted where it is none: it goes to a terminal."""
    return name if CODE.fullmatch(name) else _quoted(name)


def _quoted(value: object) -> str:
    told = repr(value)
    return told if len(told) <= GIVEN_MAX else f"{told[:GIVEN_MAX]}…"
