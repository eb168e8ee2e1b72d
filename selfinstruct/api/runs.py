"""Runs that are there: where a row came from, and what their replies are worth by another recipe."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

from selfinstruct.directory import recorded
from selfinstruct.files import open_whole
from selfinstruct.forecast import forecast as forecast
from selfinstruct.origin import Origin, origin
from selfinstruct.preparation import remembered
from selfinstruct.recipe import load_recipe
from selfinstruct.rejudging import QUOTAS_NOTE, Rejudged
from selfinstruct.rejudging import rejudge as rejudge_replies


def show(where: str | Path, row: str) -> Origin:
    """Where a row of a run came from: ``row`` is its number, ``s3`` for a seed, ``x17`` for a rejection.

    Raises InputError where there is no such run or no such row.
    """
    with recorded(where) as history:
        return origin(history, row)


def rejudge(where: str | Path, *, recipe: str | Path | None = None, out: str | Path | None = None) -> Rejudged:
    """Parse and check a run's recorded replies again, by its own recipe or by ``recipe``; nothing is called.

    ``out`` is where the rows that come out are written; the run itself stays as it is. Raises InputError where
    there is no such run, RecipeError where the recipe does not fit its seeds.
    """
    with recorded(where) as history, contextlib.ExitStack() as stack:
        prepared = remembered(history, None if recipe is None else load_recipe(recipe))
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def kept(where: str | Path) -> tuple[int, int]:
    """How many rows a run has by now, and how many it is to have. Raises InputError where there is no run."""
    with recorded(where) as history:
        stages = history.notes().get(QUOTAS_NOTE) or [[0, {}]]
        return history.state().accepted, sum(stages[-1][1].values())


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())
