"""The order in which passages are used: evenly over the templates of a category, then over the lines of a template.

    template of each passage -> categories -> the passage at each place: 0, 1, 2 ...

The place alone decides, and places are never taken back. So a resumed run continues where it stopped, and each new
round over the lines of a template asks something else about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from selfinstruct.documents import PackedPassages
from selfinstruct.records import Row

#: The category of the lines whose templates are too rare for one of their own.
OTHER = "other lines"
#: At most this many templates are categories, the ones with the most lines.
MOST_CATEGORIES = 200

#: For each category its templates, each as the numbers of its passages, from 1.
PassageGroups = Mapping[str, Sequence[Sequence[int]]]


def passage_groups(passages: Sequence[Row]) -> dict[str, list[list[int]]]:
    """Return the categories of passages, in the order of their first passage."""
    names, of = _templates(passages)
    frequent = {number for number, _ in Counter(of).most_common(MOST_CATEGORIES)}
    members: dict[int, list[int]] = {}
    for number, template in enumerate(of, 1):
        members.setdefault(template, []).append(number)
    groups: dict[str, list[list[int]]] = {}
    for template, numbers in members.items():
        groups.setdefault(names[template] if template in frequent else OTHER, []).append(numbers)
    return groups


def _templates(passages: Sequence[Row]) -> tuple[Sequence[str], Sequence[int]]:
    """The names of the templates, and for each passage the index of its template."""
    packed = passages if isinstance(passages, PackedPassages) else PackedPassages.of(passages)
    return packed.templates


class PassageSchedule:
    """The passage at each place of a category; ``seed`` scatters the lines of a template."""

    def __init__(self, groups: PassageGroups, seed: int) -> None:
        self._groups = groups
        self._seed = seed
        self._all = [each for group in groups.values() for each in group]
        self._orders: dict[int, list[int]] = {}

    def at(self, category: str, place: int) -> tuple[int, int]:
        """Return the number of the passage at a place of a category, and how often it was used before.

        A name that is no category stands for all templates of all categories.
        """
        templates = self._groups.get(category, self._all)
        turn, which = divmod(place, len(templates))
        order = self._order(templates[which])
        rounds, at = divmod(turn, len(order))
        return order[at], rounds

    def _order(self, numbers: Sequence[int]) -> list[int]:
        first = numbers[0]
        if first not in self._orders:
            order = list(numbers)
            Random(f"{self._seed}/{first}").shuffle(order)
            self._orders[first] = order
        return self._orders[first]
