"""What attacks have come to, for people."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chaos.recovery import Recovery
from chaos.rounds import Result
from chaos.scenarios import Shown

WIDTH_MIN: Final = 140
WRONG_MAX: Final = 12
"""Lines of what is wrong that are shown; the first ones tell most."""


def console() -> Console:
    """Where the report goes: as wide as the terminal, or wide enough for a log file."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH_MIN)


def show(out: Console, result: Result) -> None:
    """A table for one round: its attacks, and the verdict."""
    verdict = "[red]DIFFERS[/]" if result.wrong else "[green]equal[/]"
    title = f"seed {result.seed}: {result.case}, {result.seconds:.0f} s: {verdict} {result.digest}"
    table = _table(title, "attack", "at s", "for s", "taken", "what")
    for done in result.done:
        table.add_row(done.kind, f"{done.at_seconds:.1f}", f"{done.seconds:.1f}", str(done.taken), escape(done.what))
    out.print(table)
    _lines(out, result.exits, "yellow")
    if result.resumed:
        resumed = ", ".join(f"{seconds:.1f}" for seconds in result.resumed)
        _lines(out, [f"after a kill, the worker's partitions went on after {resumed} s"])
    if result.repeated:
        _lines(out, [f"{result.repeated} alerts came twice, with the same bytes"])
    if result.wrong:
        again = f"again: python -m chaos --rounds 1 --seed {result.seed} (and the same --only and --case); logs in {result.folder}"
        _lines(out, [*result.wrong[:WRONG_MAX], again], "red")


def summary(out: Console, results: Sequence[Result], seconds: float) -> None:
    """One line for all rounds."""
    equal = sum(not result.wrong for result in results)
    attacks = sum(len(result.done) for result in results)
    wrong = [str(result.seed) for result in results if result.wrong]
    out.print(
        f"{equal} of {len(results)} rounds equal to the undisturbed run; {attacks} attacks in {seconds / 60:.1f} minutes"
        + (f"; seeds that differ: {', '.join(wrong)}" if wrong else "")
    )


def show_recovery(out: Console, found: Sequence[Recovery]) -> None:
    """A table of the kills."""
    if found:
        out.print(f"One worker takes {found[0].capacity:,.0f} events a second here; {found[0].rate:,.0f} came live")
    table = _table(
        "SIGKILL under load", "down s", "caught up after s", "allowed s", "lag before", "lag at most", "verdict"
    )
    for one in found:
        times = (one.down_seconds, one.caught_up_seconds, one.allowed_seconds)
        figures = [f"{seconds:.1f}" for seconds in times] + [f"{lag:,}" for lag in (one.lag_before, one.lag_max)]
        table.add_row(*figures, "[green]kept[/]" if one.kept else "[red]NOT KEPT[/]")
    out.print(table)


def show_scenario(out: Console, title: str, shown: Shown) -> None:
    """The lines of a scenario."""
    out.print(title, style="bold", highlight=False)
    _lines(out, shown.lines)
    _lines(out, shown.wrong[:WRONG_MAX], "red")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column in {"attack", "what", "verdict"} else "right")
    return table


def _lines(out: Console, lines: Sequence[str], style: str = "") -> None:
    for line in lines:
        out.print(escape(f"  {line}"), style=style, highlight=False)
