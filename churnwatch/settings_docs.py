"""Writes docs/settings.md from the declarations of the settings, or checks that it is up to date.

    python -m churnwatch.settings_docs [--check] [FILE]

Exit code 0: written, or current. 1: out of date, or the file cannot be written.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from churnwatch.settings import Settings
from churnwatch.settings_fields import DURATION, describe
from churnwatch.settings_load import SPAN, allowed, is_secret, shown
from churnwatch.settings_sources import CONFIG_VARIABLE, public_name
from churnwatch.written_page import write_or_check

PAGE: Final = Path(__file__).parent.parent / "docs" / "settings.md"

HEAD: Final = f"""# Settings

Written by `python -m churnwatch.settings_docs`; edit the declarations in `churnwatch/settings_*.py` instead.

A setting is an environment variable, or a key of the one optional TOML file that `{CONFIG_VARIABLE}` (or
`churnwatch --config FILE`) names. The environment goes before the file, the file before the default. In the file a name
goes without the prefix and in lower case, and a table is a prefix; these two are the same:

```toml
kafka_bootstrap = "kafka:9092"

[kafka]
bootstrap = "kafka:9092"
```

Spans of time have a unit (`60d`, `1h`, `15m`, `30s`, `250ms`). An empty variable counts as not set. Secrets are masked
wherever settings are shown. An unknown name or a bad value stops every command at its start with exit code 1, a line for
each, which says what is allowed. `churnwatch config show` lists the settings in force and where each comes from,
`churnwatch config check` only checks them.
"""


def page() -> str:
    """Give the whole page."""
    groups = dict.fromkeys(describe(info)[0] for info in Settings.model_fields.values())
    return HEAD + "".join("\n" + "\n".join(_chapter(group)) + "\n" for group in groups)


def _chapter(group: str) -> Iterator[str]:
    yield f"## {group}\n"
    yield "| variable | default | takes | meaning |"
    yield "| --- | --- | --- | --- |"
    for field, info in Settings.model_fields.items():
        of, unit, meaning = describe(info)
        if of != group:
            continue
        default = shown(field, info.default)
        takes = "text, kept secret" if is_secret(info) else allowed(info).replace(SPAN, "a span")
        if unit and unit != DURATION and unit not in takes:
            takes = f"{takes} ({unit})"
        cells = (f"`{public_name(field)}`", f"`{default}`" if default else "", _cell(takes), _cell(meaning))
        yield f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; returns the exit code."""
    return write_or_check("churnwatch.settings_docs", PAGE, page, arguments)


if __name__ == "__main__":
    sys.exit(main())
