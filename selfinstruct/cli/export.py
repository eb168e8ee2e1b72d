"""``selfinstruct export``: the rows of a run in a format that others read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console


class Format(StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    CSV = "csv"
    MESSAGES = "messages"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    format: Annotated[Format, typer.Option(help="How to write the rows.")] = Format.JSONL,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="PATH", help="Where to [default: stdout].")] = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="Put the seed rows in front.")] = False,
    keep_formulas: Annotated[
        bool, typer.Option("--keep-formulas", help="CSV: leave cells as they are that begin like a formula.")
    ] = False,
) -> int:
    """Write the accepted rows of a run, also while it goes on; values stay as they are.

    In CSV a cell that a spreadsheet would take for a formula gets an apostrophe in front; how many is told.
    """
    from selfinstruct import api
    from selfinstruct.render.text import counted, printable

    to = sys.stdout.buffer if out is None else out
    done = api.export(run, to, format=format.value, with_seeds=with_seeds, keep_formulas=keep_formulas)
    sys.stdout.flush()
    screen = console()
    where = "stdout" if out is None else printable(str(out))
    screen.print(f"{counted(done.rows, 'row')} to {where}", soft_wrap=True)
    if done.note:
        screen.print(done.note, soft_wrap=True)
    return 0
