"""Novelty by brute force: every new row against every row before it, without an index.

Every pair is compared by its longest common subsequence (rapidfuzz's bit-parallel LCS). rouge-score itself then judges
the nearest neighbour of each row and a random sample of pairs, or every pair of a small run, and must agree. Beyond the
limit of pairs, a random sample of the rows is compared, each with every row before it.

rouge-score has no tokens for text that is not ASCII; such texts are given to it in the tokens of ``selfinstruct.text``.

Sources: Lin (2004), "ROUGE: A Package for Automatic Evaluation of Summaries"; Hyyro (2004), "Bit-parallel LCS-length
computation revisited", for the LCS.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel, LCSseq
from rapidfuzz.process import cdist

from selfinstruct.text import tokens

#: Rows compared at once: with 100,000 others, 100 MB of scores.
_BLOCK = 256
#: A character stands for a token; there are 1,114,112 code points.
_MOST_CODES = 1_000_000
#: cdist's scores are single precision: a score this close to a limit is computed again from whole numbers.
_ROUNDING = 1e-6
#: Cells of the table of rouge-score's own LCS, 0.2 us each: 10 s of work.
_ROUGE_SCORE_CELLS = 50_000_000
#: Up to this many pairs of a run are judged by rouge-score alone, as far as the cells allow.
_ALL_BY_ROUGE_SCORE = 200_000
_RANDOM_PAIRS = 10_000
#: rouge-score computes F1 from precision and recall, which differs from 2 LCS / (m + n) in the last bits.
_LAST_BITS = 1e-9


@dataclass(frozen=True, slots=True)
class ComparedPairs:
    """The outcome of comparing rows.

    ``pairs`` of ``all_pairs`` were compared, those of ``rows`` of ``all_rows`` new rows. ``above`` are pairs whose
    ROUGE-L F1 is above the later row's limit, as (earlier, later, score). ``highest`` is the largest score found,
    ``judged`` the number of pairs that rouge-score judged, ``disagreements`` those where it differs, each as (earlier,
    later, our score, its score).
    """

    pairs: int
    all_pairs: int
    rows: int
    all_rows: int
    above: Sequence[tuple[int, int, float]]
    highest: float
    judged: int
    disagreements: Sequence[tuple[int, int, float, float]]


def compare_pairs(
    texts: Sequence[str],
    limits: Sequence[float],
    first: int,
    *,
    groups: Sequence[Hashable | None],
    max_pairs: int,
    rng: Random,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> ComparedPairs:
    """Compare each text from number ``first`` on with every text before it.

    ``limits`` are the largest ROUGE-L F1 allowed for each text with its nearest neighbour; two texts of one of the
    ``groups`` (None: of none) may be as similar as they like. ``watch`` gets the numbers of pairs compared and to be
    compared.
    """
    split = [tokens(text) for text in texts]
    coded = _coded(split)
    later = list(range(first, len(texts)))
    all_pairs = sum(later)
    chosen = _sample(later, max_pairs, rng)
    to_do, done = sum(chosen), 0
    lengths = np.array([len(text) for text in split])
    limit_of = np.array(limits, dtype=np.float64)
    # Pairs below every limit do not matter, and most can be given up early.
    cutoff = max(float(limit_of[chosen].min(initial=1.0)) - 0.2, 0.0)
    above: list[tuple[int, int, float]] = []
    nearest: dict[int, tuple[int, float]] = {}
    for start in range(0, len(chosen), _BLOCK):
        block = np.array(chosen[start : start + _BLOCK])
        scores = _block_scores(coded, lengths, block, cutoff)
        for at, row in zip(block.tolist(), scores, strict=True):
            suspects = np.flatnonzero(row > max(float(limit_of[at]) - _ROUNDING, 0.0))
            exact = _exact_scores(coded, lengths, at, suspects)
            for other, score in zip(suspects.tolist(), exact.tolist(), strict=True):
                if groups[at] is not None and groups[at] == groups[other]:
                    row[other] = 0
                elif score > limit_of[at]:
                    above.append((other, at, score))
            if row.size and row.max() > 0:
                nearest[at] = int(row.argmax()), float(row.max())
        done += int(block.sum())
        watch(done, to_do)
    pairs = list(_pairs_for_rouge_score(chosen, nearest, all_pairs, rng))
    judged, disagreements, beyond = _judge(pairs, texts, split, limit_of, groups)
    known = {pair[:2] for pair in above}
    return ComparedPairs(
        pairs=to_do,
        all_pairs=all_pairs,
        rows=len(chosen),
        all_rows=len(later),
        above=above + [pair for pair in beyond if pair[:2] not in known],
        highest=max((score for _, score in nearest.values()), default=0.0),
        judged=judged,
        disagreements=disagreements,
    )


def _coded(split: Sequence[Sequence[str]]) -> Sequence[Sequence[Hashable]]:
    """The texts with a character for each token, or a number where there are too many different ones."""
    codes: dict[str, int] = {}
    numbered = [[codes.setdefault(token, len(codes) + 1) for token in text] for text in split]
    if len(codes) > _MOST_CODES:
        return numbered
    return ["".join(map(chr, text)) for text in numbered]


def _sample(later: Sequence[int], max_pairs: int, rng: Random) -> list[int]:
    """The rows to compare: all, or a random sample with about ``max_pairs`` pairs, in order."""
    total = sum(later)
    if total <= max_pairs:
        return list(later)
    return sorted(rng.sample(later, max(len(later) * max_pairs // total, 1)))


def _block_scores(
    coded: Sequence[Sequence[Hashable]], lengths: NDArray[np.int64], block: NDArray[np.int64], cutoff: float
) -> NDArray[np.float32]:
    """The score of each row of the block with every row before it; 0 below ``cutoff``."""
    width = int(block[-1])
    scores = cdist(
        [coded[at] for at in block],
        coded[:width],
        scorer=Indel.normalized_similarity,
        score_cutoff=cutoff,
        dtype=np.float32,
        workers=-1,
    )
    scores[np.arange(width) >= block[:, None]] = 0  # a row is compared with those before it
    scores[:, lengths[:width] == 0] = 0  # rouge-score finds nothing in common with an empty text
    return scores


def _exact_scores(
    coded: Sequence[Sequence[Hashable]], lengths: NDArray[np.int64], at: int, others: NDArray[np.int64]
) -> NDArray[np.float64]:
    common = np.array([LCSseq.similarity(coded[at], coded[other]) for other in others.tolist()], dtype=np.int64)
    return np.asarray(2 * common / np.maximum(lengths[at] + lengths[others], 1), dtype=np.float64)


def _pairs_for_rouge_score(
    chosen: Sequence[int], nearest: dict[int, tuple[int, float]], all_pairs: int, rng: Random
) -> Iterator[tuple[int, int]]:
    """All pairs of a small run; else the nearest neighbour of each row, closest first, and random pairs."""
    if all_pairs <= _ALL_BY_ROUGE_SCORE:
        for at in chosen:
            yield from ((other, at) for other in range(at))
        return
    drawn = [(rng.randrange(at), at) for at in rng.choices(chosen, k=_RANDOM_PAIRS) if at]
    closest = sorted(nearest, key=lambda at: -nearest[at][1])
    yield from drawn[: _RANDOM_PAIRS // 10]
    yield from ((nearest[at][0], at) for at in closest)
    yield from drawn[_RANDOM_PAIRS // 10 :]


def _judge(
    pairs: Sequence[tuple[int, int]],
    texts: Sequence[str],
    split: Sequence[Sequence[str]],
    limits: NDArray[np.float64],
    groups: Sequence[Hashable | None],
) -> tuple[int, list[tuple[int, int, float, float]], list[tuple[int, int, float]]]:
    """What rouge-score says of these pairs: how many it judged, where it disagrees, and which are above the limit."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], tokenizer=_Tokenizer())
    cells = judged = 0
    disagreements, beyond = [], []
    for other, at in pairs:
        cells += len(split[other]) * len(split[at])
        if cells > _ROUGE_SCORE_CELLS and judged:
            break
        judged += 1
        theirs = float(scorer.score(texts[other], texts[at])["rougeL"].fmeasure)
        ours = 2 * LCSseq.similarity(split[other], split[at]) / max(len(split[other]) + len(split[at]), 1)
        if abs(ours - theirs) > _LAST_BITS:
            disagreements.append((other, at, ours, theirs))
        grouped = groups[at] is not None and groups[at] == groups[other]
        if theirs > limits[at] + _LAST_BITS and not grouped:
            beyond.append((other, at, theirs))
    return judged, disagreements, beyond


class _Tokenizer:
    """rouge-score's own tokens of ASCII text; of other text, where it has none, ours."""

    def __init__(self) -> None:
        from rouge_score.tokenizers import DefaultTokenizer

        self._ascii = DefaultTokenizer(use_stemmer=False)

    def tokenize(self, text: str) -> list[str]:
        """The tokens of ``text``."""
        found: list[str] = self._ascii.tokenize(text) if text.isascii() else tokens(text)
        return found
