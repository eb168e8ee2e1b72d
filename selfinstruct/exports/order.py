"""The order of an export: as accepted, or shuffled so that rows of one subject stand apart.

Does not handle: subjects that differ in name and are the same in fact.

>>> [("a", "a", "b", "b", "c")[at] for at in spread(["a", "a", "b", "b", "c"], Random(1))]
['a', 'b', 'c', 'a', 'b']
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from random import Random
from typing import TypeAlias

_Heap: TypeAlias = list[tuple[float, int, Hashable]]


def spread(groups: Sequence[Hashable], rng: Random) -> list[int]:
    """Return the places of ``groups`` in a random order in which equal neighbours are as few as possible.

    The rows of a group are spaced evenly, with a random offset each; a group that has more than half of what is left
    comes next. So two rows of one group are neighbours only where no other order is possible.
    """
    places: dict[Hashable, list[int]] = {}
    for at, group in enumerate(groups):
        places.setdefault(group, []).append(at)
    for members in places.values():
        rng.shuffle(members)
    sizes = {group: len(members) for group, members in places.items()}
    numbers = {group: number for number, group in enumerate(places)}  # ties must not compare groups
    due = [(rng.random() / size, numbers[group], group) for group, size in sizes.items()]
    heapify(due)
    most: _Heap = [(-size, numbers[group], group) for group, size in sizes.items()]
    heapify(most)
    return list(_drawn(places, sizes, due, most, len(groups), rng))


def _drawn(
    places: dict[Hashable, list[int]], sizes: dict[Hashable, int], due: _Heap, most: _Heap, left: int, rng: Random
) -> Iterator[int]:
    last: Hashable = None
    started = False
    keys = {group: (key, number, group) for key, number, group in due}
    while left:
        while -most[0][0] != len(places[most[0][2]]):  # outdated counts
            _, number, group = heappop(most)
            heappush(most, (-len(places[group]), number, group))
        largest = most[0][2]
        if 2 * len(places[largest]) > left and not (started and largest == last):
            group = largest
        else:
            group = _next_due(due, keys, places, last if started else _NONE)
        yield places[group].pop()
        left -= 1
        last, started = group, True
        taken, size = sizes[group] - len(places[group]), sizes[group]
        keys[group] = ((taken + rng.random()) / size, keys[group][1], group)
        heappush(due, keys[group])


_NONE = object()


def _next_due(
    due: _Heap, keys: dict[Hashable, tuple[float, int, Hashable]], places: dict[Hashable, list[int]], last: Hashable
) -> Hashable:
    """The group that is due first and is not the last one, if there is another."""
    held: tuple[float, int, Hashable] | None = None
    while due:
        entry = heappop(due)
        group = entry[2]
        if keys[group] != entry or not places[group]:
            continue
        if group != last:
            if held is not None:
                heappush(due, held)
            return group
        held = entry
    assert held is not None  # something is left, so its group is due
    return held[2]
