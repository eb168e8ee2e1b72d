"""Dependent values of a new row: computed from the drawn ones by the recipe's relations.

A value that is a sum, difference, product, ratio or count of others is computed. Where a relation cannot be kept that
way, the values that it depends on stay those of the seed.

Of three numbers that are a product, the one with the most decimal places is computed: 21 of 28 are 75.0 %, but 75.1 %
of 28 are 21 too.

Does not handle: a computed value with a unit or separators (1,234.50 EUR), which stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from selfinstruct.mining import RowTemplate
from selfinstruct.mining.leaf_texts import is_plain_number, leaf_texts
from selfinstruct.mining.variables import Slot
from selfinstruct.recipe import Relation
from selfinstruct.recipe.relation_paths import parse_pattern, places
from selfinstruct.recipe.violations import computed, length_of, operands_of
from selfinstruct.records import JSON, Row
from selfinstruct.rows.leaves import Path
from selfinstruct.values import decimal_places, number_of

_COMPUTED = frozenset(("sum", "difference", "product", "ratio", "max", "min", "mean", "sum_product"))


@dataclass(frozen=True, slots=True)
class Dependents:
    """The relations that every row must satisfy, those that compute a value in order, and the values never below 0."""

    relations: tuple[Relation, ...]
    computing: tuple[Relation, ...] = ()
    unsigned: frozenset[str] = frozenset()

    def row(self, template: RowTemplate, values: list[str]) -> Row | None:
        """Return the row of these values with its dependent ones, or None if it would violate a relation.

        ``values`` are changed.
        """
        row = template.fill(values)
        settled: dict[str, set[str]] = {}
        for relation in self.computing:
            inputs = set(relation.paths[1:])
            inputs |= {earlier for path in inputs for earlier in settled.get(path, ())}
            if relation.target in inputs or relation.target in settled:
                continue
            text = _computed_text(relation, row, template.row)
            slot = None if text is None else _whole_slot(template, relation.target)
            if text is not None and slot is not None and values[slot] != text:
                if text.startswith("-") and relation.target in self.unsigned:
                    return None
                values[slot] = text
                row = template.fill(values)
            settled[relation.target] = inputs
        for _ in range(2 * len(self.relations)):
            broken = next((each for each in self.relations if each.violation(row) is not None), None)
            if broken is None:
                break
            if not _restore(template, values, broken):
                return None
            row = template.fill(values)
        else:
            if any(each.violation(row) is not None for each in self.relations):
                return None
        return row if template.keeps_apart(values) else None


def dependents(relations: Sequence[Relation], seeds: Sequence[Row]) -> Dependents:
    """The dependent values of rows like ``seeds`` that satisfy ``relations``."""
    computing = [_most_precise(each, seeds) for each in relations if each.kind in _COMPUTED or each.kind == "count"]
    unsigned = (each.target for each in computing if all(number >= 0 for number in _numbers(each.target, seeds)))
    return Dependents(tuple(relations), tuple(_ordered(computing)), frozenset(unsigned))


def _most_precise(relation: Relation, seeds: Sequence[Row]) -> Relation:
    """A product or ratio solved for the number with the most decimal places, if every seed agrees."""
    solved = max((relation, *_solved(relation)), key=lambda each: _places(each.target, seeds))
    if solved is relation or _places(solved.target, seeds) == _places(relation.target, seeds):
        return relation
    solved = solved.model_copy(update={"precision": _places(solved.target, seeds)})
    holding = [row for row in seeds if relation.violation(row) is None]
    return relation if any(solved.violation(row) is not None for row in holding) else solved


def _solved(relation: Relation) -> Iterator[Relation]:
    """A product or ratio of two numbers, solved for each of them."""
    if len(relation.paths) != 3 or relation.plus is not None or any("[*]" in path for path in relation.paths):
        return
    target, first, second = relation.paths
    factor = 1.0 if relation.factor is None else float(relation.factor)
    if relation.kind == "product":
        yield Relation(ratio={first: (target, second)}, factor=1 / factor)
        yield Relation(ratio={second: (target, first)}, factor=1 / factor)
    elif relation.kind == "ratio":
        yield Relation(product={first: (target, second)}, factor=1 / factor)
        yield Relation(ratio={second: (first, target)}, factor=factor)


def _values(path: str, seeds: Sequence[Row]) -> list[JSON]:
    return [value for row in seeds for value in places(row, parse_pattern(path)).values()]


def _places(path: str, seeds: Sequence[Row]) -> int:
    return max(map(decimal_places, _values(path, seeds)), default=0)


def _numbers(path: str, seeds: Sequence[Row]) -> list[Decimal]:
    return [number for value in _values(path, seeds) if (number := number_of(value)) is not None]


def _ordered(relations: Sequence[Relation]) -> Iterator[Relation]:
    """The relations that compute a value, those of a value before those that use it."""
    left = list(relations)
    while left:
        targets = {each.target for each in left}
        ready = [each for each in left if targets.isdisjoint(set(each.paths[1:]) - {each.target})] or left[:1]
        yield from ready
        left = [each for each in left if each not in ready]


def _computed_text(relation: Relation, row: Row, seed: Row) -> str | None:
    """The value that a relation computes, in the form of the seed's; None if it computes none."""
    path = parse_pattern(relation.target)
    if None in path:
        return None
    texts = leaf_texts(seed)
    own = texts.get(tuple(step for step in path if step is not None), "")
    if not is_plain_number(own):
        return None
    if relation.kind == "count":
        counted = list(places(row, parse_pattern(relation.paths[1])).values())
        return str(length_of(counted[0], relation.unit or "items")) if len(counted) == 1 else None
    for value, operands in operands_of(relation, row):
        number = computed(relation, operands)
        if number is None:
            return None
        decimals = len(own.partition(".")[2]) if relation.precision is None else relation.precision
        if isinstance(value, float) and relation.precision is None:
            decimals = max([decimals, *(len(str(each).partition(".")[2]) for each in operands)])
            if number == round(number, decimals + 1):
                decimals += 1  # exact: half of 3.1 is 1.55
        elif isinstance(value, str):
            decimals = len(own.partition(".")[2])
        try:
            rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        except InvalidOperation:
            return None
        if isinstance(value, int) and rounded != rounded.to_integral_value():
            return None
        text = f"{rounded:f}"
        return text.partition(".")[0] if isinstance(value, int) else text
    return None


def _whole_slot(template: RowTemplate, path: str) -> int | None:
    """The variable that is all of a leaf, in its own form."""
    pattern: Path = tuple(step for step in parse_pattern(path) if step is not None)
    parts = template.fields.get(pattern, ())
    if len(parts) == 1 and isinstance(parts[0], Slot) and parts[0].write is None:
        return parts[0].of
    return None


def _restore(template: RowTemplate, values: list[str], relation: Relation) -> bool:
    """Give the first value of a relation, or else all in its fields, those of the seed; False if they have them."""
    for names in (relation.fields[:1], relation.fields):
        slots = {
            part.of
            for path, parts in template.fields.items()
            for part in parts
            if path[0] in names and isinstance(part, Slot) and values[part.of] != template.own[part.of]
        }
        for slot in slots:
            values[slot] = template.own[slot]
        if slots:
            return True
    return False
