"""The built-in recipes as a list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from selfinstruct.recipe.builtin import BuiltinRecipe
from selfinstruct.render.text import shorten


def recipes_text(built: Sequence[BuiltinRecipe], width: int | None) -> Text:
    """A line for each recipe: its name, what it makes, and a mark where it needs no model."""
    widest = max((len(each.name) for each in built), default=0)
    text = Text()
    for each in built:
        mark = "  " if each.needs_model else "* "
        room = None if width is None else width - widest - len(mark) - 4
        text.append(f"  {mark}", "green").append(f"{each.name:{widest}}", "cyan")
        text.append(f"  {shorten(each.summary, room)}\n")
    text.append("\n  * runs without a model. The others: selfinstruct run NAME --base-url URL --model NAME\n", "dim")
    text.append("  selfinstruct recipes show NAME prints one; init --recipe NAME copies it, to be edited\n", "dim")
    return text
