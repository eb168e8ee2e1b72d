"""Equations in prose: those that can be computed, and whether they hold.

    "4 boxes of 12 hold 12 apples × 4 = 46 apples."  ->  "12 apples × 4 = 46 apples is 48"

Both sides are read as far as they are numbers with units, ``+ - × ÷`` and brackets, in ASCII or full width. What else
stands there (a variable, a conversion of units, a remainder, a power, a word that computes) may be right in a way that
is not understood, and the equation is passed over: errors that are reported are errors, and others may remain.

Does not handle: equations in words, roots, powers, inequalities, numbers in words.

>>> false_equation("So 1,200 ÷ 4 = 300, and 80×12.5％＝10."), false_equation("12个×4＝46个")
(None, '12个×4=46个 is 48')
>>> false_equation("2x + 4 = 10"), false_equation("1.5 hours ÷ 3 = 30 minutes"), false_equation("17 ÷ 5 = 3……2")
(None, None, None)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from selfinstruct.messages import Phrase
from selfinstruct.text import UNSPACED
from selfinstruct.values.measures import MULTIPLES, MULTIPLYING, measure

_FOLDED = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *map(ord, "＋－＊／＝％（）．＄"))}
    | {"−": "-", "﹣": "-", "–": "-", "∗": "*", "⋅": "*", "∙": "*", "·": "*", "∕": "/", "￥": "¥", "\u3000": " "}
)
_COMMANDS = {r"\times": "×", r"\div": "÷", r"\cdot": "*", r"\%": "%", r"\$": "$"}
_EMPHASIS = re.compile(r"(?<![\d*])\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*(?![\d*])")
_TIMES = re.compile(r"(?<=[\d)\s%])[xX](?=\s*[\d($€£¥])")
_PERCENT = re.compile(r"(?<=\d)\s*(?:percent|per cent)\b")
_BULLET = re.compile(r"^\s*(?:[-*•]\s+|\(?\d+(?:[)、]|\.\s))")
#: A number at the start of a line that may be a bullet and the first digits of a result: 1.3 + 4.
_UNCLEAR_BULLET = re.compile(r"^\s*\d{1,2}\.(?=\d)")
# What has a meaning of its own: a remark in brackets, a dollar sign of LaTeX, a power or a fraction, a full-width comma
# between thousands.
_REMARK = re.compile(r"\([^\d()=+\-*/×÷]*\)|\$(?!\s?\d)")
_OTHER = re.compile(r"(?<![^\W\d])[²³]|[¹⁰⁴-⁹½⅓⅔¼¾⅛]|(?<=\d)，(?=\d{3}(?!\d))")
#: What separates statements; a point, a comma or a colon between digits does not.
_BREAK = re.compile(r"\n|[.,:](?!\d)|(?<!\d)[.,:]|[：;；。！？!?，、“”\"「」『』《》〈〉<>≈≠≤≥→⇒∴∵|\[\]{}~]")
_ELLIPSIS = re.compile(r"\.{2,}|…+")
#: A line with one of these words may name the whole part of a quotient.
_REMAINDER = re.compile(r"\b(?:remain\w*|left|leftover|leaves|full|whole|complete\w*)\b|[余剩]|整|最多|至少")
_EQUALS = re.compile(r"(?<![!:=])=(?!=)")
_PIECE = re.compile(
    r"(?P<money>[$€£¥]\s?)?(?P<digits>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)?)(?![.,]\d|[_^])"
    r"(?P<multiple>\s?[万亿])?(?P<percent>\s?%)?"
    rf"|(?P<word>[{UNSPACED}]+|[^\W\d_{UNSPACED}]+(?:/[^\W\d_{UNSPACED}]+)*[²³]?)"
    r"|(?P<sign>[-+*/×÷()])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
_SIGNS = {"*": "×", "/": "÷"}
_COMPUTING_WORDS = """
plus minus times of over twice double triple negative squared cubed factorial divided multiplied root sqrt log ln sin
cos tan mod modulo remainder rem r or to by about approximately nearly rounded roughly than power
"""
#: Words that may be a part of the computation.
_COMPUTING = MULTIPLYING | frozenset(_COMPUTING_WORDS.split())
_COMPUTING_HAN = re.compile(
    "[加减乘除倍余又半约负模折成几多]|以[上下]|左右|之|根号|[的比]$|^点|[百千十]$|^[百千十](?![克米瓦卡升])"
)
_MOST_DIGITS, _MOST_SHOWN = 24, 80


class _NotUnderstood(Exception):
    """A side has something that is not understood."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A ``number`` with its unit, a ``sign``, the ``words`` between expressions, or something ``other``."""

    kind: str
    text: str
    start: int
    end: int
    value: Fraction = Fraction(0)
    places: int = 0
    is_percentage: bool = False
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Side:
    """A computed side of an equation."""

    text: str
    value: Fraction
    numbers: Sequence[_Item]
    signs: frozenset[str]


