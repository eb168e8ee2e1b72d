"""The use cases, typed, and the only place where the parts are wired together.

    grow             run, plan                      session          one session of a run
    runs             Run, open_run                  connect          which backend a run uses
    files            check, init, dedup             inspect          show, rejudge, report
    builtin_recipes  list, read, copy               recovery         recover
    evaluation       evaluate                       probe            probe
    exporting        export                         verify           verify
    decisions        decide, settle                 batch_jobs       open_batch_jobs, cancel_batch_jobs
    schemas          schema

Functions take paths ("-" is stdin), rows as dicts, or a pandas DataFrame; they raise the errors of
``selfinstruct.errors``. Long-running ones have async twins. Does not print: that is for ``cli`` and ``render``.
Names are imported on first use, so that no command waits for what only the others need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfinstruct.analysis.dry_run import dry_run
    from selfinstruct.api.batch_jobs import cancel_batch_jobs, open_batch_jobs
    from selfinstruct.api.builtin_recipes import copy_recipe, recipe_text, recipes
    from selfinstruct.api.decisions import Decided, decide, settle
    from selfinstruct.api.division import number_of_parts
    from selfinstruct.api.evaluation import evaluate
    from selfinstruct.api.exporting import Exported, export
    from selfinstruct.api.files import check, check_async, dedup, dedup_async, init
    from selfinstruct.api.grow import plan, run, run_async, run_directory
    from selfinstruct.api.inspect import (
        compare_runs,
        rejudge,
        report,
        report_figures,
        report_html,
        row_counts,
        show,
    )
    from selfinstruct.api.probe import probe
    from selfinstruct.api.recovery import recover
    from selfinstruct.api.runs import Run, open_run, thresholds_of
    from selfinstruct.api.schemas import schema, schema_names
    from selfinstruct.api.verify import verify

_HOMES = {
    "selfinstruct.analysis.dry_run": ("dry_run",),
    "selfinstruct.api.batch_jobs": ("cancel_batch_jobs", "open_batch_jobs"),
    "selfinstruct.api.builtin_recipes": ("copy_recipe", "recipe_text", "recipes"),
    "selfinstruct.api.decisions": ("Decided", "decide", "settle"),
    "selfinstruct.api.division": ("number_of_parts",),
    "selfinstruct.api.evaluation": ("evaluate",),
    "selfinstruct.api.exporting": ("Exported", "export"),
    "selfinstruct.api.files": ("check", "check_async", "dedup", "dedup_async", "init"),
    "selfinstruct.api.grow": ("plan", "run", "run_async", "run_directory"),
    "selfinstruct.api.inspect": (
        "compare_runs",
        "rejudge",
        "report",
        "report_figures",
        "report_html",
        "row_counts",
        "show",
    ),
    "selfinstruct.api.probe": ("probe",),
    "selfinstruct.api.recovery": ("recover",),
    "selfinstruct.api.schemas": ("schema", "schema_names"),
    "selfinstruct.api.verify": ("verify",),
    "selfinstruct.api.runs": ("Run", "open_run", "thresholds_of"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Decided",
    "Exported",
    "Run",
    "cancel_batch_jobs",
    "check",
    "check_async",
    "compare_runs",
    "copy_recipe",
    "decide",
    "dedup",
    "dedup_async",
    "dry_run",
    "evaluate",
    "export",
    "init",
    "number_of_parts",
    "open_batch_jobs",
    "open_run",
    "plan",
    "probe",
    "recipe_text",
    "recipes",
    "recover",
    "rejudge",
    "report",
    "report_figures",
    "report_html",
    "row_counts",
    "run",
    "run_async",
    "run_directory",
    "schema",
    "schema_names",
    "settle",
    "show",
    "thresholds_of",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value
