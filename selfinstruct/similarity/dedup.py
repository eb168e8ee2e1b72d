"""Near-duplicates in a stream of texts: the first of each group is kept.

Yields one verdict per text, in order. Only the tokens of the kept texts stay in memory.

Does not handle: reading or writing files, or the choice of fields.

>>> [v.kept for v in deduplicate_texts(["Start the task 1", "Start the task 2", "Stop"], threshold=0.7)]
[True, False, True]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.text import canonical


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one text of a stream; ``number`` counts from 0.

    For a dropped text, ``nearest`` is the number of the nearest kept text and ``score`` their ROUGE-L F1; both are None
    for a kept one.
    """

    number: int
    nearest: int | None = None
    score: float | None = None

    @property
    def kept(self) -> bool:
        """Whether no text kept before has an F1 above the threshold."""
        return self.nearest is None


def deduplicate_texts(texts: Iterable[str], *, threshold: float, at_once: int = 1) -> Iterator[Verdict]:
    """Yield a verdict for each text: it is dropped if its F1 with a kept one is above ``threshold``.

    Each verdict comes before the next text is asked for. With ``at_once`` above 1, that many texts are read and looked
    up together, which takes less than half of the time; the verdicts are the same. If ``texts`` fails, the verdicts on
    those before come first.

    The ROUGE-L of texts without tokens (empty, or only punctuation) is 0, so of these exact repetitions are dropped,
    with a score of 1, unless ``threshold`` is 1.
    """
    index = NoveltyIndex(min_threshold=threshold)
    numbers: list[int] = []
    wordless: dict[str, int] = {}
    number = -1
    for block in _blocks(texts, at_once):
        if len(block) > 1:
            index.look_ahead([(text, threshold) for text in block])
        for text in block:
            number += 1
            near = index.nearest(text, threshold)
            if near is not None:
                yield Verdict(number, numbers[near[0]], near[1])
                continue
            if not index.has_tokens(text):
                first = wordless.setdefault(canonical(text), number)
                if first != number and threshold < 1:
                    yield Verdict(number, first, 1.0)
                    continue
            index.add(text)
            numbers.append(number)
            yield Verdict(number)


def _blocks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    """The texts in blocks of at most ``size``; those read before a failure of the iterator come before it."""
    block: list[str] = []
    try:
        for text in texts:
            block.append(text)
            if len(block) == size:
                yield block
                block = []
    except Exception:
        yield block
        raise
    yield block
