"""Shares of values: how the grown rows are distributed over the values of a field, beside the seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.analysis.report.histogram import Spread, spread
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: Values listed for a field. A field with at most ``_MOST`` values, each in several rows, is like a label.
_LISTED, _MOST = 8, 50
#: In other fields, values of at least this share of the grown rows are listed.
_COMMON = 0.01


@dataclass(frozen=True, slots=True)
class Share:
    """One ``value``, and its share of the ``seeds`` and of the ``grown`` rows, in [0, 1]."""

    value: str
    seeds: float
    grown: float


@dataclass(frozen=True, slots=True)
class Shares:
    """The distribution of one field, or of the categories, in the seeds and in the grown rows.

    ``seed_values`` and ``grown_values`` count different values. ``distance`` is the total variation distance of both
    distributions, half the sum of the differences of their shares: 0 if they are equal, 1 if they have no value in
    common. It is None without seeds, and for a field whose values rarely repeat, where it would say nothing.
    ``values`` are the commonest ones, seeds and grown rows together. ``seed_numbers`` and ``grown_numbers`` are the
    spread of the values where all are numbers.
    """

    seed_values: int
    grown_values: int
    distance: float | None
    values: tuple[Share, ...]
    seed_numbers: Spread | None = None
    grown_numbers: Spread | None = None


def field_shares(name: str, seeds: Sequence[Row], grown: Sequence[Row]) -> Shares:
    """Return the distribution of the values of one field; rows without it are left out."""
    own, theirs = ([row[name] for row in rows if name in row] for rows in (seeds, grown))
    before, after = (Counter(value_text(value) for value in values) for values in (own, theirs))
    is_label = len(after) <= min(_MOST, max(after.total() // 4, 2))
    found = counted_shares(before, after, is_label=is_label)
    if is_label or not all(map(_is_number, [*own, *theirs])):
        return found
    return Shares(found.seed_values, found.grown_values, None, found.values, spread(own), spread(theirs))


def counted_shares(seeds: Mapping[str, int], grown: Mapping[str, int], *, is_label: bool = True) -> Shares:
    """Return the distribution of values that were counted. Other than labels, only common ones are listed."""
    before, after = Counter(seeds), Counter(grown)
    seeded, total = before.total(), after.total()
    names = sorted(before | after, key=lambda name: (-after[name], -before[name]))
    shares = [Share(name, before[name] / max(seeded, 1), after[name] / max(total, 1)) for name in names]
    distance = sum(abs(each.seeds - each.grown) for each in shares) / 2 if seeded and total and is_label else None
    listed = shares if is_label else [each for each in shares if after[each.value] > 1 and each.grown >= _COMMON]
    return Shares(len(before), len(after), distance, tuple(listed[:_LISTED]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
