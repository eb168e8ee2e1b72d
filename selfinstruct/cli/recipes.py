"""``selfinstruct recipes``: the built-in recipes, listed and shown."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from selfinstruct.cli.console import console, width_of


def recipes() -> typer.Typer:
    """The command and its one subcommand."""
    app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
    app.callback()(listed)
    app.command("show", short_help="Print a built-in recipe.")(show)
    return app


def listed(context: typer.Context) -> int:
    """List the built-in recipes: what each makes, and whether it needs a model."""
    if context.invoked_subcommand is not None:
        return 0
    from selfinstruct import api
    from selfinstruct.render.recipes import recipes_text

    page = console(sys.stdout)
    page.print(recipes_text(api.recipes(), width_of(page)), soft_wrap=True, end="")
    return 0


def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A recipe that `recipes` lists.")]) -> int:
    """Print a built-in recipe: its header says what it makes, where the method is from and what it needs."""
    from selfinstruct import api

    sys.stdout.write(api.recipe_text(name))
    return 0
