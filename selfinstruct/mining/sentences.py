"""Sentences of the texts of one category, mixed into new texts.

A new text has as many sentences as one of the texts: the first is the first sentence of some text, the last is the
last of another, and the others come from the middle. The values of each sentence are replaced, and some phrases are
replaced by synonyms.

Does not handle: pronouns that refer to an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from selfinstruct.mining.generators import SynonymGenerator
from selfinstruct.mining.lexicon import groups
from selfinstruct.mining.number_generators import Generator, NumberGenerator
from selfinstruct.mining.row_template import RowTemplate, render_parts
from selfinstruct.mining.variables import Slot

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9£$€])|(?<=[。！？])”?|\n+")

Sentence = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """The sentences of one text, with the white space after each.

    Its slots are the variables of ``template``, and then the phrases of ``phrases``.
    """

    sentences: tuple[Sentence, ...]
    template: RowTemplate | None
    phrases: tuple[Generator, ...]

    def draw(self, place: int, rng: Random) -> list[str]:
        """Return values of all slots; those of the row itself where new ones cannot be drawn."""
        values: list[str] = []
        if self.template is not None:
            values = self.template.draw(place, rng) or list(self.template.own)
        return [*values, *(phrase.draw(place, rng) for phrase in self.phrases)]


def split_prose(parts: Sequence[str | Slot], template: RowTemplate | None) -> Prose:
    """Cut the parts of a text, which are those of ``template``, into sentences.

    Every phrase that has synonyms becomes a slot. Numbers get no more digits than in the seeds: the sentences are
    enough to make texts distinct.
    """
    more: list[Generator] = []
    if template is not None:
        bounded = [each.bounded() if isinstance(each, NumberGenerator) else each for each in template.generators]
        template = replace(template, generators=tuple(bounded))
    first = 0 if template is None else len(template.generators)
    cut: list[list[str | Slot]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            cut[-1].append(part)
            continue
        at = 0
        for end in [match.end() for match in _END.finditer(part)] + [len(part)]:
            cut[-1].extend(_cut_at_phrases(part[at:end], more, first))
            if end < len(part):
                cut.append([])
            at = end
    return Prose(tuple(tuple(sentence) for sentence in cut if sentence), template, tuple(more))


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
            values[index] = texts[index].draw(place, rng)
        chosen.append(render_parts(texts[index].sentences[at], values[index]).strip())
    joint = " " if any(" " in sentence for sentence in chosen) else ""
    return joint.join(chosen)


def _cut_at_phrases(text: str, generators: list[Generator], first: int) -> list[str | Slot]:
    """Replace each phrase of ``text`` that has synonyms by a slot, and append its generator to ``generators``.

    ``first`` is the number of the first of these slots.
    """
    table, pattern = _phrases()
    parts: list[str | Slot] = []
    at = 0
    for match in pattern.finditer(text):
        own = match.group()
        others = tuple(phrase for phrase in table[own.lower()] if phrase.lower() != own.lower())
        parts += [text[at : match.start()], Slot(first + len(generators), _capital if own[0].isupper() else None)]
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
