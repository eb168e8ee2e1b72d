"""Write docs/cli.md from the commands' own help: python docs/generate_cli.py (a test says when it is due)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from selfinstruct.cli import application

_TOP = """\
# The command line

Generated from `selfinstruct COMMAND --help` by `docs/generate_cli.py`; edit the help, not this page.

Data and JSON go to stdout, everything else to stderr. `-` reads stdin. What a file holds is told by its content, not
by its name. `NO_COLOR` is honoured. Exit codes:

| code | meaning |
|---:|---|
| 0 | done |
| 1 | a gate failed: `check` found an error |
| 2 | the command line, a recipe or a row file cannot be used |
| 3 | the endpoint or the disk failed; what came is kept |
| 4 | stopped short of the quota; what came is kept |
| 70 | a fault of the program itself |
| 130 | interrupted; what came is kept, and the same command goes on |
| 141 | whoever read the output has gone |
"""


def text() -> str:
    """The page as it should be."""
    group = typer.main.get_command(application())
    bare: dict[str, Any] = {"resilient_parsing": True, "terminal_width": 80}
    top = group.make_context("selfinstruct", [], **bare)
    parts = [_TOP, _block("selfinstruct", group.get_help(top))]
    for name, command in getattr(group, "commands", {}).items():
        parts.append(_block(f"selfinstruct {name}", command.get_help(command.make_context(name, [], top, **bare))))
    return "\n".join(parts)


def _block(title: str, said: str) -> str:
    return f"## {title}\n\n```\n{said.rstrip()}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(text(), encoding="utf-8")
