"""``selfinstruct recover``: what can be read of a damaged journal, as a new run."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console


def recover(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory whose journal is damaged.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="NEWDIR", help="An empty or a new directory.")],
) -> int:
    """Save what can be read of a damaged or cut journal into a run in a new directory; the old one stays as it is.

    A reply whose judgement was lost in part is judged again when the new run goes on, without a call.
    """
    from selfinstruct import api
    from selfinstruct.render.text import counted, printable

    found = api.recover(run, out)
    screen = console()
    where = printable(str(out))
    said = f"{counted(found.rows, 'row')} and {counted(found.replies, 'reply', 'replies')} are saved in {where}"
    screen.print(said, soft_wrap=True)
    for line in found.lost:
        screen.print(f"  {printable(line)}", soft_wrap=True)
    place = shlex.quote(where)
    screen.print(f"  go on  selfinstruct run {shlex.quote(f'{where}/recipe.toml')} --out {place}", soft_wrap=True)
    return 0
