"""The built-in recipes as a list."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from selfinstruct.messages import _, translated
from selfinstruct.recipe.builtin import BuiltinRecipe
from selfinstruct.render.text import pad, shorten


def recipes_text(built: Sequence[BuiltinRecipe], width: int | None) -> Text:
    """Return a line for each recipe: its name, the rows it makes, and a mark where it needs no model."""
    widest = max((len(each.name) for each in built), default=0)
    text = Text()
    for each in built:
        mark = "  " if each.needs_model else "* "
        room = None if width is None else width - widest - len(mark) - 4
        text.append(f"  {mark}", "green").append(f"{each.name:{widest}}", "cyan")
        text.append(f"  {shorten(translated(each.summary), room)}\n")
    text.append(f"\n  {_('* runs without a model')}\n\n", "dim")
    for purpose, command in (
        (_("run"), "selfinstruct run NAME --model MODEL --base-url URL"),
        (_("print"), "selfinstruct recipes show NAME"),
        (_("copy"), "selfinstruct init --recipe NAME"),
    ):
        text.append(f"  {pad(purpose, 5)}  {command}\n", "dim")
    return text
