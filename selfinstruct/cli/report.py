"""``selfinstruct report``: rewrite the files of a run from its journal and print its summary, or compare two runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json, width_of
from selfinstruct.errors import InputError
from selfinstruct.messages import _


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    other: Annotated[
        Path | None, typer.Argument(metavar="RUN2", help="A second one, to compare with the first.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Output file for the page that compares two runs."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures of the report as JSON on stdout.")] = False,
) -> int:
    """Rewrite rows.jsonl, summary.json, report.html, README.md and recipe.toml from the journal of a run.

    Works on a run in progress and on one that was killed. Sends no request and does not change the journal. With two
    runs, prints what differs between them and changes neither.
    """
    from selfinstruct import api
    from selfinstruct.render.summary import summary_text

    if other is not None:
        return _compare(run, other, out, json)
    if out is not None:
        raise InputError(
            "--out: only the comparison of two runs is written to a file",
            hint="Name two runs, or open report.html in the run directory.",
        )
    done = api.report_figures(run)
    if json:
        print_json(done.to_dict())
        return 0
    page = console(sys.stdout)
    page.print(summary_text(done.summary, run, str(run / "recipe.toml"), width_of(page)), soft_wrap=True, end="")
    return 0


def _compare(first: Path, second: Path, out: Path | None, json: bool) -> int:
    """Print the comparison of two runs, and write its page to ``out``."""
    from selfinstruct import api
    from selfinstruct.files import write_whole
    from selfinstruct.render.comparison import comparison_page, comparison_text

    found, recipes = api.compare_runs(first, second)
    names = (str(first), str(second))
    if out is not None:
        write_whole(out, comparison_page(found, names, recipes).encode())
    if json:
        print_json(found.to_dict())
        return 0
    page = console(sys.stdout)
    page.print(comparison_text(found, names, width_of(page)), soft_wrap=True, end="")
    if out is not None:
        console().print(_("Page: {file}", file=out))
    return 0
