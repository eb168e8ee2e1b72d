"""``selfinstruct report``: rewrite the files of a run from its journal, and print its summary."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json, width_of


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    json: Annotated[bool, typer.Option("--json", help="Print the figures of the report as JSON on stdout.")] = False,
) -> int:
    """Rewrite rows.jsonl, summary.json, report.html, README.md and recipe.toml from the journal of a run.

    Works on a run in progress and on one that was killed. Sends no request and does not change the journal.
    """
    from selfinstruct import api
    from selfinstruct.render.summary import summary_text

    done = api.report_figures(run)
    if json:
        print_json(done.to_dict())
        return 0
    page = console(sys.stdout)
    page.print(summary_text(done.summary, run, str(run / "recipe.toml"), width_of(page)), soft_wrap=True, end="")
    return 0
