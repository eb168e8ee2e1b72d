"""Generators of new values for the variables of a row, and the variables that keep their value.

A variable is kept where nothing shows which other values would be as true: the operands of a formula one of which does
not vary, the facts of a question whose answer is not in its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from selfinstruct.mining.cut_row import CutRow
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.entity_places import place_of
from selfinstruct.mining.generators import AddressGenerator, ConstantGenerator
from selfinstruct.mining.number_generators import (
    Generator,
    IdentifierGenerator,
    NumberGenerator,
    are_years,
    range_generator,
)
from selfinstruct.mining.number_roles import BOUNDS, CODE, FIXED, OPEN, POSTAL
from selfinstruct.mining.serial_numbers import SerialGenerator
from selfinstruct.mining.tied_values import TiedValues
from selfinstruct.mining.times import STILL
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.mining.variables import NUMBERS, Variable, Variables
from selfinstruct.rows.leaves import Path

# Kinds of words that name a place with a postal code.
_PLACES = frozenset(("city", "country", "zh-place"))
# A number of at least this many digits in a question is a name, not a quantity.
_LEAST_NAME = 5


def variable_generators(cut: CutRow, statistics: ValueStatistics, salt: int) -> tuple[Generator, ...]:
    """The generator of each variable of a row; ``salt`` scatters their sequences of values."""
    variables, times = cut.variables, cut.times
    alone = statistics.asks_alone(cut.row)
    asks = alone or statistics.asks_unexplained(cut.row)
    generators = [
        times.moves
        if times.moves is not None and number == variables.shift
        else _generator(each, cut, asks, statistics, salt)
        for number, each in enumerate(variables.all)
    ]
    if alone and variables.shift is not None:
        generators[variables.shift] = ConstantGenerator(STILL)
    generators = _numbered(_keep_small(generators), variables, statistics.nested_ids.most)
    _keep_with_operands(generators, cut.tied, cut.own)
    return tuple(generators)


def _generator(
    variable: Variable,
    cut: CutRow,
    asks: bool,
    statistics: ValueStatistics,
    salt: int,
) -> Generator:
    entities = [place.entity for place in variable.places]
    if variable.is_kept or (asks and not _is_name_of_question(variable)):
        return ConstantGenerator(entities[0].text)
    if statistics.tells_facts(cut.row) & {place.path[0] for place in variable.places}:
        return ConstantGenerator(entities[0].text)
    placed = [key for place in variable.places for key in (place.path, place_of(place.entity))]
    band = next((seen for key in placed if (seen := statistics.bands.of(cut.row, key))), ())
    if band and entities[0].kind != "id":
        return range_generator(band, salt)
    if entities[0].kind in _PLACES and _is_located(cut.found):
        return ConstantGenerator(entities[0].text)
    limited = next((each for each in entities if are_years(statistics.seen(each))), max(entities, key=_rank))
    if limited.text != entities[0].text:
        # In another form (007 and 7), only that of the first place can be drawn.
        limited = replace(entities[0], role=CODE) if limited.role in FIXED else entities[0]
    return statistics.generator(limited, salt)


def _is_located(found: Mapping[Path, Sequence[Entity]]) -> bool:
    """Whether a row names a place twice: by a postal code, or its country."""
    entities = [each for those in found.values() for each in those]
    return any(each.role == POSTAL for each in entities) or {"city", "country"} <= {each.kind for each in entities}


def _rank(entity: Entity) -> int:
    """How much the place of a value says about which others may stand there; numbers alone are told apart."""
    if entity.kind not in ("number", "year"):
        return 4
    if entity.role in FIXED:
        return 3
    if entity.kind == "year" or entity.unit == "age" or entity.role in BOUNDS:
        return 2
    return int(entity.role in OPEN)


def _is_name_of_question(variable: Variable) -> bool:
    """Whether a variable may vary in a row whose answer is not in its text.

    One that occurs in several leaves is a name there, unless it is a plain number, which may decide the answer.
    """
    entity = variable.places[0].entity
    if entity.kind == "id":
        return True
    shared = len({place.path for place in variable.places}) > 1
    named = len(variable.places[0].word) > len(entity.text) or len(entity.text) >= _LEAST_NAME
    return shared and (entity.kind not in NUMBERS or named)


def _numbered(generators: list[Generator], variables: Variables, most: int) -> list[Generator]:
    """Give the ids inside lists different numbers of the ``most`` that each row takes."""
    nth = 0
    for at, (generator, variable) in enumerate(zip(generators, variables.all, strict=True)):
        nested = any(isinstance(step, int) for place in variable.places for step in place.path)
        if isinstance(generator, SerialGenerator) and nested:
            generators[at] = replace(generator, step=max(most, 1), nth=nth)
            nth += 1
    return generators


def _keep_small(generators: Sequence[Generator]) -> list[Generator]:
    """Bound single digits (an attempt, a count) if other values of the row make rows distinct."""
    wide = any(isinstance(each, IdentifierGenerator | AddressGenerator) or _is_open(each) for each in generators)
    return [
        generator.bounded() if wide and isinstance(generator, NumberGenerator) and generator.high < 10 else generator
        for generator in generators
    ]


def _is_open(generator: Generator) -> bool:
    return isinstance(generator, NumberGenerator) and generator.cap is None and generator.high >= 10


def _keep_with_operands(generators: list[Generator], tied: TiedValues, own: Sequence[str]) -> None:
    """Keep the result and all operands of a formula where one of them does not vary."""
    waiting = list(tied.computed)
    while waiting:
        kept = [
            each
            for each in waiting
            if any(isinstance(generators[at], ConstantGenerator) for at in (each.target, *each.operands))
        ]
        if not kept:
            return
        for at in {at for each in kept for at in (each.target, *each.operands)}:
            generators[at] = ConstantGenerator(own[at])
        waiting = [each for each in waiting if each not in kept]
