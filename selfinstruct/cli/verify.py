"""``selfinstruct verify``: audit a run by other means than its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_stages

AUDIT_FAILED = 1


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    max_pairs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Pairs of rows to compare at most [default: 20,000,000,000]."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the claims as JSON on stdout.")] = False,
) -> int:
    """Audit a run by other means than its own; exit 1 if a claim does not hold.

    Every row is traced to the bytes of its reply and judged by the rules of the recipe again; every pair of rows is
    compared, without an index, and rouge-score itself judges the nearest ones; counts, quotas, the files and their
    checksums are compared with the journal. Of a run with more than --max-pairs pairs, a random sample of the rows is
    compared, each with every row before it. Nothing is changed.
    """
    from selfinstruct import api

    tune_allocator()
    with show_stages(console()) as watch:
        audit = api.verify(run, max_pairs=max_pairs, watch=watch)
    if json:
        print_json(audit.to_dict())
    else:
        from selfinstruct.render.audit import audit_text

        console(sys.stdout).print(audit_text(audit, str(run)), soft_wrap=True, end="")
    return 0 if audit.holds else AUDIT_FAILED
