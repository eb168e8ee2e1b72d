"""The values of ``--engine``."""

from __future__ import annotations

from enum import StrEnum


class Engine(StrEnum):
    """Where the work runs."""

    LOCAL = "local"
    RAY = "ray"
