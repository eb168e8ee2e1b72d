"""``selfinstruct export``: write the rows of a run in a format that other tools read."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.columns import parse_columns
from selfinstruct.cli.console import console
from selfinstruct.messages import _, translated


class Format(StrEnum):
    """Output formats for rows."""

    JSONL = "jsonl"
    CSV = "csv"
    MESSAGES = "messages"
    TRIPLETS = "triplets"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    format: Annotated[Format, typer.Option(help="Output format.")] = Format.JSONL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PATH", help="Output file [default: stdout].")
    ] = None,
    with_seeds: Annotated[bool, typer.Option("--with-seeds", help="Include the seed rows, first.")] = False,
    columns: Annotated[
        str | None,
        typer.Option(metavar="ROLE=FIELD,...", help="Messages: user=FIELD,assistant=FIELD [default: inferred]."),
    ] = None,
    shuffle: Annotated[bool, typer.Option("--shuffle", help="Random order, with rows of one subject apart.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed of --shuffle.")] = 0,
    keep_formulas: Annotated[
        bool, typer.Option("--keep-formulas", help="CSV: write cells that look like formulas unchanged.")
    ] = False,
) -> int:
    """Write the accepted rows of a run, finished or in progress, with unchanged values.

    In messages, the user and the assistant say the fields that --columns or [roles] in the recipe names, or that their
    names suggest: question and answer, content and summary; instruction, input and output.
    Triplets are an anchor, a positive and a negative, from rows of query, positive and negatives.
    In CSV, a cell that a spreadsheet would read as a formula gets a leading apostrophe, and a note says how many.
    """
    from selfinstruct import api
    from selfinstruct.errors import spell_options
    from selfinstruct.render.text import counted, printable

    to = sys.stdout.buffer if out is None else out
    done = api.export(
        run,
        to,
        format=format.value,
        with_seeds=with_seeds,
        keep_formulas=keep_formulas,
        columns=parse_columns(columns),
        shuffle=shuffle,
        seed=seed,
    )
    sys.stdout.flush()
    screen = console()
    where = _("stdout") if out is None else printable(str(out))
    screen.print(_("wrote {rows} to {file}", rows=counted(done.rows, "row"), file=where), soft_wrap=True)
    if done.note:
        screen.print(spell_options(translated(done.note), {"keep_formulas": "--keep-formulas"}), soft_wrap=True)
    return 0
