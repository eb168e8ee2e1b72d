"""Whether the answer of a reader is the answer of a row.

It is if the texts are equal in canonical form, or the numbers are. It may also have an article, punctuation or a unit
around it that the row's answer lacks, if the answers of the seeds leave these out, or lack them, if those have them.

A label is also that of a sentence which names it, and no other label without a negation.

Does not handle: synonyms, other word forms, labels in another language, other ways to write a date.

>>> seeds = Convention.of([("384.0", "estimated size 384.0 B, free"), ("driver", "sent to the driver.")])
>>> seeds.agrees("512", "512 KB"), seeds.agrees("512 KB", "512"), seeds.agrees("29.0", "29"), seeds.agrees("29", "30")
(True, False, True, False)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selfinstruct.recipe import Verify
from selfinstruct.recipe.methods import Constraints
from selfinstruct.records import Row
from selfinstruct.text import canonical, caseless, find_span, find_spans, number_value, value_text

_ARTICLES = frozenset({"a", "an", "the"})
_ARTICLE_BEFORE = re.compile(r"(?<!\w)(?:a|an|the)\s+$", re.IGNORECASE)
_ARTICLE_AT_START = re.compile(r"(?:a|an|the)\s+\S", re.IGNORECASE)
#: What turns the label after it. "nor" and "neither" turn one as "not" does.
_NEGATION = re.compile(
    r"(?:\b(?:not|non|no|nor|neither|never|without|isn['’]t|rather than|instead of)"
    r"(?: (?:at all|a|an|the|really|very))?[\s\"'“‘*_-]*"
    r"|(?:不是|并非|而非|绝非|不|非|没有|没)(?:太|够|很|怎么|特别|那么|算)?[\s\"'“‘「*_]*)$",
    re.IGNORECASE,
)
_UNLIMITED = Constraints()
_MOST_READ = 2000
_UNIT = re.compile(r"\s*([^\W\d_]{1,12}|[%°℃])")
# Before a digit these belong to the number.
_SIGNS = frozenset("-+.−$€£¥￥")


@dataclass(frozen=True, slots=True)
class Convention:
    """What the answers of the seeds leave out, and what they have: ``article``, ``punctuation``, ``unit``.

    ``labels`` are the only values, where the answer is a label.
    """

    leaves_out: frozenset[str] = frozenset()
    has: frozenset[str] = frozenset()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, seeds: Iterable[tuple[str, str]], labels: Sequence[str] = ()) -> Convention:
        """Return the convention of answers, each with the text that it is taken from."""
        leaves_out: set[str] = set()
        has: set[str] = set()
        for written, context in seeds:
            answer = written.strip()
            has.update(_within(answer))
            span = find_span(answer, context)
            if span is not None:
                leaves_out.update(_around(context[: span[0]], answer, context[span[1] :]))
        return cls(frozenset(leaves_out), frozenset(has), tuple(labels))

    def agrees(self, answer: str, read: str) -> bool:
        """Whether ``read``, the answer of a reader, is the ``answer`` of a row."""
        given, found = canonical(answer).strip(), canonical(read).strip()
        if given == found:
            return True
        if not given or not found:
            return False
        if self.labels:
            return named_label(found, self.labels) == named_label(given, self.labels) is not None
        number = number_value(given)
        if number is not None and number == number_value(found):
            return True
        tolerated = self.leaves_out if len(found) > len(given) else self.has
        shorter, longer = sorted((given, found), key=len)
        return any(tolerated.issuperset(kinds) for kinds in _differences(shorter, longer))


def named_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the only label that a text names, ignoring case and what is around it; None if it names none or several.

    >>> named_label("The label is **Positive**.", ["positive", "negative"])
    'positive'
    >>> named_label("不是消极，而是积极。", ["积极", "消极"]), named_label("not positive", ["positive", "negative"])
    ('积极', None)
    """
    said = caseless(text[:_MOST_READ])
    named = set()
    for label in sorted(labels, key=len, reverse=True):
        word = caseless(label).strip()
        if said.strip() == word:
            return label
        for start, end in find_spans(word, said):
            if not _NEGATION.search(said[:start]):
                named.add(label)
            # A shorter label inside of it is not named; the length stays, so that places do.
            said = said[:start] + "\0" * (end - start) + said[end:]
    return named.pop() if len(named) == 1 else None


def conventions(
    verifications: Sequence[Verify], seeds: Sequence[Row], fields: Mapping[str, Constraints] | None = None
) -> dict[str, Convention]:
    """The convention of each field that second opinions answer; of ``fields``, those with ``one_of`` are labels."""
    return {
        verify.answers: Convention.of(
            [
                (value_text(row[verify.answers]), value_text(row[name]))
                for row in seeds
                for name in verify.reads
                if name in row and verify.answers in row
            ],
            [value_text(label) for label in (fields or {}).get(verify.answers, _UNLIMITED).one_of],
        )
        for verify in verifications
    }


def _within(answer: str) -> Iterator[str]:
    """What an answer has around its core."""
    if _ARTICLE_AT_START.match(answer):
        yield "article"
    if answer and any(_is_mark(each) for each in (answer[0], answer[-1])) and answer[-1] not in "%°℃":
        yield "punctuation"
    number = re.match(r"[-+]?\d[\d.,]*(?=\D)", answer)
    if number and _is_unit(answer[number.end() :]):
        yield "unit"


def _around(before: str, answer: str, after: str) -> Iterator[str]:
    """What a text has around an answer."""
    if _ARTICLE_BEFORE.search(before):
        yield "article"
    if (after and _is_mark(after[0])) or (before and _is_mark(before[-1])):
        yield "punctuation"
    unit = _UNIT.match(after)
    if unit and answer[-1:].isdigit() and _is_unit(unit[0]):
        yield "unit"


def _differences(shorter: str, longer: str) -> Iterator[set[str]]:
    """The kinds of what a longer text has around a shorter one, for each place where that is all it has."""
    at = longer.find(shorter)
    while at >= 0:
        before, after = longer[:at], longer[at + len(shorter) :]
        left, right = _kinds_before(before, shorter), _kinds_after(shorter, after)
        if left is not None and right is not None:
            yield left | right
        at = longer.find(shorter, at + 1)


def _kinds_before(before: str, core: str) -> set[str] | None:
    if before and before[-1] in _SIGNS and core[0].isdigit():
        return None
    kinds: set[str] = set()
    for part in re.findall(r"\w+|[^\w\s]", before):
        if part.lower() in _ARTICLES and before[-1] not in "-_/." and not before[-1].isalnum():
            kinds.add("article")
        elif _is_mark(part):
            kinds.add("punctuation")
        else:
            return None
    return kinds


def _kinds_after(core: str, after: str) -> set[str] | None:
    rest = after
    kinds: set[str] = set()
    unit = _UNIT.match(rest)
    if unit and core[-1].isdigit() and _is_unit(unit[0]):
        kinds.add("unit")
        rest = rest[unit.end() :]
    if all(_is_mark(each) or each.isspace() for each in rest):
        return kinds | ({"punctuation"} if rest.strip() else set())
    return None


def _is_unit(text: str) -> bool:
    from selfinstruct.asking.lexicon import entries  # few values end in a unit, and its package is slow to import

    name = text.strip()
    return (
        name in "%°℃"
        if len(name) == 1 and not name.isalnum()
        else name in entries("units") or name in entries("chinese-units")
    )


def _is_mark(character: str) -> bool:
    return unicodedata.category(character[0])[0] in "PS"
