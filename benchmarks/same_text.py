"""Agreement of the novelty index with a scan of the whole pool on forms of the same text.

Streams of composed, decomposed, full-width, Indic, Hebrew, Arabic and emoji texts: the nearest row and its score must
be those of the scan, also for the query normalised to NFC and to NFD. Scores of ASCII texts must be those of
rouge-score. Run it with ``python -m benchmarks.same_text``; it takes half a minute and exits with 1 on a difference.
"""

from __future__ import annotations

import json
import random
import sys
import unicodedata
from pathlib import Path
from typing import Literal

from rapidfuzz.distance import LCSseq
from rouge_score.rouge_scorer import RougeScorer

from selfinstruct.similarity.exact_index import NoveltyIndex
from selfinstruct.similarity.rouge import f1_score, rouge_l
from selfinstruct.text import tokens

SEEDS = Path(__file__).parent.parent / "seeds"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
WORDS = (
    *(
        "task",
        "stage",
        "in",
        "28",
        "29",
        "0",
        "元",
        "亨",
        "é",
        "?!",
        "café",
        "cafe\u0301",
        "cafe",
        "CAFÉ",
        "ca\u00adfé",
    ),
    *("\uff43\uff41\uff46\u00e9", "\uff12\uff18", "2\u200b8", "\u0662\u0668", "मेरी", "मेरे", "राम", "क्\u200dष", "क्ष"),
    *(
        "ガ",
        "\uff76\uff9e",
        "か\u3099",
        "が",
        "가",
        "\u1100\u1161",
        "ที่",
        "ที",
        "👍🏽",
        "❤\ufe0f",
        "👨\u200d👩",
        "👨\u200d👩\u200d👧",
        "🇩🇪",
        "🇦🇹",
        "，",
    ),
    *("שָׁלוֹם", "שלום", "كِتَاب", "كتاب", "می\u200cروم", "میروم", "\u200f?!", "ǰ", "J\u030c", "İ"),
)


def compare_with_scan(seed: int) -> tuple[int, int]:
    """Return the number of pairs compared in one stream of 300 texts, and of differences."""
    rng = random.Random(seed)
    index, pool, words_of = NoveltyIndex(min_threshold=rng.choice([0.5, 0.7, 0.857])), list[str](), list[list[str]]()
    pairs = differences = 0
    for _ in range(300):
        words = rng.choices(WORDS, k=rng.randrange(25))
        if pool and rng.random() < 0.5:
            words = [word if rng.random() < 0.85 else rng.choice(WORDS) for word in rng.choice(pool).split(" ")]
        text = unicodedata.normalize(rng.choice(FORMS), " ".join(words)) if seed % 3 else " ".join(words)
        own, threshold = tokens(text), rng.choice([0.6, 0.7, 0.75, 0.857, 0.95])
        scores = [f1_score(LCSseq.similarity(own, other), len(own), len(other)) for other in words_of]
        score, row = max(((score, -row) for row, score in enumerate(scores)), default=(0.0, 0))
        expected = (-row, score) if score > threshold else None
        for query in (text, *(unicodedata.normalize(form, text) for form in FORMS)):
            differences += index.nearest(query, threshold) != expected
        pairs += len(pool)
        if rng.random() < 0.9:
            index.add(text)
            pool.append(text)
            words_of.append(own)
    return pairs, differences


def compare_with_rouge_score(count: int) -> int:
    """Return the number of differences from rouge-score in ``count`` pairs of ASCII texts of the seeds."""
    scorer, rng = RougeScorer(["rougeL"], use_stemmer=False), random.Random(5)
    rows = [json.loads(line) for name in ("logqa", "sshd", "hdfs") for line in (SEEDS / f"{name}.jsonl").open()]
    texts = [value for row in rows for value in row.values() if isinstance(value, str) and value.isascii()]
    differences = 0
    for number in range(count):
        one, other = rng.choice(texts), rng.choice(texts)
        if number % 2:
            other = " ".join(word if rng.random() < 0.8 else rng.choice(["x", "7", "_"]) for word in one.split())
        theirs, ours = scorer.score(target=other, prediction=one)["rougeL"], rouge_l(one, other)
        same = (ours.precision, ours.recall) == (theirs.precision, theirs.recall)
        differences += not (same and abs(ours.f1 - theirs.fmeasure) <= 1e-15)
    return differences


def main() -> int:
    """Print the pairs and the differences."""
    pairs, differences = map(sum, zip(*map(compare_with_scan, range(40)), strict=True))
    print(f"index and scan: {pairs:,} pairs, {differences} differences")
    ascii_differences = compare_with_rouge_score(20_000)
    print(f"reference and rouge-score: 20,000 ASCII pairs, {ascii_differences} differences")
    return int(differences + ascii_differences > 0)


if __name__ == "__main__":
    sys.exit(main())
