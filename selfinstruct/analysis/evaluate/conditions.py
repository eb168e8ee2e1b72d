"""The conditions of an evaluation: what a reader is trained on, in which number, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from selfinstruct.analysis.evaluate.digit_swapping import swap_digits
from selfinstruct.analysis.evaluate.shuffling import shuffle_labels, shuffle_spans
from selfinstruct.readers import Example

#: Grown rows are added in these multiples of the seeds.
MULTIPLES = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a reader is trained on.

    ``rows`` returns the training rows for a random seed; ``over`` names the conditions that it is compared with, which
    are earlier ones.
    """

    name: str
    family: str
    rows: Callable[[int], list[Example]]
    over: tuple[str, ...] = ()


def conditions(
    seeds: Sequence[Example], grown: Sequence[Example], full: Sequence[Example], task: str
) -> Iterator[Condition]:
    """Yield the conditions in the order in which they are shown."""
    own = list(seeds)
    yield Condition("seeds", "seeds", lambda seed: own)
    sizes = added_rows(len(seeds), len(grown))
    for times, count in sizes.items():
        yield Condition(f"digits {times}x", "digits", _digits(seeds, count), ("seeds",))
    for times, count in sizes.items():
        yield Condition(f"grown {times}x", "grown", _grown(seeds, grown, count), ("seeds", f"digits {times}x"))
    most = max(sizes.values())
    shuffle = shuffle_spans if task == "span" else shuffle_labels
    chosen = _grown(seeds, grown, most)
    yield Condition(
        "shuffled answers", "shuffled", lambda seed: shuffle(chosen(seed), Random(f"shuffled {seed}")), ("seeds",)
    )
    if full:
        yield Condition("full", "full", lambda seed: [*own, *full], ("seeds",))
        yield Condition("full + grown", "full+grown", lambda seed: [*full, *chosen(seed)], ("seeds", "full"))


def added_rows(seeds: int, grown: int) -> dict[str, int]:
    """Return how many rows are added to the seeds, by the multiple that they are; the last one may be all there are.

    >>> added_rows(12, 1000), added_rows(12, 5000)
    ({'1': 12, '10': 120, '83': 1000}, {'1': 12, '10': 120, '100': 1200})
    """
    sizes = {str(times): times * seeds for times in MULTIPLES if times * seeds <= grown}
    if len(sizes) < len(MULTIPLES) and grown > max(sizes.values(), default=0):
        times = grown / seeds
        sizes[f"{times:.0f}" if times >= 1.5 else f"{times:.1f}"] = grown
    return sizes


def schedule(rows: Sequence[Example], updates: int, random: Random) -> list[Example]:
    """Return exactly ``updates`` examples: the rows in random order, again and again."""
    order = list(rows)
    planned: list[Example] = []
    while len(planned) < updates:
        random.shuffle(order)
        planned += order[: updates - len(planned)]
    return planned


def _digits(seeds: Sequence[Example], count: int) -> Callable[[int], list[Example]]:
    def rows(seed: int) -> list[Example]:
        random = Random(f"digits {seed}")
        return [*seeds, *(swap_digits(seeds[at % len(seeds)], random) for at in range(count))]

    return rows


def _grown(seeds: Sequence[Example], grown: Sequence[Example], count: int) -> Callable[[int], list[Example]]:
    def rows(seed: int) -> list[Example]:
        # The same order for every number of rows: fewer are the first of more.
        order = list(range(len(grown)))
        Random(f"grown {seed}").shuffle(order)
        return [*seeds, *(grown[at] for at in order[:count])]

    return rows
