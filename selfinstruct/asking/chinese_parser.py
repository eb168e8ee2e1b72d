"""Words of a Chinese line with their classes: nouns, verbs, values, outcomes.

    登录用户：王小明 -> noun 登录用户, mark ：, value 王小明

Does not handle: sentences whose words are mostly outside the lists.

>>> [(word.kind, word.text) for word in parse_words("固件版本 v2.3，耗时35ms")]
[('noun', '固件版本'), ('value', 'v2.3'), ('break', '，'), ('noun', '耗时'), ('value', '35'), ('unit', 'ms')]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from selfinstruct.asking.chinese_words import NUMERAL, cut, noun_flags, word_classes
from selfinstruct.asking.lexicon import entries
from selfinstruct.asking.tokens import Token, tokenize

_QUOTES = {"“": "”", "「": "」", "《": "》", '"': '"'}
_MEASURE = "|".join(sorted((u for u in entries("chinese-units") if not u.isascii()), key=len, reverse=True))
_COUNTED = re.compile(_MEASURE)
_COUNT = re.compile(rf"([一二三四五六七八九十百千万零两]+)({_MEASURE})")
_BREAKS = "，。；,;！!"
_KEY_MARKS = frozenset("：:=")
#: Abbreviations that are nouns among Chinese words.
_LATIN_NOUNS = frozenset(("IP", "ID", "CPU", "MAC", "URL", "key", "Key"))
_COMPARING = ("超过", "达到", "低于", "高于")
_LONGEST_MODIFIER = 4


@dataclass(frozen=True, slots=True)
class Word:
    """A word at [start, end) code points.

    Kinds are the classes of ``chinese_words``, and value, mark and break. ``form`` of a value is the kind of its token,
    or title, quoted, han (outside the lists) or number.
    """

    start: int
    end: int
    text: str
    kind: str
    form: str = ""


def parse_words(text: str, start: int = 0) -> list[Word]:
    """Return the words of a line from ``start`` on."""
    words: list[Word] = []
    tokens = tokenize(text, start)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        closing = _QUOTES.get(token.text) if token.kind == "mark" else None
        end = next((i for i in range(at + 1, len(tokens)) if tokens[i].text == closing), None) if closing else None
        if end is not None and end > at + 1:
            words.append(_quotation(text, tokens, at, end))
            at = end
        elif token.kind == "mark":
            words.append(Word(token.start, token.end, token.text, "break" if token.text in _BREAKS else "mark"))
        elif token.kind == "han":
            words += _of_run(token, words)
        elif token.text in entries("chinese-units") and words and words[-1].form == "number":
            words.append(Word(token.start, token.end, token.text, "unit"))
        else:
            following = tokens[at + 1].text if at + 1 < len(tokens) else ""
            is_noun = token.text in _LATIN_NOUNS or (following == "=" and token.kind in ("word", "code"))
            words.append(Word(token.start, token.end, token.text, "noun" if is_noun else "value", token.kind))
        at += 1
    return _compounds(_keyed_values(words))


def _quotation(text: str, tokens: Sequence[Token], at: int, end: int) -> Word:
    """The text between two quotation marks; it is a noun before a colon, and a title keeps its marks."""
    opening, closing = tokens[at], tokens[end]
    if opening.text == "《":
        return Word(opening.start, closing.end, text[opening.start : closing.end], "value", "title")
    inside = text[opening.end : closing.start].strip()
    start = text.find(inside, opening.end)
    is_key = end + 1 < len(tokens) and tokens[end + 1].text in _KEY_MARKS
    return Word(start, start + len(inside), inside, "noun" if is_key else "value", "quoted")


@cache
def _units() -> frozenset[str]:
    return frozenset(unit for unit in entries("chinese-units") if not unit.isascii())


def _of_run(token: Token, before: Sequence[Word]) -> list[Word]:
    """The words of a run of characters."""
    words: list[Word] = []
    place = token.start
    last = before[-1] if before else None
    follows_number = last is not None and last.form == "number" and token.start - last.end < 2
    for piece in _pieces(token.text, follows_number):
        last = words[-1] if words else last
        is_counted = last is not None and last.form == "number" and place - last.end < 2
        kind = "unit" if piece in _units() and is_counted else word_classes().get(piece, "value")
        form = "number" if NUMERAL.fullmatch(piece) else "han"
        words.append(Word(place, place + len(piece), piece, kind, form if kind == "value" else ""))
        place += len(piece)
    return words


def _pieces(run: str, follows_number: bool) -> list[str]:
    """The words of a run, with numerals and the measure words right after a number cut off: 一百三十 卷, (3) 次."""
    match = _COUNTED.match(run) if follows_number else None
    if match is not None:
        return [match[0], *_pieces(run[match.end() :], follows_number=False)]
    found = _COUNT.search(run)
    if found is None:
        return cut(run)
    return [*cut(run[: found.start()]), found[1], found[2], *_pieces(run[found.end() :], follows_number=False)]


def _keyed_values(words: Sequence[Word]) -> list[Word]:
    """Take a listed word for a value where it is all that follows a key: 结果：成功, 服务=结算."""
    result: list[Word] = []
    for at, word in enumerate(words):
        before = words[at - 1] if at else None
        following = words[at + 1] if at + 1 < len(words) else None
        ends = following is None or following.kind == "break" or following.start > word.end
        is_after_key = before is not None and before.text in _KEY_MARKS and at > 1 and words[at - 2].kind != "break"
        if is_after_key and ends and word.kind in ("noun", "verb", "outcome", "other") and word.form != "quoted":
            word = Word(word.start, word.end, word.text, "value", "constant")
        result.append(word)
    return result


def _compounds(words: Sequence[Word]) -> list[Word]:
    """Join what stands without a gap before a noun and modifies it: 磁盘使用率, 登录来源, 固件版本."""
    result: list[Word] = []
    for at, word in enumerate(words):
        last = result[-1] if result else None
        if word.kind == "noun" and last is not None and last.end == word.start:
            before = result[-2] if len(result) > 1 else None
            if last.kind == "noun" or _modifies(last, word, before, words[at + 1 : at + 3]):
                result[-1] = Word(last.start, word.end, last.text + word.text, "noun")
                continue
        result.append(word)
    return result


def _modifies(last: Word, noun: Word, before: Word | None, after: Sequence[Word]) -> bool:
    """Whether a verb or an unlisted word before a noun modifies it.

    A value follows the noun, and nothing goes before. What is counted (处理记录 5000 条) is an object.
    """
    if not after or not (after[0].kind in ("value", "be") or after[0].text in _KEY_MARKS):
        return False
    is_first = before is None or before.kind in ("break", "mark", "other")
    if last.kind == "verb":
        flags = noun_flags(noun.text)
        is_counted = len(after) > 1 and after[1].kind == "unit" and "e" in flags
        is_later = before is not None and before.kind == "break"
        is_apt = after[0].text in _KEY_MARKS or "a" in flags or is_later
        return is_first and is_apt and not is_counted and last.text not in _COMPARING
    is_free = is_first or (before is not None and before.end < last.start)
    return last.form == "han" and len(last.text) <= _LONGEST_MODIFIER and is_free
