"""The order in which passages are used: evenly over the templates of a category, then over the lines of a template.

    template of each passage -> categories -> the passage at each place: 0, 1, 2 ...

The place alone decides, and places are never taken back. So a resumed run continues where it stopped, and each new
round over the lines of a template asks something else about them. Places at which nothing is left to ask are skipped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
    """The passage at each place of a category; ``seed`` scatters the lines of a template.

    ``usable`` is called with a passage and how often it was used, and returns whether it can be used again.
    """

    def __init__(
        self, groups: PassageGroups, seed: int, usable: Callable[[int, int], bool] = lambda number, used: True
    ) -> None:
        self._groups = groups
        self._seed = seed
        self._usable = usable
        self._all = [each for group in groups.values() for each in group]
        self._orders: dict[int, list[int]] = {}
        self._next: dict[str, int] = {}
        self._used_up: set[str] = set()

    def next(self, category: str) -> tuple[int, int] | None:
        """Return the next passage of a category and how often it was used before; None if all are used up.

        The same one until it is ``mark``ed as used.
        """
        if category in self._used_up:
            return None
        templates = self._groups.get(category, self._all)
        first = self._next.get(category, 0)
        for place in range(first, first + 2 * len(templates) * max(map(len, templates))):
            number, used = self.at(category, place)
            if self._usable(number, used):
                self._next[category] = place
                return number, used
        self._used_up.add(category)
        return None

    def mark(self, category: str, number: int, used: int) -> None:
        """Mark a passage as used once more, such as by a batch of an earlier session."""
        place = self._next.get(category, 0)
        if self.at(category, place) != (number, used):
            templates = self._groups.get(category, self._all)
            which = next((at for at, numbers in enumerate(templates) if self._is_in(number, numbers)), None)
            if which is None:  # a resumed run may have other passages than the session that drew this one
                return
            turn = used * len(templates[which]) + self._order(templates[which]).index(number)
            place = turn * len(templates) + which
        self._next[category] = max(self._next.get(category, 0), place + 1)

    def _is_in(self, number: int, numbers: Sequence[int]) -> bool:
        at = bisect_left(numbers, number)
        return at < len(numbers) and numbers[at] == number

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
