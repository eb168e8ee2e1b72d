"""Runs that are there: where a row came from, and what their replies are worth by another recipe."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from selfinstruct.api.lists import read_lists
from selfinstruct.directory import recorded
from selfinstruct.files import open_whole
from selfinstruct.forecast import forecast as forecast
from selfinstruct.journal import JOURNAL_NAME
from selfinstruct.materials import Materials, gather
from selfinstruct.origin import Origin, origin
from selfinstruct.preparation import settled
from selfinstruct.recipe import Recipe, bind, load_recipe, parse_recipe
from selfinstruct.rejudging import Rejudged
from selfinstruct.rejudging import rejudge as rejudge_replies
from selfinstruct.rows import RowFile

if TYPE_CHECKING:
    pass


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
        stored = history.seeds()
        own = parse_recipe(str(history.notes()["recipe"]), f"{where}/{JOURNAL_NAME}", where)
        names = tuple(stored[0].row) if stored else tuple(own.fields)
        seeds = RowFile(own.seeds.file, "jsonl", [s.row for s in stored], [s.line for s in stored], names)
        judged_by = own if recipe is None else load_recipe(recipe)
        prepared = settled(seeds, bind(judged_by, names), {}, [], _materials(judged_by, Path(where)))
        if out is None:
            return rejudge_replies(history, prepared)
        file = stack.enter_context(open_whole(out))
        return rejudge_replies(history, prepared, keep=lambda line: _write_line(file, line))


def _materials(recipe: Recipe, where: Path) -> Materials:
    """What a recipe is conditioned on; its passages are the run's own, and so are the lists that the model wrote."""
    return read_lists(gather(recipe.model_copy(update={"documents": None})), recipe, where)


def _write_line(file: BinaryIO, line: str) -> None:
    file.write(f"{line}\n".encode())
