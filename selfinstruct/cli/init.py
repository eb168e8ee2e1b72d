"""``selfinstruct init``: infer a recipe from seed rows, to edit and run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_data
from selfinstruct.messages import _


def init(
    seeds: Annotated[str, typer.Argument(metavar="SEEDS", help="Seed rows; - reads stdin.")] = "",
    recipe: Annotated[str, typer.Option(metavar="NAME", help="Copy a built-in recipe and its inputs instead.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Output file [default: stdout].")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of files that are not UTF-8, such as gb18030 or big5.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> int:
    """Infer a recipe from seed rows: fields, grounding, categories and thresholds, each with its reason.

    The recipe runs as it is. One seed row is enough to start from.
    """
    from selfinstruct import api
    from selfinstruct.render.text import printable

    if bool(recipe) == bool(seeds):
        raise typer.BadParameter(_("Expected either SEEDS or --recipe NAME."))
    if recipe:
        file = out or Path(f"{recipe}.toml")
        for written in api.copy_recipe(recipe, file, force=force):
            console().print(printable(str(written)))
        console().print(_("Edit the recipe, then run: selfinstruct run {file}", file=printable(str(file))))
        return 0
    if out is None:
        print_data(api.init(seeds, encoding=encoding))
        return 0
    api.init(seeds, out, force=force, encoding=encoding)
    console().print(_("wrote {file}; edit it, then run: selfinstruct run {file}", file=printable(str(out))))
    return 0
