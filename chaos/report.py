"""What rounds have come to, for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from chaos.rounds import Result

WIDTH_MIN = 140
WRONG_MAX = 12


def console() -> Console:
    """Where the report goes: as wide as the terminal, or wide enough for a log file."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH_MIN)


def show(out: Console, result: Result) -> None:
    """A table for one round: its attacks, and the verdict."""
    verdict = "[green]equal" if not result.wrong else "[red]DIFFERS"
    table = Table(
        title=f"seed {result.seed}: {result.case}, {result.seconds:.0f} s: {verdict}[/] {result.digest}",
        title_justify="left",
    )
    for column in ("attack", "at s", "for s", "taken", "what"):
        table.add_column(column, justify="left" if column in {"attack", "what"} else "right")
    for done in result.done:
        table.add_row(done.kind, f"{done.at_seconds:.1f}", f"{done.seconds:.1f}", str(done.taken), escape(done.what))
    out.print(table)
    for line in result.exits:
        out.print(escape(f"  {line}"), style="yellow", highlight=False)
    if result.repeated:
        out.print(f"  {result.repeated} alerts came twice, with the same bytes", highlight=False)
    for line in result.wrong[:WRONG_MAX]:
        out.print(escape(f"  {line}"), style="red", highlight=False)
    if result.wrong:
        out.print(f"  again: python -m chaos --rounds 1 --seed {result.seed}; logs in {result.folder}", style="bold")


def summary(out: Console, results: Sequence[Result], seconds: float) -> None:
    """One line for all."""
    equal = sum(not result.wrong for result in results)
    attacks = sum(len(result.done) for result in results)
    out.print(
        f"{equal} of {len(results)} rounds equal to the undisturbed run; {attacks} attacks in {seconds / 60:.1f} minutes"
    )
