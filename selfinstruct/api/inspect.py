"""Use cases over an existing run: show a row, judge its replies again, rewrite its files."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from selfinstruct.analysis.provenance import Provenance, trace_row
from selfinstruct.analysis.rejudge import Rejudged
from selfinstruct.analysis.rejudge import rejudge as rejudge_replies
from selfinstruct.analysis.report import Comparison, Report, build_report, compare
from selfinstruct.analysis.summary import summarise
from selfinstruct.api.runs import Run
from selfinstruct.files import open_whole
from selfinstruct.journal import holder_of
from selfinstruct.preparation import prepared_from_journal
from selfinstruct.recipe import Recipe, import_extension, load_recipe, to_toml
from selfinstruct.run_directory import open_history, read_evaluation, write_derived


def show(directory: str | Path, row: str | int) -> Provenance:
    """Return where a row of a run came from: ``row`` is its number, ``"s3"`` for a seed, ``"x17"`` for a rejection.

    Raises InputError if there is no such run or no such row.
    """
    with open_history(directory) as history:
        return trace_row(history, str(row))


def rejudge(
    directory: str | Path, *, recipe: str | Path | Recipe | None = None, out: str | Path | None = None
) -> Rejudged:
    """Parse and check a run's recorded replies again, by its own recipe or by ``recipe``, without calling a model.

    The rows that pass are written to ``out``, if given; the run itself is not changed.

    Raises InputError if there is no such run, RecipeError if ``recipe`` does not fit its seeds.
    """
    with open_history(directory) as history, contextlib.ExitStack() as stack:
        other = load_recipe(recipe, importer=import_extension) if isinstance(recipe, str | Path) else recipe
        prepared = prepared_from_journal(history, other)
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def report(directory: str | Path) -> Run:
    """Rewrite every file that is derived from a run's journal, also while the run is in progress; return the run.

    Raises InputError if there is no such run, StorageError if the journal cannot be read or a file not written.
    """
    return Run(Path(directory), report_figures(directory).summary)


def report_figures(directory: str | Path) -> Report:
    """Rewrite the files of a run as `report` does, and return the figures of its report.

    Raises InputError if there is no such run, StorageError if the journal cannot be read or a file not written.
    """
    place = Path(directory)
    while True:
        running = holder_of(place)
        with open_history(place) as history:
            prepared = prepared_from_journal(history)
            summary = summarise(history, prepared)
            if running is not None:
                summary = replace(summary, stopped="running")
            figures = write_derived(place, history, prepared, summary)
        # If the run has ended in the meantime, its own last files may have been replaced by these: start over.
        if running is None or holder_of(place) is not None:
            return figures


def report_html(directory: str | Path) -> str:
    """Return the report of a run as it is now, as a page that needs no other file; changes nothing.

    Raises InputError if there is no such run, StorageError if the journal cannot be read.
    """
    from selfinstruct.render.report import report_page

    place = Path(directory)
    running = holder_of(place)
    with open_history(place) as history:
        prepared = prepared_from_journal(history)
        summary = summarise(history, prepared)
        summary = summary if running is None else replace(summary, stopped="running")
        figures = build_report(history, prepared, summary)
    recipe = to_toml(prepared.recipe, prepared.reasons, place)
    return report_page(figures, prepared, recipe, read_evaluation(place))


def compare_runs(first: str | Path, second: str | Path) -> tuple[Comparison, tuple[Recipe, Recipe]]:
    """Return the figures of two runs side by side, and the recipes of both; changes no file.

    Raises InputError if there is no such run, StorageError if a journal cannot be read.
    """
    (a, own), (b, other) = _figures(first), _figures(second)
    return compare(a, b), (own, other)


def _figures(directory: str | Path) -> tuple[Report, Recipe]:
    with open_history(directory) as history:
        prepared = prepared_from_journal(history)
        return build_report(history, prepared, summarise(history, prepared)), prepared.recipe


def row_counts(directory: str | Path) -> tuple[int, int]:
    """Return the number of accepted rows of a run, and its quota. Raises InputError if there is no run."""
    with open_history(directory) as history:
        return history.state().accepted, sum(history.metadata().current_quotas.values())


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())
