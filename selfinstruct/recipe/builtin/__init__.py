"""The built-in recipes: TOML files beside this one, and the inputs that they name, in ``inputs/``.

A recipe's first lines are comments: what it makes, where the method is from, what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
#: The directory of inputs next to a recipe, both here and in copies.
INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class BuiltinRecipe:
    """A built-in recipe: its name, its first words about itself, and whether it needs a model."""

    name: str
    summary: str
    needs_model: bool


def names() -> list[str]:
    """The names of the built-in recipes, in the order of the alphabet."""
    return sorted(file.stem for file in _HERE.glob("*.toml"))


def path(name: str) -> Path:
    """The file of a built-in recipe."""
    return _HERE / f"{name}.toml"


def header(name: str) -> list[str]:
    """What a recipe says of itself in the comment at its top, line by line."""
    lines = []
    for line in path(name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return lines
