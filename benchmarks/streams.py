"""Endless streams of texts to measure the novelty index on, each from a seeded generator.

``logs``: questions with their log lines in four templates, shaped like LogQA's Spark rows; all constants are shared,
and below a threshold of 0.9 the numbers come from a range as large as the pool, since every row needs its own.
``natural``: instructions, some with a common opening, words by a Zipf-Mandelbrot law over 100,000.
``chinese``: words of one to four characters, 40,000 of them out of 5,000 characters, by the same law.
One in ten of the latter two is an earlier text with up to half of its words changed, dropped or added.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from random import Random

Draw = Callable[[], str]

_OPENINGS = [
    "Write a short story about", "Explain the difference between", "Give three tips for", "Write a function that",
    "Summarize the following text about", "What is the best way to", "Describe how", "Create a list of",
    "Translate the following sentence into", "Suggest a name for",
]  # fmt: skip
_REMEMBERED = 50_000


def logs(rng: Random, threshold: float, size: Callable[[], int]) -> Iterator[str]:
    """Question and log line in one; ``size`` says how many rows the pool has."""
    number = 0
    while True:
        top = max(100, size()) if threshold < 0.9 else 1000
        a, b, c, d = (rng.randrange(top) for _ in range(4))
        yield (
            f"Is partition rdd_{a}_{b} found? Partition rdd_{a}_{b} not found, computing it",
            f"What stage was the task {a}.0 completed in? "
            f"Finished task {a}.0 in stage {b}.0 (TID {c}). {d} bytes result sent to driver",
            f"How many kb is broadcast_{a}_piece0 free? Block broadcast_{a}_piece0 stored as bytes in memory "
            f"(estimated size {b}.{c % 10} KB, free {d}.0 KB)",
            f"What is the ID for stage {a}.0? Running task {b}.0 in stage {a}.0 (TID {c})",
        )[number % 4]
        number += 1


def natural(rng: Random, threshold: float, size: Callable[[], int]) -> Iterator[str]:
    """Instructions of 4 to 33 words."""
    place = _zipf(rng, 100_000, 1.05, 2.7)

    def draw() -> str:
        return _word(place())

    for words in _with_variants(rng, draw, 4, 28):
        opening = rng.choice(_OPENINGS) + " " if rng.random() < 0.5 else ""
        yield opening + " ".join(words)


def chinese(rng: Random, threshold: float, size: Callable[[], int]) -> Iterator[str]:
    """Texts of 6 to 29 words, some 13 to 65 characters."""
    character = _zipf(rng, 5000, 1.0, 20)
    words = ["".join(chr(0x4E00 + character()) for _ in range(rng.choice((1, 2, 2, 2, 3, 4)))) for _ in range(40_000)]
    place = _zipf(rng, len(words), 1.0, 5)
    for text in _with_variants(rng, lambda: words[place()], 6, 30):
        yield "".join(text)


def variant(rng: Random, words: list[str], draw: Draw, share: float = 0.5) -> list[str]:
    """The words with up to ``share`` of them changed, added to, or dropped."""
    changed = list(words)
    for _ in range(rng.randrange(1, max(2, int(len(words) * share)))):
        place, kind = rng.randrange(len(changed)), rng.random()
        if kind < 0.6:
            changed[place] = draw()
        elif kind < 0.8:
            changed.insert(place, draw())
        elif len(changed) > 3:
            del changed[place]
    return changed


def _with_variants(rng: Random, draw: Draw, shortest: int, longest: int) -> Iterator[list[str]]:
    earlier: list[list[str]] = []
    while True:
        if earlier and rng.random() < 0.1:
            words = variant(rng, rng.choice(earlier), draw)
        else:
            words = [draw() for _ in range(rng.randrange(shortest, longest))]
        if len(earlier) < _REMEMBERED:
            earlier.append(words)
        yield words


def _zipf(rng: Random, count: int, exponent: float, shift: float) -> Callable[[], int]:
    weights = list(accumulate((rank + shift) ** -exponent for rank in range(count)))
    return lambda: bisect(weights, rng.random() * weights[-1])


def _word(number: int) -> str:
    """A pronounceable word for a number: consonants and vowels by turns."""
    word, number = "", number + 3
    while number:
        number, consonant = divmod(number, 18)
        number, vowel = divmod(number, 5)
        word += "bcdfghjklmnprstvwz"[consonant] + "aeiou"[vowel]
    return word
