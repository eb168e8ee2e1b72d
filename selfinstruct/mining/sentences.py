"""Prose: sentences of one category's texts, mixed into new texts.

A new text has the plan of one of the texts (how many sentences, what stands between them), an opening from
one, a closing from another, and sentences from the middle of others. A sentence brings its own values, drawn
anew, and a few of its phrases may change for others of the same meaning.

Does not handle: pronouns that refer to an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from selfinstruct.mining.generators import Generator, NumberGenerator, SynonymGenerator
from selfinstruct.mining.lexicon import groups
from selfinstruct.mining.row_template import Slot, render_parts

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9£$€])|(?<=[。！？])”?|\n+")

Sentence = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """One text's sentences, each with the white space that follows it, and the domains of its variables."""

    sentences: tuple[Sentence, ...]
    generators: tuple[Generator, ...]


def split_prose(parts: Sequence[str | Slot], domains: Sequence[Generator]) -> Prose:
    """Cut the parts of a text into sentences, and make the phrases that have others of their meaning variable.

    Numbers keep to the digits that the seeds show: it is the sentences that tell texts apart.
    """
    more = [domain.kept() if isinstance(domain, NumberGenerator) else domain for domain in domains]
    cut: list[list[str | Slot]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            cut[-1].append(part)
            continue
        at = 0
        for end in [match.end() for match in _END.finditer(part)] + [len(part)]:
            cut[-1].extend(_phrased(part[at:end], more))
            if end < len(part):
                cut.append([])
            at = end
    return Prose(tuple(tuple(sentence) for sentence in cut if sentence), tuple(more))


def compose_text(texts: Sequence[Prose], place: int, rng: Random) -> str:
    """A new text of sentences from ``texts``; ``place`` is its place in the sequence of values."""
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
            values[index] = [domain.draw(place, rng) for domain in texts[index].generators]
        chosen.append(render_parts(texts[index].sentences[at], values[index]).strip())
    joint = " " if any(" " in sentence for sentence in chosen) else ""
    return joint.join(chosen)


def _phrased(text: str, domains: list[Generator]) -> list[str | Slot]:
    """``text`` cut at its interchangeable phrases; each becomes a variable, its domain added to ``domains``."""
    table, pattern = _phrases()
    parts: list[str | Slot] = []
    at = 0
    for match in pattern.finditer(text):
        own = match.group()
        others = tuple(phrase for phrase in table[own.lower()] if phrase.lower() != own.lower())
        parts += [text[at : match.start()], Slot(len(domains), _capital if own[0].isupper() else None)]
        domains.append(SynonymGenerator(own, others))
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
