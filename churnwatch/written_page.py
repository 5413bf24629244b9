"""A page of docs/ that is written from code: `python -m <module> [--check] [FILE]`.

Exit code 0: written, or current. 1: out of date, or the file cannot be written.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(module: str, page: Path, text: Callable[[], str], arguments: Sequence[str] | None = None) -> int:
    """Write or check a page; returns the exit code.

    Args:
        module: who writes it, as `python -m` takes it.
        page: where it lies, unless the arguments name another file.
        text: gives the whole page.
        arguments: of the command line; None for those of the process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Write {page.name} from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page is out of date")
    parser.add_argument("file", nargs="?", type=Path, default=page, help="the page (default: %(default)s)")
    asked = parser.parse_args(arguments)
    wanted = text()
    try:
        if not asked.check:
            asked.file.write_text(wanted, encoding="utf-8")
        elif not asked.file.is_file() or asked.file.read_text(encoding="utf-8") != wanted:
            print(f"{asked.file} is out of date: run `python -m {module}`", file=sys.stderr)
            return 1
    except OSError as error:
        print(
            f"{asked.file}: {error.strerror}; run this at the top of the repository, or name the file", file=sys.stderr
        )
        return 1
    return 0
