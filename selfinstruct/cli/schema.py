"""``selfinstruct schema``: the JSON Schemas of what the command line writes for programs."""

from __future__ import annotations

from typing import Annotated

import typer

from selfinstruct.cli.console import print_data, print_json


def schema(name: Annotated[str, typer.Argument(metavar="NAME", help="A name of the list.")] = "") -> int:
    """Print the JSON Schema (2020-12) of a format; without NAME, list the formats.

    The version of a format is in its `$id`. Later versions may add keys; where a key is renamed, removed or means
    something else, the version changes. In a recipe, `#:schema recipe.json` on the first line has editors check it.
    """
    from selfinstruct import api

    if name:
        print_json(api.schema(name))
        return 0
    titles = api.schema_names()
    width = max(map(len, titles))
    print_data("".join(f"{each:{width}}  {title}\n" for each, title in titles.items()))
    return 0
