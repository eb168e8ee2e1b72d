"""Sentences of the texts of one category, mixed into new texts.

A new text has as many sentences as one of the texts: the first is the first sentence of some text, the last is the
last of another, and the others come from the middle. The values of each sentence are replaced, and some phrases are
replaced by synonyms. A sentence that begins with "but" or the like stays with the one before it.

Does not handle: pronouns that refer to an earlier sentence.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random

from selfinstruct.mining.generators import SynonymGenerator
from selfinstruct.mining.lexicon import groups
from selfinstruct.mining.number_generators import Generator, NumberGenerator
from selfinstruct.mining.polarity import is_mixed
from selfinstruct.mining.row_template import RowTemplate, render_parts
from selfinstruct.mining.variables import Slot
from selfinstruct.records import Row
from selfinstruct.text import value_text

_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“(]?[A-Z0-9£$€])|(?<=[。！？])”?|\n+")

# A sentence that begins so takes back what the one before it says.
_CONTRASTS = re.compile(
    r"[\"“(]?(?:(?:But|However|Yet|Nevertheless|Nonetheless|Even so|Although|Though)\b"
    r"|但|不过|可是|可惜|然而|只是|却|尽管|虽然|后来|结果|好在|幸好|其实|反而|总算)"
)
# What makes a number a verdict: stars and marks always, waiting times in texts of praise and blame. By what follows it.
_MARKED = re.compile(r"\s*(?:[-–]?\s*stars?\b|out of \d|of 5\b|/\s*(?:5|10)\b|颗?星(?!期)|分(?!钟|之))", re.IGNORECASE)
_WEIGHED = re.compile(
    r"\s*(?:[-–]?\s*(?:points?|minutes?|hours?|days?|weeks?|months?|years?|times?)\b|%"
    r"|个?(?:分钟|小时|天|日|周|星期|月|年|次|遍|倍|折|％))",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[\d.]\s*(?:minute|hour|day|week|month|year|second|分|秒|小时|天|周|星期|月|年|%|％)")
_NUMERAL = re.compile(r"[\d零〇一二两三四五六七八九十百千万半]$")

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


def shared_endings(rows: Sequence[Row], name: str, ignored: Collection[str] = ()) -> frozenset[str]:
    """The last sentences that texts of rows with different other fields have: they mean what the ones before them say.

    "Just what I wanted." is praise after five minutes in a queue, and blame after forty.
    """
    labels: dict[str, str] = {}
    shared = set()
    for row in rows:
        text = row.get(name)
        if isinstance(text, str):
            rest = value_text([value for key, value in row.items() if key != name and key not in ignored])
            if labels.setdefault(_ending(text), rest) != rest:
                shared.add(_ending(text))
    return frozenset(shared)


def _ending(text: str) -> str:
    """The last sentence of a text."""
    starts = [match.end() for match in _END.finditer(text.strip()) if match.end() < len(text.strip())]
    return text.strip()[starts[-1] if starts else 0 :]


def split_prose(
    parts: Sequence[str | Slot],
    template: RowTemplate | None,
    *,
    weighed: bool = False,
    shared: Collection[str] = (),
) -> Prose:
    """Cut the parts of a text, which are those of ``template``, into sentences.

    Every phrase that has synonyms becomes a slot. Numbers get no more digits than in the seeds: the sentences are
    enough to make texts distinct, and marks (4 stars) stay. A ``weighed`` text has a label that follows what
    it praises or blames: its lengths of time stay too, and so do its sentences if some praise and others blame. The
    sentences also stay if the last one is ``shared`` by texts with other labels.
    """
    own = render_parts(parts, () if template is None else template.own)
    whole = (weighed and is_mixed(own)) or _ending(own) in shared
    if template is not None:
        parts = _with_verdicts(parts, template, weighed=weighed)
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
    return Prose(tuple(_joined([sentence for sentence in cut if sentence], whole=whole)), template, tuple(more))


def _joined(sentences: Sequence[Sequence[str | Slot]], *, whole: bool) -> Iterator[Sentence]:
    """Join the sentences that cannot be parted: those that a contrast begins, with the one before; or all of them."""
    together: list[str | Slot] = []
    for sentence in sentences:
        first = sentence[0]
        if together and not whole and not (isinstance(first, str) and _CONTRASTS.match(first)):
            yield tuple(together)
            together = []
        together += sentence
    if together:
        yield tuple(together)


def _with_verdicts(parts: Sequence[str | Slot], template: RowTemplate, *, weighed: bool) -> list[str | Slot]:
    """The parts with the own values of numbers that say how good something was."""
    owns = [render_parts([part], template.own) for part in parts]
    kept = {
        part.of
        for part, own, after in zip(parts, owns, [*owns[1:], ""], strict=True)
        if isinstance(part, Slot)
        and ((_NUMERAL.search(own) and _MARKED.match(after)) or (weighed and _is_length(own, after)))
    }
    return [own if isinstance(part, Slot) and part.of in kept else part for part, own in zip(parts, owns, strict=True)]


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


def _is_length(own: str, after: str) -> bool:
    """Whether a value is a length of time, with its unit or before it."""
    return bool(_UNIT.search(own) or (_NUMERAL.search(own) and _WEIGHED.match(after)))


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
