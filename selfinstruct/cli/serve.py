"""``selfinstruct serve``: the service and its page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfinstruct.messages import _


def serve(
    outputs: Annotated[Path, typer.Argument(metavar="DIR", help="Directory of the runs.")] = Path("outputs"),
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port to listen on; 0 for a free one.")
    ] = 8750,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML file with users, limits, endpoints and host names.")
    ] = None,
) -> int:
    """Serve a page, and an HTTP API, to grow, review and download data sets.

    Prints a link with a token, which is needed for everything; the environment variable SELFINSTRUCT_TOKEN sets it.
    Stops at Ctrl-C or SIGTERM; runs that were growing go on at the next start.
    """
    from selfinstruct.cli.console import console
    from selfinstruct.service.serving import serve as run_service

    screen = console()

    def announce(link: str) -> None:
        """Print the link, once the page can be opened."""
        screen.print(_("Open {link}", link=link), soft_wrap=True)
        screen.print(_("Stop with Ctrl-C."))

    run_service(outputs, host=host, port=port, config=config, announce=announce)
    return 0
