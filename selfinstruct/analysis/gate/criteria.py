"""What the rows of a file are judged by: the rules of a recipe, or rules inferred from the rows themselves.

Does not handle: judging (``checks``); kinds of findings that need no rule.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter

from selfinstruct.checks import Criteria
from selfinstruct.errors import InputError
from selfinstruct.preparation.categories import Categorizer, FieldCategories
from selfinstruct.preparation.infer import infer, make_categories, value_statistics
from selfinstruct.preparation.seed_checks import check_seeds
from selfinstruct.preparation.source import read_source
from selfinstruct.preparation.thresholds import CAP, thresholds
from selfinstruct.recipe import Gate, Importer, bind
from selfinstruct.records import JSON, Row
from selfinstruct.rows import RowFile
from selfinstruct.rows.optional_keys import Shapes, odd_shapes, optional_of, shapes_of

#: Rows used for inference, which takes about a millisecond a row; more add nothing.
SAMPLE = 500
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
    usual = dict.fromkeys(usual_shapes(shapes_of(file.rows)))
    shaped = [at for at in range(len(file.rows)) if tuple(file.rows[at]) in usual]
    ranked = ((row_checksum(file.rows[at]), at) for at in shaped)
    chosen = chosen_rows(ranked, whatever_order=whatever_order)
    sample = replace(file.selected(chosen), fields=tuple(dict.fromkeys(name for shape in usual for name in shape)))
    return rules_of_sample(sample, lambda name: (file.rows[at].get(name) for at in shaped))


def usual_shapes(shapes: Shapes) -> list[tuple[str, ...]]:
    """The shapes of the rows that rules are inferred from: without odd ones, or the most frequent one."""
    optional = optional_of(shapes)
    odd = odd_shapes(shapes, optional)
    usual = [shape for shape in shapes if shape not in odd]
    if optional and usual:
        return usual
    counts = Counter[tuple[str, ...]]()
    for shape, rows in shapes.items():
        counts[tuple(sorted(shape))] += rows
    most, _ = counts.most_common(1)[0]
    return [shape for shape in shapes if tuple(sorted(shape)) == most]


def chosen_rows(ranked: Iterable[tuple[int, int]], *, whatever_order: bool) -> list[int]:
    """The rows that rules are inferred from, of those of usual shapes: each by its checksum and index.

    They are chosen by their content, so that the sample is the same in whatever order the rows are.
    """
    chosen = heapq.nsmallest(SAMPLE, ranked)
    return [at for _, at in (chosen if whatever_order else sorted(chosen, key=itemgetter(1)))]


def rules_of_sample(sample: RowFile, values: Callable[[str], Iterable[JSON]]) -> Rules:
    """The rules inferred from some rows; ``values`` returns those of a field in all rows of usual shapes."""
    inferred = infer(sample)
    recipe = inferred.recipe
    # A label's values are read off all rows, the templates off the sample.
    label = recipe.categories.field if recipe.categories.by == "field" else None
    categories: Categorizer = (
        make_categories(recipe, value_statistics(recipe, sample.rows, inferred.statistics))
        if label is None
        else FieldCategories.of_values(label, values(label))
    )
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


def row_checksum(row: Row) -> int:
    """What rows are chosen by."""
    return zlib.crc32(json.dumps(row, sort_keys=True).encode())