def false_equation(text: str) -> str | None:
    """Return the first equation of a text that does not hold, with the right result; None if there is none."""
    return next(_false_equations(text), None)


def _false_equations(text: str) -> Iterator[str]:
    for line in _readable(text).split("\n"):
        if "=" in line:
            unclear = _UNCLEAR_BULLET.match(line)
            for found in _false_in_line(_BULLET.sub("", line)):
                if unclear is None or next(_false_in_line(line[unclear.end() :]), None) is not None:
                    yield found


def _false_in_line(line: str) -> Iterator[str]:
    for statement in _BREAK.split(line):
        for before, after in pairwise(_EQUALS.split(statement)):
            try:
                left, right = _last_expression(before), _first_expression(after)
            except (_NotUnderstood, ZeroDivisionError):
                continue
            if "÷" in left.signs | right.signs and _REMAINDER.search(line):
                continue
            if (left.signs or right.signs) and _comparable(left, right) and not _equal(left, right):
                equals = " = " if before.endswith(" ") or after.startswith(" ") else "="
                shown = f"{left.text}{equals}{right.text}"
                shown = shown if len(shown) <= _MOST_SHOWN else f"...{shown[-_MOST_SHOWN:]}"
                yield Phrase("{equation} is {result}", equation=shown, result=_result(left, right))


def _readable(text: str) -> str:
    """The text in ASCII digits and signs, without emphasis; an ellipsis, which may be a remainder, stays one mark."""
    for command, sign in _COMMANDS.items():
        text = text.replace(command, sign)
    text = _ELLIPSIS.sub("…", _EMPHASIS.sub(r"\1", text.translate(_FOLDED)))
    return _OTHER.sub("^", _REMARK.sub(" ", _PERCENT.sub("%", _TIMES.sub("×", text))))


def _items(side: str) -> list[_Item]:
    """The items of a side. Words between a number and a sign, or the end, are the unit of the number."""
    found: list[_Item] = []
    for match in _PIECE.finditer(side):
        kind = match.lastgroup or "other"
        if match["digits"]:
            digits = match["digits"].replace(",", "")
            value = Fraction(digits) * MULTIPLES.get((match["multiple"] or "").strip(), 1)
            unit = (match["money"].strip(),) if match["money"] else ()
            places = len(digits.partition(".")[2]) if not match["multiple"] else 0
            number = _Item("number", match[0], *match.span(), value, places, bool(match["percent"]), unit)
            found.append(number if len(digits) <= _MOST_DIGITS else replace(number, kind="other"))
        elif kind == "word" and found and found[-1].kind == "words":
            text = side[found[-1].start : match.end()]
            found[-1] = replace(found[-1], text=text, end=match.end())
        elif kind != "space":
            found.append(_Item("words" if kind == "word" else kind, match[0], *match.span()))
    return _with_units(side, found)


def _with_units(side: str, items: Sequence[_Item]) -> list[_Item]:
    merged: list[_Item] = []
    for at, item in enumerate(items):
        ends = at + 1 == len(items) or items[at + 1].kind == "sign"
        if item.kind == "words" and merged and merged[-1].kind == "number" and ends and not _computes(item.text):
            number = merged[-1]
            units = (*number.units, item.text.lower())
            merged[-1] = replace(number, text=side[number.start : item.end], end=item.end, units=units)
        else:
            merged.append(item)
    return merged


def _computes(words: str) -> bool:
    """Whether one of some words may be a part of the computation."""
    each = words.lower().split()
    return any(word in _COMPUTING or _COMPUTING_HAN.search(word) for word in each)


def _last_expression(side: str) -> _Side:
    """The expression that a side ends with, after words that have nothing to do with it."""
    items = _items(side)
    start = len(items)
    while start and items[start - 1].kind in ("number", "sign"):
        start -= 1
    before = items[:start]
    if any(each.kind not in ("words", "number") or each.is_percentage for each in before):
        raise _NotUnderstood
    if before and (before[-1].kind != "words" or _computes(before[-1].text.split()[-1])):
        raise _NotUnderstood
    if before and items[start:] and items[start].text == "(" and items[start].start == before[-1].end:
        raise _NotUnderstood  # f(2)
    rest = items[start:]
    while rest and rest[0].text == "(" and _depth(rest) > 0:
        rest = rest[1:]
    return _computed(side, rest)


def _first_expression(side: str) -> _Side:
    """The expression that a side begins with, before words that have nothing to do with it."""
    items = _items(side)
    end = 0
    while end < len(items) and items[end].kind in ("number", "sign"):
        end += 1
    if any(each.kind != "words" or _computes(each.text) for each in items[end:]):
        raise _NotUnderstood
    rest = items[:end]
    while rest and rest[-1].text == ")" and _depth(rest) < 0:
        rest = rest[:-1]
    return _computed(side, rest)


def _depth(items: Sequence[_Item]) -> int:
    return sum((each.text == "(") - (each.text == ")") for each in items)


