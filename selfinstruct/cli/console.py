"""Consoles on stdout and stderr, data on stdout, and the form of error messages."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def print_error(message: str, hint: str = "") -> None:
    """Print an error on stderr and, on the lines below, the hint."""
    from selfinstruct.render.text import printable

    lines = [f"selfinstruct: {message}", *([hint] if hint else [])]
    first, *others = (printable(line) for block in lines for line in block.splitlines() or [""])
    print(first, *(f"  {line.strip()}" for line in others), sep="\n", file=sys.stderr)


def console(stream: TextIO | None = None) -> Console:
    """Return a console on ``stream`` (default: stderr) that prints text as it is: no markup, emoji or highlighting."""
    from selfinstruct.cli.screen import Screen

    return Screen(file=stream or sys.stderr, markup=False, emoji=False, highlight=False)


def width_of(console: Console) -> int | None:
    """Return the width of a terminal in cells, or None for a file or a pipe, where lines are not cut."""
    return console.width if console.is_terminal else None


def print_json(value: Any) -> None:
    """Print a JSON value on stdout."""
    print_data(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def print_data(text: str) -> None:
    """Write text that programs read to stdout: UTF-8 in every locale, and the same line ends on every system.

    A lone surrogate is written as its escape, which JSON reads back.
    """
    if not hasattr(sys.stdout, "buffer"):  # redirected to a text in memory
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
