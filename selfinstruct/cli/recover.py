"""``selfinstruct recover``: make a new run from what is readable of a damaged journal."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console
from selfinstruct.messages import _, translated


def recover(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory whose journal is damaged.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="NEWDIR", help="A new or empty directory.")],
) -> int:
    """Copy the readable part of a damaged journal into a run in a new directory; the old one is not changed.

    Replies whose judgements were lost are judged again when the new run resumes, without a request.
    """
    from selfinstruct import api
    from selfinstruct.render.text import counted, printable

    found = api.recover(run, out)
    screen = console()
    where = printable(str(out))
    counts = {"rows": counted(found.rows, "row"), "replies": counted(found.replies, "reply", "replies")}
    screen.print(_("recovered {rows} and {replies} in {directory}", **counts, directory=where), soft_wrap=True)
    for line in found.lost:
        screen.print(f"  {printable(translated(line))}", soft_wrap=True)
    place = shlex.quote(where)
    screen.print(
        f"  {_('resume')}  selfinstruct run {shlex.quote(f'{where}/recipe.toml')} --out {place}", soft_wrap=True
    )
    return 0
