"""Write docs/cli.md from the help of the commands: python docs/generate_cli.py (a test checks that it is current)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from selfinstruct.cli import application
from selfinstruct.cli.exit_codes import EXIT_CODES

_TOP = """\
# The command line

Generated from `selfinstruct COMMAND --help` by `docs/generate_cli.py`; edit the help, not this page.

Data and JSON go to stdout, everything else to stderr. `-` reads stdin. File formats are recognised by content, not by
name. `NO_COLOR` is honoured. Help and messages are in Chinese if the locale (`LC_ALL`, `LC_MESSAGES`, `LANG`) is,
or with `SELFINSTRUCT_LANG=zh`. Exit codes:

| code | meaning |
|---:|---|
"""


def text() -> str:
    """Return the page."""
    group = typer.main.get_command(application())
    bare: dict[str, Any] = {"resilient_parsing": True, "terminal_width": 80}
    top = group.make_context("selfinstruct", [], **bare)
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    parts = [_TOP + codes, _block("selfinstruct", group.get_help(top))]
    for name, command in getattr(group, "commands", {}).items():
        parts.append(_block(f"selfinstruct {name}", command.get_help(command.make_context(name, [], top, **bare))))
    return "\n".join(parts)


def _block(title: str, help_text: str) -> str:
    return f"## {title}\n\n```\n{help_text.rstrip()}\n```\n"


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(text(), encoding="utf-8")