def _computed(side: str, items: Sequence[_Item]) -> _Side:
    """The value of an expression. Raises _NotUnderstood for anything else, ZeroDivisionError."""
    value, rest = _sum(items)
    if rest:
        raise _NotUnderstood
    numbers = [each for each in items if each.kind == "number"]
    signs = frozenset(_SIGNS.get(each.text, each.text) for each in items if each.text in ("+", "-", *"*/×÷"))
    return _Side(side[items[0].start : items[-1].end], value, numbers, signs if len(numbers) > 1 else frozenset())


def _sum(items: Sequence[_Item]) -> tuple[Fraction, Sequence[_Item]]:
    value, items = _product(items)
    while items and items[0].text in ("+", "-"):
        other, rest = _product(items[1:])
        value, items = (value + other if items[0].text == "+" else value - other), rest
    return value, items


def _product(items: Sequence[_Item]) -> tuple[Fraction, Sequence[_Item]]:
    value, items = _factor(items)
    while items and items[0].text in ("*", "×", "/", "÷"):
        other, rest = _factor(items[1:])
        value, items = (value * other if items[0].text in ("*", "×") else value / other), rest
    return value, items


def _factor(items: Sequence[_Item]) -> tuple[Fraction, Sequence[_Item]]:
    """A number, a negative number, or a sum in brackets, and the items after it."""
    if not items:
        raise _NotUnderstood
    first = items[0]
    if first.kind == "number":
        return (first.value / 100 if first.is_percentage else first.value), items[1:]
    if first.text == "-" and len(items) > 1 and items[1].kind == "number" and items[1].start == first.end:
        value, rest = _factor(items[1:])
        return -value, rest
    if first.text != "(":
        raise _NotUnderstood
    value, rest = _sum(items[1:])
    if not rest or rest[0].text != ")":
        raise _NotUnderstood
    return value, rest[1:]


def _comparable(left: _Side, right: _Side) -> bool:
    """Whether the units say that the numbers of an equation can be compared as they are."""
    numbers = [*left.numbers, *right.numbers]
    units = [unit for each in numbers for unit in each.units]
    # A single letter is a variable, unless it is a unit set off from its number in a product: 60 km/h × 2 h.
    signs = left.signs | right.signs
    adds = bool(signs & {"+", "-"})
    letters = [unit for unit in units if len(unit) == 1 and unit.isalpha() and unit.isascii()]
    if any(adds or not measure(unit) or f" {unit}" not in f"{left.text} {right.text}".lower() for unit in letters):
        return False
    if adds and (len({each.is_percentage for each in numbers}) > 1 or not _same_unit(units)):
        return False
    measured = [{part for unit in each.units for word in unit.split() for part in measure(word)} for each in numbers]
    all_measured = set().union(*measured)
    if len({kind for kind, _ in all_measured}) < len(all_measured):
        return False  # a conversion
    known = set().union(*measured[: len(left.numbers)])
    new = set().union(*measured[len(left.numbers) :]) - known
    return not known or not any(kind != "money" for kind, _ in new)


def _same_unit(units: Sequence[str]) -> bool:
    """Whether added numbers count the same: their units begin with the same word, or one with the other."""
    first = [unit.split()[0].removesuffix("s") for unit in units]
    shortest = min(first, key=len, default="")
    return all(each == shortest or (not shortest.isascii() and each.startswith(shortest)) for each in first)


def _equal(left: _Side, right: _Side) -> bool:
    """Whether two sides are equal, as precisely as they are written."""
    if left.signs and right.signs:
        rounded = any(each.places for each in (*left.numbers, *right.numbers))
        return abs(left.value - right.value) <= (abs(left.value) / 100 if rounded else 0)
    written, computed = (right, left) if left.signs else (left, right)
    number = written.numbers[0]
    # 15 ÷ 60 × 100 = 25% and 15 ÷ 60 = 25% are both written.
    if number.is_percentage:
        return any(
            _as_written(value, number, computed, rounds=True) for value in (100 * computed.value, computed.value)
        )
    return _as_written(computed.value, replace(number, value=written.value), computed, rounds=number.places > 0)


def _as_written(value: Fraction, number: _Item, computed: _Side, *, rounds: bool) -> bool:
    """Whether a number is a value, rounded or cut off, or computed from rounded numbers (33.33 × 3 = 100)."""
    difference, step = abs(value - number.value), Fraction(1, 10**number.places)
    if difference == 0 or not rounds:
        from_rounded = any(each.places > 1 for each in computed.numbers)
        return difference == 0 or (from_rounded and difference * 1000 <= abs(number.value))
    return difference * 2 <= step or (abs(number.value) < abs(value) and difference < step)


def _result(left: _Side, right: _Side) -> str:
    """The right result of a false equation."""
    written, computed = (right, left) if left.signs else (left, right)
    percent = written.numbers[0].is_percentage and not written.signs and computed.value < 1
    value = computed.value * (100 if percent else 1)
    text = str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
    return f"{text}%" if percent else text
