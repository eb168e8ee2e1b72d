"""``selfinstruct recipes``: list and print the built-in recipes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from selfinstruct.cli.console import console, print_data, width_of
from selfinstruct.messages import _


def recipes() -> typer.Typer:
    """Return the command with its subcommand ``show``."""
    app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
    app.callback()(list_recipes)
    app.command("show", short_help=_("Print a built-in recipe."))(show)
    return app


def list_recipes(context: typer.Context) -> int:
    """List the built-in recipes, with the rows that each one produces and whether it needs a model."""
    if context.invoked_subcommand is not None:
        return 0
    from selfinstruct import api
    from selfinstruct.render.recipes import recipes_text

    page = console(sys.stdout)
    page.print(recipes_text(api.recipes(), width_of(page)), soft_wrap=True, end="")
    return 0


def show(name: Annotated[str, typer.Argument(metavar="NAME", help="A name from selfinstruct recipes.")]) -> int:
    """Print a built-in recipe; its header describes the rows, the method and the requirements."""
    from selfinstruct import api

    print_data(api.recipe_text(name))
    return 0
