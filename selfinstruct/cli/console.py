"""Where words go: a console on stderr, and the one form in which errors are told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def complain(message: str, hint: str = "") -> None:
    """Say on stderr what is wrong and, on the lines below, what to do."""
    from selfinstruct.render.text import printable

    lines = [f"selfinstruct: {message}", *([hint] if hint else [])]
    first, *others = (printable(line) for block in lines for line in block.splitlines() or [""])
    print(first, *(f"  {line.strip()}" for line in others), sep="\n", file=sys.stderr)


def console() -> Console:
    """A console on stderr that takes text as it is: no markup, no emoji, no guessing at what to colour."""
    from rich.console import Console

    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def width_of(console: Console) -> int | None:
    """The width of a terminal in cells; None for a file or a pipe, whose lines may be as long as they like."""
    return console.width if console.is_terminal else None
