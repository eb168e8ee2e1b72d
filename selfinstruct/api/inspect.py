"""Use cases over an existing run: show a row, judge its replies again, rewrite its files, export its rows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import BinaryIO

from selfinstruct.analysis.provenance import Provenance, trace_row
from selfinstruct.analysis.rejudge import Rejudged
from selfinstruct.analysis.rejudge import rejudge as rejudge_replies
from selfinstruct.analysis.summary import summarise
from selfinstruct.api.runs import Run
from selfinstruct.errors import InputError
from selfinstruct.exports import FORMATS, export_rows, write_messages, write_table
from selfinstruct.files import open_whole
from selfinstruct.journal import History, holder_of
from selfinstruct.preparation import chat_roles, prepared_from_journal, roles_of_columns
from selfinstruct.recipe import Roles, import_extension, load_recipe
from selfinstruct.run_directory import open_history, write_derived

#: Rows whose texts tell which field asks, where a run has no seeds.
_EXAMPLES = 50


@dataclass(frozen=True, slots=True)
class Exported:
    """The outcome of an export: the number of rows written, and a note for the user ("" if there is none)."""

    rows: int
    note: str = ""


def show(directory: str | Path, row: str | int) -> Provenance:
    """Return where a row of a run came from: ``row`` is its number, ``"s3"`` for a seed, ``"x17"`` for a rejection.

    Raises InputError if there is no such run or no such row.
    """
    with open_history(directory) as history:
        return trace_row(history, str(row))


def rejudge(directory: str | Path, *, recipe: str | Path | None = None, out: str | Path | None = None) -> Rejudged:
    """Parse and check a run's recorded replies again, by its own recipe or by ``recipe``, without calling a model.

    The rows that pass are written to ``out``, if given; the run itself is not changed.

    Raises InputError if there is no such run, RecipeError if ``recipe`` does not fit its seeds.
    """
    with open_history(directory) as history, contextlib.ExitStack() as stack:
        other = None if recipe is None else load_recipe(recipe, importer=import_extension)
        prepared = prepared_from_journal(history, other)
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def report(directory: str | Path) -> Run:
    """Rewrite every file that is derived from a run's journal, also while the run is in progress; return the run.

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
            write_derived(place, history, prepared, summary)
        # If the run has ended in the meantime, its own last files may have been replaced by these: start over.
        if running is None or holder_of(place) is not None:
            return Run(place, summary)


def export(
    directory: str | Path,
    out: str | Path | BinaryIO,
    *,
    format: str = "jsonl",
    with_seeds: bool = False,
    keep_formulas: bool = False,
    columns: Mapping[str, str] | None = None,
    shuffle: bool = False,
    seed: int = 0,
) -> Exported:
    """Write a run's accepted rows to ``out``, a path or an open binary file; a run in progress may be exported too.

    ``format`` is one of ``selfinstruct.exports.FORMATS``; ``with_seeds`` writes the seeds first. In CSV, cells that a
    spreadsheet would evaluate as a formula are prefixed with an apostrophe, unless ``keep_formulas``. ``columns``
    names the fields that the user and the assistant say in messages, such as ``{"user": "q", "assistant": "a"}``; by
    default the recipe's roles, or the fields' names, decide. ``shuffle`` orders the rows at random, by ``seed``, with
    rows of the same batch apart.

    Raises InputError if there is no such run or format, StorageError if the file cannot be written.
    """
    if format not in FORMATS:
        raise InputError(f"`format`: unknown value {format!r}", hint=f"Choose one of {', '.join(FORMATS)}.")
    if columns and format != "messages":
        raise InputError("`columns` has no effect on this format", hint="Set `format=messages`.")
    write = partial(write_table, keep_formulas=keep_formulas) if format == "csv" else FORMATS[format]
    with open_history(directory) as history, contextlib.ExitStack() as stack:
        file = stack.enter_context(open_whole(out)) if isinstance(out, str | Path) else out
        if format == "messages":
            roles, fallback = _roles(history, columns)
            write = partial(write_messages, roles=roles, fallback=fallback)
        rows = export_rows(history, with_seeds=with_seeds, shuffle=Random(seed) if shuffle else None)
        return Exported(*write(rows, file))


def _roles(history: History, columns: Mapping[str, str] | None) -> tuple[Roles | None, Roles | None]:
    """The roles of fields in messages that the user names, and else those that their rules suggest."""
    prepared = prepared_from_journal(history)
    recipe, seeds = prepared.recipe, prepared.seeds.rows
    if columns:
        return roles_of_columns(columns, tuple(recipe.fields)), None
    if recipe.roles is not None:
        return recipe.roles, None
    return None, chat_roles(recipe, seeds or [grown.row for grown in islice(history.rows(), _EXAMPLES)])


def row_counts(directory: str | Path) -> tuple[int, int]:
    """Return the number of accepted rows of a run, and its quota. Raises InputError if there is no run."""
    with open_history(directory) as history:
        return history.state().accepted, sum(history.metadata().current_quotas.values())


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())
