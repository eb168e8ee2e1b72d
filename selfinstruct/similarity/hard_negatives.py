r"""Hard negatives: the passages of a collection that are most like a query or its passage, and do not answer it.

    query    -> nearest passages by ROUGE-L  \
                                               in turn -> not the passage itself or a near-duplicate of it,
    passage  -> nearest passages by ROUGE-L  /            not a text with the answer -> the first ``count``

Lexically similar passages teach a retriever more than random ones; leaving out those that contain the answer is the
rule of DPR (Karpukhin et al. 2020, arXiv:2004.04906). Two rankings, since each misses what the other finds: passages
with the words of the query, and passages of the same kind as the positive one. The result is a function of the texts.

Does not handle: a passage that answers the query in other words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from rapidfuzz.distance import LCSseq

from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.rouge import f1_score
from selfinstruct.text import canonical, find_span, tokens

#: Passages read at first for each negative that is wanted; twice as many each time that too few are left.
_READ = 4


class HardNegatives:
    """The passages of a collection, indexed once."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._index = NoveltyIndex()
        self._index.add_all(texts)

    def find(self, positive: str, query: str, answer: str, count: int, max_rouge_l: float) -> list[str]:
        """Return at most ``count`` passages, the hardest first, each text once; "" as query or answer is none.

        Passages whose ROUGE-L F1 with the positive one is above ``max_rouge_l`` are near-duplicates of it.
        """
        asked = [text for text in (query, positive) if text]
        reach = _READ * (count + 1)
        while True:
            ranked = _in_turn([[row for row, _ in self._index.k_nearest(text, reach)] for text in asked])
            found: list[str] = []
            for row in ranked:
                text = self._texts[row]
                if text not in found and not _answers(text, positive, answer, max_rouge_l):
                    found.append(text)
                    if len(found) == count:
                        return found
            if reach >= len(self._texts):
                return found
            reach *= 2


def _in_turn(rankings: Sequence[Sequence[int]]) -> Iterator[int]:
    """The rows of several rankings, the first of each, then the second of each, each row once."""
    return iter(dict.fromkeys(row for row in chain(*zip_longest(*rankings)) if row is not None))


def _answers(text: str, positive: str, answer: str, max_rouge_l: float) -> bool:
    """Whether a passage is, or may be, as good an answer as the positive one."""
    if answer and find_span(canonical(answer).casefold(), canonical(text).casefold()) is not None:
        return True
    ours, theirs = tokens(positive), tokens(text)
    return f1_score(LCSseq.similarity(ours, theirs), len(ours), len(theirs)) > max_rouge_l
