"""New values of the variables of a row that depend on each other: put in order, and computed.

Two drawn numbers in the wrong order are exchanged. Each stays within the range of its own place: if the first is never
greater than the second in any seed, neither are the bounds of its range.

Does not handle: numbers that other forms of a row depend on (see ``selfinstruct.backends.dependent_values``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from selfinstruct.mining.number_generators import Generator, NumberGenerator, RangeGenerator
from selfinstruct.mining.number_ties import Spot, Ties, number
from selfinstruct.mining.numerals import in_digits_of

_MOST_EXCHANGES = 200


class Computed(NamedTuple):
    """The number of a variable that is the ``sum`` or the ``product`` of two others."""

    target: int
    kind: str
    operands: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TiedValues:
    """The variables of a row that are in order, and those that are computed, by their numbers."""

    orders: tuple[tuple[int, int], ...] = ()
    computed: tuple[Computed, ...] = ()

    def settle(self, values: list[str], own: Sequence[str], generators: Sequence[Generator]) -> bool:
        """Change ``values`` so that they are tied as in the seeds; False if they cannot be.

        Of two that cannot be exchanged, both become those of the seed, which are ``own``.
        """
        for each in self.computed:
            values[each.target] = _result(each, values, own[each.target])
        targets = {each.target for each in self.computed}
        for _ in range(_MOST_EXCHANGES):
            broken = next((pair for pair in self.orders if not _in_order(pair, values)), None)
            if broken is None:
                return self.hold(values, own)
            one, other = broken
            if not targets & {one, other} and _are_alike(generators[one], generators[other]):
                values[one], values[other] = values[other], values[one]
            elif (values[one], values[other]) == (own[one], own[other]):
                return False
            else:
                values[one], values[other] = own[one], own[other]
        return False

    def hold(self, values: Sequence[str], own: Sequence[str]) -> bool:
        """Whether ``values`` are tied as in the seeds."""
        return all(_in_order(pair, values) for pair in self.orders) and all(
            values[each.target] == _result(each, values, own[each.target]) for each in self.computed
        )


#: No ties.
NOT_TIED: Final = TiedValues()


def tied_values(ties: Ties, variables: Mapping[Spot, int]) -> TiedValues:
    """The ties of a row between its variables; a spot that is none does not vary."""
    orders = [(variables[one], variables[other]) for one, other in ties.orders if {one, other} <= variables.keys()]
    computed = []
    for target, kind, operands in ties.results:
        if {target, *operands} <= variables.keys():
            numbers = [variables[spot] for spot in (target, *operands)]
            if len(set(numbers)) == len(numbers):
                computed.append(Computed(numbers[0], kind, (numbers[1], numbers[2])))
    return TiedValues(tuple(dict.fromkeys(pair for pair in orders if pair[0] != pair[1])), tuple(computed))


def _in_order(pair: tuple[int, int], values: Sequence[str]) -> bool:
    return number(values[pair[0]]) <= number(values[pair[1]])


def _result(computed: Computed, values: Sequence[str], own: str) -> str:
    """The computed number in the form of the seed's."""
    first, second = (number(values[each]) for each in computed.operands)
    places = len(own.partition(".")[2])
    result = first + second if computed.kind == "sum" else first * second
    return in_digits_of(f"{result.quantize(Decimal(1).scaleb(-places)):f}", own)


def _are_alike(one: Generator, other: Generator) -> bool:
    """Whether two generators draw numbers of the same form."""
    if isinstance(one, RangeGenerator) and isinstance(other, RangeGenerator):
        return (one.places, one.width) == (other.places, other.width)
    if isinstance(one, NumberGenerator) and isinstance(other, NumberGenerator):
        return (one.width, one.decimals) == (other.width, other.decimals)
    return False
