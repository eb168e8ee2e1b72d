"""``selfinstruct mcp``: the service as tools of an assistant."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.errors import InputError


def mcp(
    outputs: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of the runs.")] = Path("outputs"),
    files: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder whose files the assistant may read, and add to.")
    ] = Path(),
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Use this running service; its token is read from SELFINSTRUCT_TOKEN."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file with limits and endpoints, as of serve.")
    ] = None,
) -> int:
    """Offer preview, run, status, sample, check and export to an assistant, by MCP on stdin and stdout.

    Needs the extra mcp. Runs go on as long as the assistant keeps the server; they resume when it starts it again.
    """
    try:
        import mcp as package
    except ImportError as exc:
        raise InputError(
            "`mcp` needs the package mcp, which is not installed", hint="Install it: pip install 'selfinstruct[mcp]'"
        ) from exc
    del package
    from selfinstruct.assistant.serving import serve_tools

    serve_tools(outputs, files=files, config=config, url=url, environment=os.environ)
    return 0
