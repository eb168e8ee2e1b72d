"""Relations that hold in seed rows and that chance does not explain.

    rows -> columns -> hypotheses, each weighed on a sample -> verified on all rows -> InferredRelation

A relation is inferred if it holds in at least nine of ten rows that have its values, if at least three different rows
show it (two for positions, arithmetic, formats and long or numeric values), and if the chance of such an agreement
between independent columns is below 1 in 1000 after correction for the number of hypotheses (see ``significance``);
or if the names of fields suggest it (``named``) and all rows agree, or all but one in fifty. Implied
relations are left out.

Does not handle: relations between rows, or of a kind that only the meaning of a text shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.messages import Phrase
from selfinstruct.mining.agreements import (
    contained_relations,
    count_relations,
    equal_relations,
    format_relations,
    offset_relations,
    order_relations,
    weekday_relations,
)
from selfinstruct.mining.arithmetic import computed_relations
from selfinstruct.mining.columns import Column, columns
from selfinstruct.mining.compositions import composed_relations
from selfinstruct.mining.labels import band_relations, label_relations
from selfinstruct.mining.lists import (
    ascending_relations,
    length_relations,
    product_sum_relations,
    set_relations,
    statistic_relations,
)
from selfinstruct.mining.named import option_relations, ordered_relations, range_relations
from selfinstruct.mining.significance import (
    CERTAIN,
    LEAST_FOR_EXCEPTION,
    LEAST_FOR_STRICT_EXCEPTION,
    MIN_SUPPORT,
    SHARE,
    Evidence,
)
from selfinstruct.mining.statements import (
    number_relations,
    query_relations,
    span_relations,
    support_relations,
    word_relations,
)
from selfinstruct.recipe import Relation
from selfinstruct.recipe.relation_paths import parse_pattern, places
from selfinstruct.records import Row

#: Rows that hypotheses are weighed on, spread evenly over the seeds.
_SAMPLE = 200
#: Fewer rows are not split in halves.
_LEAST_SPLIT = 20
#: Kinds that two rows can show.
_STRONG = {"offset", "sum", "product", "ratio", "difference", "format", "contained"}


@dataclass(frozen=True, slots=True)
class InferredRelation:
    """A relation, the evidence for it, and the rows that violate it.

    ``support`` counts the rows that satisfy it of the ``rows`` that have its values. ``chance`` is the probability of
    such an agreement by accident, corrected for the number of hypotheses; 0 where the names of the fields say it.
    ``exceptions`` are the numbers of the other rows, from 0.
    """

    relation: Relation
    support: int
    rows: int
    chance: float
    exceptions: tuple[int, ...] = ()

    @property
    def reason(self) -> str:
        """The relation and its support, for people."""
        return Phrase(
            "{rule} ({count} of {seeds} seeds)", rule=self.relation.describe(), count=self.support, seeds=self.rows
        )


def infer_relations(
    rows: Sequence[Row], grounded: Mapping[str, str] | None = None, identified: Mapping[str, str] | None = None
) -> list[InferredRelation]:
    """Infer the relations between the values of each row.

    ``grounded`` maps fields to those that the recipe requires them to occur in, ``identified`` to those that their
    numbers and ids occur in; neither is inferred again.
    """
    if len(rows) < 2:
        return []
    count = min(len(rows), _SAMPLE)
    sample = [rows[at * len(rows) // count] for at in range(count)]
    inferred = []
    for relation, evidence in _hypotheses(columns(sample), sample, grounded or {}, identified or {}):
        verified = _verified(relation, rows, evidence)
        if verified is not None:
            inferred.append(verified)
    return inferred


def _hypotheses(
    found: Sequence[Column], rows: Sequence[Row], grounded: Mapping[str, str], stated: Mapping[str, str]
) -> Iterator[tuple[Relation, Evidence | None]]:
    """Yield the relations that the sample shows; without evidence, those that names suggest."""
    equal = [pair for pair in equal_relations(found) if _is_supported(*pair)]
    yield from equal
    same = {relation.paths[1]: relation.paths[0] for relation, _ in equal}
    # What holds for a column holds for its equals.
    distinct = [column for column in found if column.path not in same]
    computed = [pair for pair in computed_relations(distinct, len(rows)) if _is_supported(*pair)]
    yield from computed
    yield from product_sum_relations(distinct)
    yield from (pair for pair in statistic_relations(distinct) if _is_supported(*pair))
    offsets = list(offset_relations(distinct))
    yield from offsets
    pointed = [relation for relation, _ in offsets]
    yield from span_relations(distinct, pointed)
    yield from _text_hypotheses(distinct, rows, grounded, stated, same, pointed)
    yield from (pair for pair in count_relations(distinct, rows) if _is_supported(*pair))
    yield from (pair for pair in weekday_relations(distinct) if _is_supported(*pair))
    yield from length_relations(distinct, rows)
    options = list(option_relations(found))
    yield from ((relation, None) for relation in options)
    yield from support_relations(found, rows, [relation for relation in options if relation.kind == "one_of"])
    yield from ((relation, None) for relation in set_relations(found) if relation not in options)
    explained = [frozenset(relation.paths) for relation, _ in [*computed, *offsets]]
    yield from _order_hypotheses(distinct, explained, same)
    yield from (pair for pair in format_relations(found, same) if _is_supported(*pair))
    yield from ((relation, None) for relation in range_relations(found))
    for mine in (label_relations, band_relations):
        yield from (pair for pair in mine(found) if _fits_halves(mine, pair[0], rows))


def _text_hypotheses(
    found: Sequence[Column],
    rows: Sequence[Row],
    grounded: Mapping[str, str],
    stated: Mapping[str, str],
    same: Mapping[str, str],
    pointed: Sequence[Relation],
) -> Iterator[tuple[Relation, Evidence]]:
    """Yield what texts say of other values; what a stronger relation implies is left out."""
    composed = list(composed_relations(found, rows))
    yield from composed
    told = {(part, relation.target) for relation, _ in composed for part in relation.paths[1:]}
    told |= {(relation.paths[1], relation.paths[2]) for relation in pointed}
    contained = [pair for pair in contained_relations(found, grounded, same) if _is_supported(*pair)]
    yield from (pair for pair in contained if pair[0].paths not in told)
    told |= {(one, other) for relation, _ in contained for one, other in [relation.paths]} | set(grounded.items())
    yield from (pair for pair in word_relations(found) if pair[0].paths not in told and _is_supported(*pair))
    queries = list(query_relations(found))
    yield from queries
    contexts = {*grounded.values(), *stated.values()}
    yield from (pair for pair in number_relations(found, rows, stated, contexts) if pair[0].paths not in told)


def _order_hypotheses(
    found: Sequence[Column], explained: Sequence[frozenset[str]], same: Mapping[str, str]
) -> Iterator[tuple[Relation, Evidence | None]]:
    named = [
        relation for relation in ordered_relations(found) if not any(set(relation.paths) <= each for each in explained)
    ]
    yield from ((relation, None) for relation in named)
    said = {frozenset(relation.paths) for relation in named}
    ordered = order_relations(found, explained, same)
    yield from (pair for pair in ordered if _is_supported(*pair) and frozenset(pair[0].paths) not in said)
    yield from ascending_relations(found)


def _fits_halves(
    mine: Callable[[Sequence[Column]], Iterator[tuple[Relation, Evidence]]], relation: Relation, rows: Sequence[Row]
) -> bool:
    """Whether the labels or limits of one half of the rows refuse at most a tenth of the other half, both ways."""
    if len(rows) < _LEAST_SPLIT:
        return True
    halves = rows[::2], rows[1::2]
    for one, other in (halves, halves[::-1]):
        fitted = [each for each, _ in mine(columns(one)) if each.paths == relation.paths]
        refused = sum(each.violation(row) is not None for each in fitted for row in other)
        if refused > (1 - SHARE) * len(other):
            return False
    return True


def _exceptions_allowed(relation: Relation, total: int, evidence: Evidence | None) -> int:
    """Return how many of the rows may violate a relation: one in ten, or one of few that are far beyond chance.

    Where names or formats are the evidence, or one value is merely below another, fewer: one in fifty, or one.
    """
    if evidence is None or relation.kind in ("order", "format"):
        return max(total // 50, int(total >= LEAST_FOR_STRICT_EXCEPTION))
    few = total >= LEAST_FOR_EXCEPTION and evidence.chance < CERTAIN
    return max(math.floor((1 - SHARE) * total + 1e-9), int(few))


def _is_supported(relation: Relation, evidence: Evidence) -> bool:
    return evidence.distinct >= (2 if relation.kind in _STRONG else MIN_SUPPORT)


def _verified(relation: Relation, rows: Sequence[Row], evidence: Evidence | None) -> InferredRelation | None:
    """Test a relation on all rows; at least two must satisfy it."""
    patterns = [parse_pattern(path) for path in relation.paths]
    total = 0
    exceptions = []
    for at, row in enumerate(rows):
        if not all(places(row, pattern) for pattern in patterns):
            continue
        total += 1
        if relation.violation(row) is not None:
            exceptions.append(at)
    support = total - len(exceptions)
    least = max(2, total - _exceptions_allowed(relation, total, evidence))
    if evidence is None and relation.kind == "order":
        least = max(least, MIN_SUPPORT)
    if support < least:
        return None
    return InferredRelation(
        relation, support, total, evidence.chance if evidence is not None else 0.0, tuple(exceptions)
    )
