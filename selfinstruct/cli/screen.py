"""A console of rich that leaves a broken pipe to the command line, which has an exit code of its own for it."""

from __future__ import annotations

from rich.console import Console


class Screen(Console):
    """Prints text as it is: no markup, emoji or highlighting."""

    def on_broken_pipe(self) -> None:
        """Raise the error again; rich would exit with 1."""
        raise
