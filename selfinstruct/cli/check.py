"""``selfinstruct check``: check the rows of a file, for people and as a gate in CI."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_count
from selfinstruct.messages import _

GATE_FAILED = 1


class Format(StrEnum):
    """Output formats for findings."""

    TEXT = "text"
    JSON = "json"


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows to check; - reads stdin.")],
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Rules to check [default: inferred from the rows].")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Other rows that FILE must not repeat; repeatable.")
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = "utf-8",
    format: Annotated[Format, typer.Option(help="Output format.")] = Format.TEXT,
) -> int:
    """Check every row of a file and report each problem with its line; exit 1 if any is an error.

    Duplicates, contradictions and near-duplicates are reported at the later row. Without --recipe, the rules are
    inferred from the rows, and breaking an inferred length, category or similarity limit is only a warning. So is an
    answer that a reader, trained on the other rows, contradicts: `unanswered`, in files of 100 to 2,000 rows or by a
    recipe with [[verify]].
    """
    from selfinstruct import api

    tune_allocator()
    with show_count(console(), _("findings")) as watch:
        found = api.check(file, recipe=recipe, against=against or (), encoding=encoding, watch=watch)
    if format is Format.JSON:
        print_json(found.to_dict())
    else:
        from selfinstruct.render.findings import findings_text, verdict_text

        console(sys.stdout).print(findings_text(found), soft_wrap=True, end="")
        console().print(verdict_text(found, file), soft_wrap=True, end="")
    return GATE_FAILED if found.failed else 0
