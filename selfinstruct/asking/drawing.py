"""Draw questions evenly from an asker.

A template is drawn by the square root of its number of lines, so that frequent ones do not crowd out the others, and of
its number of places that are asked about; then a line of it, a place, and a wording by its weight, the less the more
often it was drawn for the template.

Does not handle: quotas or categories; the caller draws until it has what it needs.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from random import Random

from selfinstruct.asking.asker import Asker
from selfinstruct.asking.question import Question

#: Maximum number of places of a template that counts when templates are drawn.
_MOST_PLACES = 16


def draw(asker: Asker, count: int, rng: Random) -> Iterator[tuple[int, Question]]:
    """Yield up to ``count`` different pairs of a text's index and a question about it; fewer if there are no more.

    The same asker and random state yield the same pairs.
    """
    members: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
    for index, number in enumerate(asker.templates):
        members[number].append(index)
    alive = [_Template(asker, list(lines)) for lines in members.values()]
    weights = list(accumulate(math.sqrt(len(template.lines)) for template in alive))
    exhausted = drawn = 0
    while drawn < count and alive:
        template = alive[bisect(weights, rng.random() * weights[-1], hi=len(alive) - 1)]
        if template.is_exhausted or rng.random() > template.acceptance:
            continue
        pair = template.draw(rng)
        if pair is not None:
            drawn += 1
            yield pair
            continue
        exhausted += 1
        if 2 * exhausted >= len(alive):
            alive = [each for each in alive if not each.is_exhausted]
            weights = list(accumulate(math.sqrt(len(each.lines)) for each in alive))
            exhausted = 0


class _Template:
    """The lines of one template, in the order in which they are drawn, and the questions that were drawn already."""

    def __init__(self, asker: Asker, lines: list[int]) -> None:
        self.lines = lines
        self.is_exhausted = False
        self._asker = asker
        self._next = 0
        self._used: set[tuple[int, str]] = set()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._acceptance = 0.0

    @property
    def acceptance(self) -> float:
        """The probability with which a draw of this template is kept, by its number of places."""
        if not self._acceptance:
            places = max(len({each.start for each in self._asker.questions(line)}) for line in self.lines[:3])
            self._acceptance = math.sqrt(min(max(places, 1), _MOST_PLACES) / _MOST_PLACES)
        return self._acceptance

    def draw(self, rng: Random) -> tuple[int, Question] | None:
        """A question that was not drawn before, about the next line that has one; None if there is none."""
        for _ in range(len(self.lines)):
            if self._next == 0:
                rng.shuffle(self.lines)
            line = self.lines[self._next]
            self._next = (self._next + 1) % len(self.lines)
            places: defaultdict[int, list[Question]] = defaultdict(list)
            for question in self._asker.questions(line):
                if (line, question.text) not in self._used:
                    places[question.start].append(question)
            if places:
                starts = sorted(places)
                shares = [min(1.0, max(each.weight for each in places[start])) for start in starts]
                place = places[rng.choices(starts, shares)[0]]
                question = rng.choices(place, [each.weight / (1 + self._asked[_wording(each)]) for each in place])[0]
                self._asked[_wording(question)] += 1
                self._used.add((line, question.text))
                return line, question
        self.is_exhausted = True
        return None


def _wording(question: Question) -> tuple[str, str]:
    """What questions about several lines of a template share: what is asked for, and the first words."""
    return question.kind, " ".join(question.text.split()[:3])[:20]
