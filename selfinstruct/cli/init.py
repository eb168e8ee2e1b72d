"""``selfinstruct init``: write down what seeds suggest, as a recipe to edit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.cli.console import console


def init(
    seeds: Annotated[str, typer.Argument(metavar="[SEEDS]", help="Seed rows; - reads stdin.")] = "",
    recipe: Annotated[str, typer.Option(metavar="NAME", help="Copy a built-in recipe and its inputs instead.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to [default: stdout].")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> int:
    """Write the recipe that seeds suggest: fields, grounding, categories, likeness, each with its reason.

    It runs as it is. One seed row is enough for a recipe to begin with.
    """
    from selfinstruct import api
    from selfinstruct.render.text import printable

    if bool(recipe) == bool(seeds):
        raise typer.BadParameter("name either SEEDS or a built-in recipe: --recipe NAME")
    if recipe:
        file = out or Path(f"{recipe}.toml")
        for written in api.copy_recipe(recipe, file, force=force):
            console().print(printable(str(written)))
        console().print(f"Edit what you like, then: selfinstruct run {printable(str(file))}")
        return 0
    if out is None:
        sys.stdout.write(api.init(seeds))
        return 0
    api.init(seeds, out, force=force)
    console().print(f"{printable(str(out))} is written; edit it, then: selfinstruct run {printable(str(out))}")
    return 0
