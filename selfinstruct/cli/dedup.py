"""``selfinstruct dedup``: remove near-duplicates from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_count
from selfinstruct.messages import _


def dedup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Row file, folder of them, or plain lines; - is stdin.")],
    fields: Annotated[
        str | None, typer.Option(metavar="A,B", help="Fields to compare [default: all text fields].")
    ] = None,
    max_rouge_l: Annotated[
        float, typer.Option(metavar="X", help="Highest ROUGE-L F1 that two kept rows may have.")
    ] = 0.7,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = "utf-8",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Output file for kept rows [default: stdout].")
    ] = None,
    dropped: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Output file for dropped rows, each with its nearest kept row.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print counts as JSON on stdout; write rows only to --out.")
    ] = False,
) -> int:
    """Keep the first row of each group of near-duplicates, in file order and byte for byte.

    Similarity is exact ROUGE-L. The file is streamed; only the tokens of kept rows stay in memory.
    """
    from selfinstruct import api
    from selfinstruct.render.cleaning import cleaning_text

    tune_allocator()
    names = [name for part in (fields or "").split(",") if (name := part.strip())]
    screen = console()
    to = sys.stdout.buffer if out is None and not json else out
    with show_count(screen, _("kept")) as watch:
        done = api.dedup(
            file, fields=names, max_rouge_l=max_rouge_l, encoding=encoding, out=to, dropped=dropped, watch=watch
        )
    if json:
        print_json(done.to_dict())
    sys.stdout.flush()
    screen.print(cleaning_text(done, _("stdin") if file == "-" else file), soft_wrap=True)
    return 0
