"""selfinstruct grows a handful of seed rows into a large, balanced, verified data set.

    >>> import selfinstruct
    >>> grown = selfinstruct.run("seeds/logqa.jsonl", rows=1000, out="outputs/logqa")  # doctest: +SKIP
    >>> grown.summary.accepted  # doctest: +SKIP
    1000

``run`` and ``check`` take paths, lists of dicts or a pandas DataFrame; what they raise is in ``errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selfinstruct import errors
from selfinstruct._version import __version__

if TYPE_CHECKING:
    from selfinstruct.api import Run, check, check_async, run, run_async

__all__ = ["Run", "__version__", "check", "check_async", "errors", "run", "run_async"]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: so ``import selfinstruct`` takes no time."""
    if name in __all__:
        from selfinstruct import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
