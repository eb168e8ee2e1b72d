"""The options of an engine that several commands have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Engine(StrEnum):
    """Where the work runs."""

    LOCAL = "local"
    RAY = "ray"


EngineOption = Annotated[
    Engine, typer.Option(metavar="local|ray", help="Where the work runs; ray: on all processors, or on a cluster.")
]
RayAddress = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Ray cluster [default: start one on this machine].")
]
