"""The use cases, and the only place where parts are put together.

    growing  run, plan, forecast (a dry run), open_run      models  who writes the rows
    files    check, init, dedup                             runs    show, report, export, rejudge
    recipes  the built-in ones: listed, shown, copied       recovering recover

``run`` and ``check`` have async twins. Every function takes paths ("-" is stdin), lists of dicts, or a pandas
DataFrame, and raises the errors of ``selfinstruct.errors``.
"""

from selfinstruct.analysis.dry_run import dry_run
from selfinstruct.api.builtin_recipes import copy_recipe, recipe_text, recipes
from selfinstruct.api.files import check, check_async, dedup, init, write_recipe
from selfinstruct.api.grow import Run, open_run, plan, run, run_async, run_directory, thresholds_of
from selfinstruct.api.inspect import export, rejudge, report, row_counts, show
from selfinstruct.api.recovery import recover

__all__ = [
    "Run",
    "check",
    "check_async",
    "copy_recipe",
    "dedup",
    "dry_run",
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
    "write_recipe",
]
