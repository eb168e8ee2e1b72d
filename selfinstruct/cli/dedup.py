"""``selfinstruct dedup``: remove near-duplicates from a file."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated, Any

import typer

from selfinstruct.cli.console import console, print_json
from selfinstruct.cli.engine import Engine, EngineOption, RayAddress
from selfinstruct.cli.engine_progress import show_engine
from selfinstruct.cli.memory import tune_allocator
from selfinstruct.cli.progress import show_count
from selfinstruct.messages import _


def dedup(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Row file, folder, glob, URL, or plain lines; - is stdin.")
    ],
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
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Output file for kept rows [default: stdout].")
    ] = None,
    dropped: Annotated[
        str | None, typer.Option(metavar="FILE", help="Output file for dropped rows, each with its nearest kept row.")
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    ray_address: RayAddress = None,
    work: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Checkpoints of --engine ray, seen by every machine [default: OUT.work]."),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print counts as JSON on stdout; write rows only to --out.")
    ] = False,
) -> int:
    """Keep the first row of each group of near-duplicates, in file order and byte for byte.

    Similarity is exact ROUGE-L. The file is streamed; only the tokens of kept rows stay in memory.
    With --engine ray the rows are the same to the byte, each worker needs little memory, and a killed command resumes.
    """
    from selfinstruct import api
    from selfinstruct.render.cleaning import cleaning_text
    from selfinstruct.rows import file_name

    tune_allocator()
    names = [name for part in (fields or "").split(",") if (name := part.strip())]
    screen = console()
    to = sys.stdout.buffer if out is None and not json else out
    settings: dict[str, Any] = {"fields": names, "max_rouge_l": max_rouge_l, "encoding": encoding, "dropped": dropped}
    if engine is Engine.RAY:
        # Ray prints its warnings to stdout, where rows or JSON may go.
        with show_engine(screen) as watch_stages, contextlib.redirect_stdout(sys.stderr):
            done = api.dedup(
                file, out=to, engine="ray", ray_address=ray_address, work=work, watch_stages=watch_stages, **settings
            )
    else:
        with show_count(screen, _("kept")) as watch:
            done = api.dedup(file, out=to, watch=watch, **settings)
    if json:
        print_json(done.to_dict())
    sys.stdout.flush()
    screen.print(cleaning_text(done, _("stdin") if file == "-" else file_name(file)), soft_wrap=True)
    return 0
