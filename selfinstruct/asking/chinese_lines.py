"""Chinese lines: their words, their slots, and what happened to each slot.

    用户 张三 登录成功，来源 10.0.0.1 -> 用户: 张三 (verb 登录, outcome 成功); 来源: 10.0.0.1

Does not handle: sentences whose words are mostly outside the lists.

>>> line = ChineseLine("用户 张三 登录成功，来源 10.0.0.1")
>>> [(slot.noun, slot.text) for slot in line.slots], line.owner.mention
([('用户', '张三'), ('来源', '10.0.0.1')], '用户张三')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from selfinstruct.asking.chinese_words import cut, word_classes
from selfinstruct.asking.headers import Header, parse_header
from selfinstruct.asking.lexicon import entries, flagged
from selfinstruct.asking.tokens import tokenize

_QUOTES = {"“": "”", "「": "」", "《": "》", '"': '"'}
_NUMERAL = re.compile("[一二三四五六七八九十百千万零两]+")
_MEASURE = "|".join(sorted((u for u in entries("chinese-units") if not u.isascii()), key=len, reverse=True))
_COUNTED = re.compile(_MEASURE)
_COUNT = re.compile(rf"([一二三四五六七八九十百千万零两]+)({_MEASURE})")
_BREAKS = "，。；,;！!"
_JOINERS = frozenset("：:=[【#(（")


@dataclass(frozen=True, slots=True)
class Word:
    """A word at [start, end) code points: a class of ``chinese_words``, or ``value``, ``mark`` or ``break``."""

    start: int
    end: int
    text: str
    kind: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class ChineseSlot:
    """A value with the noun before it. ``at`` is its position among the words; ``flags`` are those of the noun."""

    at: int
    start: int
    end: int
    text: str
    noun: str
    flags: str
    form: str
    unit: str
    unit_end: int

    @property
    def is_entity(self) -> bool:
        """Whether this is a thing of which others are attributes."""
        return "e" in self.flags and not self.unit

    @property
    def mention(self) -> str:
        """The noun with the value."""
        return f"{self.noun}{self.text}"


class ChineseLine:
    """A line with its words, slots, and the events in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.header: Header = parse_header(text)
        self.words = _words(text, self.header.end)
        self.slots = _slots(self.words)

    @property
    def owner(self) -> ChineseSlot | None:
        """The first thing that the line is about."""
        return next((slot for slot in self.slots if slot.is_entity), None)

    def event(self, slot: ChineseSlot) -> tuple[Word | None, Word | None, Word | None]:
        """The negation, verb and outcome right after a slot."""
        negation = verb = outcome = None
        is_phrase = False
        for word in self.words[slot.at + 1 :]:
            if word.kind == "preposition" and verb is None:
                is_phrase = True
            elif is_phrase and word.kind in ("noun", "value", "mark"):
                is_phrase = word.kind != "value"
            elif word.kind == "negation" and verb is None and negation is None:
                negation = word
            elif word.kind == "verb" and verb is None:
                verb = word
            elif word.kind == "outcome":
                outcome = word
                break
            elif word.kind != "other" or word.text in ("的", "和", "与", "及"):
                break
        return negation, verb, outcome

    def is_only(self, slot: ChineseSlot) -> bool:
        """Whether no other slot has a noun that might mean this one."""
        return not any(
            other is not slot
            and other.text != slot.text
            and (other.noun == slot.noun or other.noun.endswith(slot.noun))
            for other in self.slots
        )


@cache
def _units() -> frozenset[str]:
    return frozenset(unit for unit in entries("chinese-units") if not unit.isascii())


def _pieces(run: str, follows_number: bool) -> list[str]:
    """The words of a run, with numerals and the measure words right after a number cut off: 一百三十 卷, (3) 次."""
    match = _COUNTED.match(run) if follows_number else None
    if match is not None and match[0] in _units():
        return [match[0], *_pieces(run[match.end() :], follows_number=False)]
    found = _COUNT.search(run)
    if found is None or found[2] not in _units():
        return cut(run)
    return [*cut(run[: found.start()]), found[1], found[2], *_pieces(run[found.end() :], follows_number=False)]


