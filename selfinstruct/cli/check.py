"""``selfinstruct check``: the checks over a file that is there, as a gate for people and for CI."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from selfinstruct.cli.console import console
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_count

GATE_FAILED = 1


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"


def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Rows to check; - reads stdin.")],
    recipe: Annotated[
        str | None, typer.Option(metavar="FILE", help="Rules [default: those that the rows suggest].")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Rows that FILE must not repeat; may be given again.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How to write the findings.")] = Format.TEXT,
) -> int:
    """Check every row of a file and tell each fault with its line; exit 1 where one is an error.

    Duplicates, contradictions and near-duplicates are told of the later row. Where no recipe is given, a breach of
    what was only inferred (a length, a category, likeness) is a warning.
    """
    from selfinstruct import api

    tune_allocator()
    with show_count(console(), "findings") as watch:
        found = api.check(file, recipe=recipe, against=against or (), watch=watch)
    if format is Format.JSON:
        sys.stdout.write(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) + "\n")
    else:
        from selfinstruct.render.findings import findings_text, verdict_text

        console(sys.stdout).print(findings_text(found), soft_wrap=True, end="")
        console().print(verdict_text(found, file), soft_wrap=True, end="")
    return GATE_FAILED if found.failed else 0
