"""selfinstruct grows a handful of seed rows into a large, balanced, verified data set.

    >>> import selfinstruct
    >>> run = selfinstruct.run("seeds/logqa.jsonl", rows=1000, out="outputs/logqa")  # doctest: +SKIP
    >>> run.summary.accepted  # doctest: +SKIP
    1000

Functions take a path, rows as dicts, or a pandas DataFrame; what they raise is in ``selfinstruct.errors``. Names are
imported on first use, so that ``import selfinstruct`` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from selfinstruct import errors
from selfinstruct._version import __version__

if TYPE_CHECKING:
    from selfinstruct.analysis.cleaning import Cleaning
    from selfinstruct.analysis.evaluate import Evaluation
    from selfinstruct.analysis.findings import Finding, Findings, Measures
    from selfinstruct.analysis.provenance import Provenance
    from selfinstruct.analysis.rejudge import Rejudged
    from selfinstruct.analysis.summary import Bill, CategorySummary, Summary
    from selfinstruct.api import (
        Exported,
        Run,
        check,
        check_async,
        decide,
        dedup,
        dedup_async,
        evaluate,
        export,
        init,
        open_run,
        plan,
        rejudge,
        report,
        run,
        run_async,
        show,
    )
    from selfinstruct.backends.base import Backend
    from selfinstruct.checks import Check
    from selfinstruct.events import Snapshot
    from selfinstruct.preparation.prepare import Prepared
    from selfinstruct.recipe import Recipe, load_recipe
    from selfinstruct.records import Message, Rejection, Reply, Request

#: Where each public name is defined.
_HOMES = {
    "selfinstruct.analysis.cleaning": ("Cleaning",),
    "selfinstruct.analysis.evaluate": ("Evaluation",),
    "selfinstruct.analysis.findings": ("Finding", "Findings", "Measures"),
    "selfinstruct.analysis.summary": ("Bill", "CategorySummary", "Summary"),
    "selfinstruct.analysis.provenance": ("Provenance",),
    "selfinstruct.analysis.rejudge": ("Rejudged",),
    "selfinstruct.api": (
        *(
            "Exported",
            "Run",
            "check",
            "check_async",
            "decide",
            "dedup",
            "dedup_async",
            "evaluate",
            "export",
            "init",
            "open_run",
        ),
        *("plan", "rejudge", "report", "run", "run_async", "show"),
    ),
    "selfinstruct.backends.base": ("Backend",),
    "selfinstruct.checks": ("Check",),
    "selfinstruct.events": ("Snapshot",),
    "selfinstruct.preparation.prepare": ("Prepared",),
    "selfinstruct.recipe": ("Recipe", "load_recipe"),
    "selfinstruct.records": ("Message", "Rejection", "Reply", "Request"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Backend",
    "Bill",
    "CategorySummary",
    "Check",
    "Cleaning",
    "Evaluation",
    "Exported",
    "Finding",
    "Findings",
    "Measures",
    "Message",
    "Prepared",
    "Provenance",
    "Recipe",
    "Rejection",
    "Rejudged",
    "Reply",
    "Request",
    "Run",
    "Snapshot",
    "Summary",
    "__version__",
    "check",
    "check_async",
    "decide",
    "dedup",
    "dedup_async",
    "errors",
    "evaluate",
    "export",
    "init",
    "load_recipe",
    "open_run",
    "plan",
    "rejudge",
    "report",
    "run",
    "run_async",
    "show",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
