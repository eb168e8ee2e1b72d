"""``selfinstruct rejudge``: parse and check the recorded replies of a run again."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.memory import tune_allocator


def rejudge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Recipe to judge by [default: the recipe of the run].")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Output file for the rows.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON on stdout.")] = False,
) -> int:
    """Parse and check the recorded replies of a run again, in their order, without a request.

    With the same code and recipe, the rows are the same, byte for byte. With another recipe, the counts show what it
    would change. The run itself is not changed.
    """
    from selfinstruct import api
    from selfinstruct.render.rejudge import rejudge_text

    tune_allocator()
    done = api.rejudge(run, recipe=recipe, out=out)
    if json:
        counts = {**asdict(done), "identical": done.identical}
        print_json(counts)
        return 0
    console(sys.stdout).print(rejudge_text(done, str(run)), soft_wrap=True, end="")
    return 0
