"""``selfinstruct show``: where a row came from, or why a candidate was rejected."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, width_of


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    row: Annotated[
        str,
        typer.Argument(
            metavar="ROW", help="Number of a row in rows.jsonl (12), a seed (s3) or a rejected candidate (x17)."
        ),
    ],
) -> int:
    """Show a row with its category, the request and reply that it came from, and its nearest rows.

    For a rejected candidate, show the reason and the row that it conflicts with.
    """
    from selfinstruct import api
    from selfinstruct.errors import InputError
    from selfinstruct.render.provenance import provenance_text

    found = api.show(run, row)
    threshold = None
    with contextlib.suppress(InputError):  # a run in progress, or a killed one, has no summary yet
        threshold = api.thresholds_of(api.open_run(run)).get(found.category)
    page = console(sys.stdout)
    page.print(provenance_text(found, threshold, width_of(page)), soft_wrap=True, end="")
    return 0
