"""Word lists of English and Chinese for questions: verbs, nouns, adjectives, units, prefixes of identifiers.

Each list is a text file beside this one: UTF-8, one entry per line; lines that start with ``#`` are comments.
Does not handle: inflection (see ``grammar``), or values that may replace others (see ``selfinstruct.mining.lexicon``).

>>> entries("units")["ms"]
('milliseconds', 'duration')
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

# Not importlib.resources: importing it takes longer than reading the lists.
_FOLDER = Path(__file__).parent
_OR = " | "


@cache
def lines(name: str) -> tuple[str, ...]:
    """The entries of one list, in the order of its file; the file is read on the first call."""
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def entries(name: str) -> dict[str, tuple[str, ...]]:
    """The entries of a list of several columns: the first column, and the others."""
    rows = (line.split(_OR) for line in lines(name))
    return {first: tuple(others) for first, *others in rows}


@cache
def flagged(name: str) -> dict[str, str]:
    """The entries of a list of words with one-letter flags after the last space: the word, and its flags."""
    result = {}
    for line in lines(name):
        word, _, flags = line.partition(_OR)[0].rpartition(" ")
        if not word or len(flags) > 2:
            word, flags = f"{word} {flags}".strip(), ""
        result[word] = flags
    return result
