"""Sentences of the texts of one category, mixed into new texts.

A new text has as many sentences as one of the texts: the first is the first sentence of some text, the last is the
last of another, and the others come from the middle. The values of each sentence are replaced, and some phrases are
replaced by synonyms.

Does not handle: pronouns that refer to an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from selfinstruct.mining.generators import SynonymGenerator
from selfinstruct.mining.lexicon import groups
from selfinstruct.mining.number_generators import Generator, NumberGenerator
from selfinstruct.mining.row_template import render_parts
from selfinstruct.mining.variables import Slot

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9£$€])|(?<=[。！？])”?|\n+")

Sentence = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """The sentences of one text, with the white space after each, and the generators of its variables."""

    sentences: tuple[Sentence, ...]
    generators: tuple[Generator, ...]


def split_prose(parts: Sequence[str | Slot], generators: Sequence[Generator]) -> Prose:
    """Cut the parts of a text into sentences, with a slot for every phrase that has synonyms.

    Numbers get no more digits than in the seeds: the sentences are enough to make texts distinct.
    """
    more = [generator.bounded() if isinstance(generator, NumberGenerator) else generator for generator in generators]
    cut: list[list[str | Slot]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            cut[-1].append(part)
            continue
        at = 0
        for end in [match.end() for match in _END.finditer(part)] + [len(part)]:
            cut[-1].extend(_cut_at_phrases(part[at:end], more))
            if end < len(part):
                cut.append([])
            at = end
    return Prose(tuple(tuple(sentence) for sentence in cut if sentence), tuple(more))


def compose_text(texts: Sequence[Prose], place: int, rng: Random) -> str:
    """Return a new text of sentences from ``texts``; ``place`` is its place in the sequences of values."""
    count = len(rng.choice(texts).sentences)
    values: dict[int, list[str]] = {}
    chosen: list[str] = []
    used: set[tuple[int, int]] = set()
    for role in range(count):
        options = [
            (index, at)
            for index, text in enumerate(texts)
            for at in range(len(text.sentences))
            if (at == 0) == (role == 0)
            and (at == len(text.sentences) - 1) == (role == count - 1)
            and (index, at) not in used
        ]
        index, at = rng.choice(options)
        used.add((index, at))
        if index not in values:
            values[index] = [generator.draw(place, rng) for generator in texts[index].generators]
        chosen.append(render_parts(texts[index].sentences[at], values[index]).strip())
    joint = " " if any(" " in sentence for sentence in chosen) else ""
    return joint.join(chosen)


def _cut_at_phrases(text: str, generators: list[Generator]) -> list[str | Slot]:
    """Replace each phrase of ``text`` that has synonyms by a slot, and append its generator to ``generators``."""
    table, pattern = _phrases()
    parts: list[str | Slot] = []
    at = 0
    for match in pattern.finditer(text):
        own = match.group()
        others = tuple(phrase for phrase in table[own.lower()] if phrase.lower() != own.lower())
        parts += [text[at : match.start()], Slot(len(generators), _capital if own[0].isupper() else None)]
        generators.append(SynonymGenerator(own, others))
        at = match.end()
    return [part for part in (*parts, text[at:]) if part != ""]


def _capital(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


@cache
def _phrases() -> tuple[dict[str, tuple[str, ...]], re.Pattern[str]]:
    alike = (*groups("en"), *groups("zh"))
    table = {phrase.lower(): group for group in alike for phrase in group}
    longest_first = sorted(table, key=len, reverse=True)
    pattern = "|".join(rf"\b{re.escape(p)}\b" if p.isascii() else re.escape(p) for p in longest_first)
    return table, re.compile(pattern, re.IGNORECASE)
