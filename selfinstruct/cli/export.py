"""``selfinstruct export``: write the rows of a run in a format that other tools read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console


class Format(StrEnum):
    """Output formats for rows."""

    JSONL = "jsonl"
    CSV = "csv"
    MESSAGES = "messages"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    format: Annotated[Format, typer.Option(help="Output format.")] = Format.JSONL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PATH", help="Output file [default: stdout].")
    ] = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="Include the seed rows, first.")] = False,
    keep_formulas: Annotated[
        bool, typer.Option("--keep-formulas", help="CSV: write cells that look like formulas unchanged.")
    ] = False,
) -> int:
    """Write the accepted rows of a run, finished or in progress, with unchanged values.

    In CSV, a cell that a spreadsheet would read as a formula gets a leading apostrophe, and a note says how many.
    """
    from selfinstruct import api
    from selfinstruct.errors import spell_options
    from selfinstruct.render.text import counted, printable

    to = sys.stdout.buffer if out is None else out
    done = api.export(run, to, format=format.value, with_seeds=with_seeds, keep_formulas=keep_formulas)
    sys.stdout.flush()
    screen = console()
    where = "stdout" if out is None else printable(str(out))
    screen.print(f"wrote {counted(done.rows, 'row')} to {where}", soft_wrap=True)
    if done.note:
        screen.print(spell_options(done.note, {"keep_formulas": "--keep-formulas"}), soft_wrap=True)
    return 0
