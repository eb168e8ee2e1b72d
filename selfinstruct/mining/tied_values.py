"""New values of the variables of a row that depend on each other: put in order, and computed.

Two drawn numbers in the wrong order are exchanged. Each stays within the range of its own place: if the first is never
greater than the second in any seed, neither are the bounds of its range.

Does not handle: numbers that other forms of a row depend on (see ``selfinstruct.backends.dependent_values``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import DivisionByZero, InvalidOperation
from typing import Final, NamedTuple

from selfinstruct.mining.formulas import Formula, rounded
from selfinstruct.mining.number_generators import Generator, NumberGenerator, RangeGenerator
from selfinstruct.mining.number_ties import Spot, Ties, number
from selfinstruct.mining.numerals import ascii_digits, in_digits_of

_MOST_EXCHANGES = 200


class Computed(NamedTuple):
    """The number of a variable that follows from others by a formula."""

    target: int
    formula: Formula
    operands: tuple[int, ...]
    places: int


@dataclass(frozen=True, slots=True)
class TiedValues:
    """The variables of a row that are in order, and those that are computed, by their numbers."""

    orders: tuple[tuple[int, int], ...] = ()
    computed: tuple[Computed, ...] = ()

    def settle(self, values: list[str], own: Sequence[str], generators: Sequence[Generator]) -> bool:
        """Change ``values`` so that they are tied as in the seeds; False if they cannot be.

        Of two that cannot be exchanged, both become those of the seed, which are ``own``.
        """
        targets = {each.target for each in self.computed}
        orders = [pair for pair in self.orders if targets.isdisjoint(pair)]
        for _ in range(_MOST_EXCHANGES):
            broken = next((pair for pair in orders if not _in_order(pair, values)), None)
            if broken is None:
                break
            one, other = broken
            if _are_alike(generators[one], generators[other]):
                values[one], values[other] = values[other], values[one]
            elif (values[one], values[other]) == (own[one], own[other]):
                return False
            else:
                values[one], values[other] = own[one], own[other]
        for each in self.computed:
            values[each.target] = _result(each, values, own[each.target])
        return self.hold(values, own)

    def hold(self, values: Sequence[str], own: Sequence[str]) -> bool:
        """Whether ``values`` are tied as in the seeds, and no computed one fell below zero."""
        return all(_in_order(pair, values) for pair in self.orders) and all(
            values[each.target] == (result := _result(each, values, own[each.target]))
            and (result[0] != "-" or own[each.target][0] == "-")
            for each in self.computed
        )


#: No ties.
NOT_TIED: Final = TiedValues()


def tied_values(ties: Ties, variables: Mapping[Spot, int]) -> TiedValues:
    """The ties of a row between its variables; a spot that is none does not vary."""
    orders = [(variables[one], variables[other]) for one, other in ties.orders if {one, other} <= variables.keys()]
    computed = []
    for target, formula, operands, places in ties.results:
        if {target, *operands} <= variables.keys():
            numbers = [variables[spot] for spot in (target, *operands)]
            if len(set(numbers)) == len(numbers):
                computed.append(Computed(numbers[0], formula, tuple(numbers[1:]), places))
    return TiedValues(tuple(dict.fromkeys(pair for pair in orders if pair[0] != pair[1])), tuple(computed))


def _in_order(pair: tuple[int, int], values: Sequence[str]) -> bool:
    return number(values[pair[0]]) <= number(values[pair[1]])


def _result(computed: Computed, values: Sequence[str], own: str) -> str:
    """The computed number in the form of the seed's."""
    try:
        result = computed.formula(*(number(values[each]) for each in computed.operands))
    except (DivisionByZero, InvalidOperation):
        return own
    return in_digits_of(rounded(result, computed.places, ascii_digits(own)), own)


def _are_alike(one: Generator, other: Generator) -> bool:
    """Whether two generators draw numbers of the same form."""
    if isinstance(one, RangeGenerator) and isinstance(other, RangeGenerator):
        return (one.places, one.width) == (other.places, other.width)
    if isinstance(one, NumberGenerator) and isinstance(other, NumberGenerator):
        return (one.width, one.decimals) == (other.width, other.decimals)
    return False
