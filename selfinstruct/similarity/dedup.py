"""Near-duplicates of a stream: keep the first of each group, and say of the others what they are too near to.

Does not handle: reading or writing files, choosing fields, or rows in memory: texts go in, one verdict a text
comes out, in order, and only the kept texts' tokens are held.

>>> [v.kept for v in deduplicate(["Start the task 1", "Start the task 2", "Stop"], threshold=0.7)]
[True, False, True]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.text import tokens


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one text of a stream; ``number`` counts from 0.

    A dropped text has the ``number`` of the kept text that it is nearest to in ``nearest``, and their ROUGE-L
    F1 in ``score``; a kept one has neither.
    """

    number: int
    nearest: int | None = None
    score: float | None = None

    @property
    def kept(self) -> bool:
        """Whether nothing that was kept before is nearer than the threshold."""
        return self.nearest is None


def deduplicate_texts(texts: Iterable[str], *, threshold: float) -> Iterator[Verdict]:
    """One verdict for each text, as it arrives: a text is dropped where a kept one's F1 is above ``threshold``.

    ROUGE-L sees no likeness between texts without tokens (empty, or punctuation alone), so of those the same
    text again is dropped, with a score of 1, unless ``threshold`` is 1.
    """
    index = NoveltyIndex(min_threshold=threshold)
    numbers: list[int] = []
    wordless: dict[str, int] = {}
    for number, text in enumerate(texts):
        near = index.nearest(text, threshold)
        if near is not None:
            yield Verdict(number, numbers[near[0]], near[1])
            continue
        if not tokens(text):
            first = wordless.setdefault(text, number)
            if first != number and threshold < 1:
                yield Verdict(number, first, 1.0)
                continue
        index.add(text)
        numbers.append(number)
        yield Verdict(number)
