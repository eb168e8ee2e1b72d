"""The use cases, typed, and the only place where the parts are wired together.

    grow             run, plan                      session          one session of a run
    runs             Run, open_run                  connect          which backend a run uses
    files            check, init, dedup             inspect          show, rejudge, report, export
    builtin_recipes  list, read, copy               recovery         recover
    evaluation       evaluate

Functions take paths ("-" is stdin), rows as dicts, or a pandas DataFrame; they raise the errors of
``selfinstruct.errors``. Long-running ones have async twins. Does not print: that is for ``cli`` and ``render``.
"""

from selfinstruct.analysis.dry_run import dry_run
from selfinstruct.api.builtin_recipes import copy_recipe, recipe_text, recipes
from selfinstruct.api.evaluation import evaluate
from selfinstruct.api.files import check, check_async, dedup, dedup_async, init
from selfinstruct.api.grow import plan, run, run_async, run_directory
from selfinstruct.api.inspect import Exported, export, rejudge, report, row_counts, show
from selfinstruct.api.recovery import recover
from selfinstruct.api.runs import Run, open_run, thresholds_of

__all__ = [
    "Exported",
    "Run",
    "check",
    "check_async",
    "copy_recipe",
    "dedup",
    "dedup_async",
    "dry_run",
    "evaluate",
    "export",
    "init",
    "open_run",
    "plan",
    "recipe_text",
    "recipes",
    "recover",
    "rejudge",
    "report",
    "row_counts",
    "run",
    "run_async",
    "run_directory",
    "show",
    "thresholds_of",
]