def _is_counted(words: Sequence[Word], place: int) -> bool:
    return bool(words) and words[-1].form == "number" and place - words[-1].end < 2


def _words(text: str, start: int) -> list[Word]:
    classes = word_classes()
    words: list[Word] = []
    tokens = tokenize(text, start)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        closing = _QUOTES.get(token.text) if token.kind == "mark" else None
        end = next((i for i in range(at + 1, len(tokens)) if tokens[i].text == closing), None) if closing else None
        if end is not None and end > at + 1:
            first, last = (token.start, tokens[end].end) if token.text == "《" else (token.end, tokens[end].start)
            words.append(Word(first, last, text[first:last], "value", "title" if token.text == "《" else "quoted"))
            at = end
        elif token.kind == "mark":
            words.append(Word(token.start, token.end, token.text, "break" if token.text in _BREAKS else "mark"))
        elif token.kind == "han":
            place = token.start
            follows_number = bool(words) and words[-1].form == "number" and token.start - words[-1].end < 2
            for piece in _pieces(token.text, follows_number):
                kind = "unit" if piece in _units() and _is_counted(words, place) else classes.get(piece, "value")
                form = "number" if _NUMERAL.fullmatch(piece) else "han"
                words.append(Word(place, place + len(piece), piece, kind, form if kind == "value" else ""))
                place += len(piece)
        elif token.text in entries("chinese-units") and words and words[-1].form == "number":
            words.append(Word(token.start, token.end, token.text, "unit"))
        else:
            words.append(Word(token.start, token.end, token.text, "value", token.kind))
        at += 1
    return _compounds(words)


def _compounds(words: Sequence[Word]) -> list[Word]:
    """Join nouns that stand without a gap, and a verb before a noun that has a value: 登录来源, 磁盘使用率."""
    result: list[Word] = []
    for at, word in enumerate(words):
        last = result[-1] if result else None
        following = words[at + 1] if at + 1 < len(words) else None
        has_value = following is not None and (following.kind in ("value", "be") or following.text in "：:=")
        if last is not None and word.kind == "noun" and last.end == word.start and (
            last.kind == "noun" or (last.kind == "verb" and has_value and "a" in _flags(word.text))
        ):  # fmt: skip
            before = result[-2] if len(result) > 1 else None
            if last.kind == "noun" or before is None or before.kind in ("break", "mark", "other"):
                result[-1] = Word(last.start, word.end, last.text + word.text, "noun")
                continue
        result.append(word)
    return result


def _slots(words: Sequence[Word]) -> list[ChineseSlot]:
    slots = []
    for at, word in enumerate(words):
        if word.kind != "value":
            continue
        before = at - 1
        while before >= 0 and (words[before].text in _JOINERS or words[before].kind == "be"):
            before -= 1
        noun = words[before].text if before >= 0 and words[before].kind == "noun" else ""
        is_named = noun or (at and words[at - 1].text in ("由", "被"))
        if word.form == "han" and (not is_named or not 1 < len(word.text) <= 12) and not _NUMERAL.fullmatch(word.text):
            continue
        unit = words[at + 1] if at + 1 < len(words) and words[at + 1].kind == "unit" else None
        is_number = word.form == "number" or _NUMERAL.fullmatch(word.text) is not None
        following = words[at + 1] if at + 1 < len(words) else None
        if following is not None and following.text == "%" and is_number:
            unit = following
        unit = unit if is_number else None
        slots.append(
            ChineseSlot(
                at,
                word.start,
                word.end,
                word.text,
                noun,
                _flags(noun),
                word.form if not is_number else "number",
                unit.text if unit else "",
                unit.end if unit else 0,
            )
        )
    return slots


def _flags(noun: str) -> str:
    nouns = flagged("chinese-nouns")
    return next((nouns[noun[at:]] for at in range(len(noun)) if noun[at:] in nouns), "")
