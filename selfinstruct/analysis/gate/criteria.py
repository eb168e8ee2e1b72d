"""What the rows of a file are judged by: the rules of a recipe, or rules inferred from the rows themselves.

Does not handle: judging (``checks``); kinds of findings that need no rule.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from selfinstruct.checks import Criteria
from selfinstruct.errors import InputError
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.preparation.seed_checks import check_seeds
from selfinstruct.preparation.source import read_source
from selfinstruct.preparation.thresholds import CAP, thresholds
from selfinstruct.recipe import Gate, Importer, bind
from selfinstruct.records import Row
from selfinstruct.rows import RowFile
from selfinstruct.rows.optional_keys import odd_rows, optional_keys

#: Rows used for inference, which takes about a millisecond a row; more add nothing.
_SAMPLE = 500
#: Rows whose category is kept: more than are compared together.
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Rules:
    """The criteria of a data set, and whether they were ``inferred`` from its own rows."""

    criteria: Criteria
    inferred: bool

    @property
    def gate(self) -> Gate:
        """The settings of the gate: those of the recipe."""
        return self.criteria.recipe.gate


def given_rules(path: str, importer: Importer | None) -> Rules:
    """The rules of a recipe, with the categories and thresholds of its seeds."""
    seeds, recipe = read_source(path, importer=importer)
    if recipe is None:
        raise InputError(
            "{path}: contains rows, not a recipe", hint="Write a recipe for them: selfinstruct init {path}", path=path
        )
    recipe = bind(recipe, seeds.fields)
    sound, _ = check_seeds(seeds, recipe, skip=True)
    statistics = value_statistics(recipe, sound.rows)
    categories = make_categories(recipe, statistics)
    limits = thresholds(recipe, categories, statistics)
    return Rules(Criteria(recipe, limits, _remembering(categories.of)), inferred=False)


def inferred_rules(file: RowFile, *, whatever_order: bool = False) -> Rules:
    """The rules inferred from the rows, with the highest threshold that inference can give.

    With ``whatever_order`` they are the same in whatever order the rows are: inference compares halves of the rows.
    """
    optional = optional_keys(file.rows)
    odd = {at for at, *_ in odd_rows(file.rows, optional)}
    shaped = [at for at in range(len(file.rows)) if at not in odd]
    if not optional or not shaped:
        shape, _ = Counter(tuple(sorted(row)) for row in file.rows).most_common(1)[0]
        shaped = [at for at, row in enumerate(file.rows) if tuple(sorted(row)) == shape]
    chosen = shaped
    if len(shaped) > _SAMPLE:
        # By their content, so that the sample is the same in whatever order the rows are.
        chosen = sorted(heapq.nsmallest(_SAMPLE, shaped, key=lambda at: _checksum(file.rows[at])))
    if whatever_order:
        chosen = sorted(chosen, key=lambda at: _checksum(file.rows[at]))
    sample = replace(
        file.selected(chosen), fields=tuple(dict.fromkeys(name for at in shaped for name in file.rows[at]))
    )
    rows = sample.rows
    inferred = infer(sample)
    recipe = inferred.recipe
    # A label's values are read off all rows, the templates off the sample.
    all_rows = [file.rows[at] for at in shaped] if recipe.categories.by == "field" else rows
    categories = make_categories(recipe, value_statistics(recipe, all_rows, inferred.statistics))
    return Rules(Criteria(recipe, dict.fromkeys(categories.names, CAP), _remembering(categories.of)), inferred=True)


def _remembering(categorise: Callable[[Row], str]) -> Callable[[Row], str]:
    """The function with its last results kept: the category of one row is asked for several times."""
    known: dict[int, tuple[Row, str]] = {}

    def of(row: Row) -> str:
        found = known.get(id(row))
        if found is None or found[0] is not row:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[id(row)] = row, categorise(row)
        return found[1]

    return of


def _checksum(row: Row) -> int:
    return zlib.crc32(json.dumps(row, sort_keys=True).encode())
