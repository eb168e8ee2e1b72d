"""The built-in recipes as a list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from selfinstruct.recipe.builtin import BuiltinRecipe
from selfinstruct.render.text import shorten


def recipes_text(built: Sequence[BuiltinRecipe], width: int | None) -> Text:
    """Return a line for each recipe: its name, the rows it makes, and a mark where it needs no model."""
    widest = max((len(each.name) for each in built), default=0)
    text = Text()
    for each in built:
        mark = "  " if each.needs_model else "* "
        room = None if width is None else width - widest - len(mark) - 4
        text.append(f"  {mark}", "green").append(f"{each.name:{widest}}", "cyan")
        text.append(f"  {shorten(each.summary, room)}\n")
    text.append("\n  * runs without a model\n\n", "dim")
    text.append(
        "  run    selfinstruct run NAME --model MODEL --base-url URL\n"
        "  print  selfinstruct recipes show NAME\n"
        "  copy   selfinstruct init --recipe NAME\n",
        "dim",
    )
    return text
