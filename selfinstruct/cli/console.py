"""Where words go: a console on stderr, and the one form in which errors are told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def print_error(message: str, hint: str = "") -> None:
    """Say on stderr what is wrong and, on the lines below, what to do."""
    from selfinstruct.render.text import printable

    lines = [f"selfinstruct: {message}", *([hint] if hint else [])]
    first, *others = (printable(line) for block in lines for line in block.splitlines() or [""])
    print(first, *(f"  {line.strip()}" for line in others), sep="\n", file=sys.stderr)


def console(stream: TextIO | None = None) -> Console:
    """A console on stderr, or on ``stream``, that takes text as it is: no markup, no emoji, no guessed colours."""
    from rich.console import Console

    return Console(file=stream or sys.stderr, markup=False, emoji=False, highlight=False)


def width_of(console: Console) -> int | None:
    """The width of a terminal in cells; None for a file or a pipe, whose lines may be as long as they like."""
    return console.width if console.is_terminal else None
