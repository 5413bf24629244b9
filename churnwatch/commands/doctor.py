"""`churnwatch doctor`: is everything as it must be?"""

import asyncio
from dataclasses import asdict
from typing import Final

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json

MARKS: Final = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}


def doctor(*, as_json: Json = False) -> None:
    """Examine settings, Kafka, topics, Redis, state and model; a line each, and what to do. Ends with 1 if one fails.

    Changes nothing.

    Try:

    - `churnwatch doctor`

    - `churnwatch doctor --json | jq '.findings[] | select(.status == "fail")'`
    """
    from churnwatch.doctor import examine
    from churnwatch.finding import Finding

    settings = load_settings()

    async def collect() -> list[Finding]:
        findings = []
        async for finding in examine(settings):
            findings.append(finding)
            if not as_json:
                advice = f" -> {finding.advice}" if finding.advice else ""
                say(f"{MARKS[finding.status]} {finding.what}: {finding.found}{advice}")
        return findings

    findings = asyncio.run(collect())
    failed = sum(finding.status == "fail" for finding in findings)
    if as_json:
        say_json({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        say(f"{failed} things must be put right." if failed else "All is well.")
    if failed:
        raise typer.Exit(1)
