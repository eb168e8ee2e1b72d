"""Arithmetic in prose: an expression in a text whose result the row also contains.

    "What is 12 times 8?" with "96"      "3 + 4 = 7"      "12乘以8等于多少"      "is 17 greater than 9?"

A number that is replaced in such a text makes the result wrong.

Does not handle: word problems whose numbers are not written as an expression, except by ``combines``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from itertools import permutations

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
NUMBER = re.compile(rf"(?<![\w.])-?{_NUMBER}(?![\w]|\.\d)|(?<![A-Za-z\d.]){_NUMBER}(?![A-Za-z\d]|\.\d)")
# The words of each operator in English, Chinese and a few other languages.
_WORDS = {
    "+": r"plus|added to|加上|加|プラス|足す",
    "-": r"minus|less|减去|减|減|マイナス|引く|weniger|moins|menos",
    "*": r"times|multiplied by|乘以|乘上|乘|かける|掛ける|mal|fois|por",
    "/": r"divided by|over|除以|割る|geteilt durch|divisé par|dividido por|entre",
}
_SIGNS = {"+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "×": "*", "·": "*", "x": "*", "/": "/", "÷": "/", ":": "/"}
_OPERATOR = (
    rf"(?:\s+[+*×·÷/x:−–-]\s+|(?<=\))\s*[+*×÷/-]\s*|\s*[+*×÷/-]\s*(?=\()|[+*×·÷]|\s*(?:{'|'.join(_WORDS.values())})\s*)"
)
_CLOSE_OPERATOR = rf"(?:{_OPERATOR}|\s*[-−/x]\s*)"


def _expression(operator: str) -> str:
    return rf"(?<![A-Za-z\d_.:/-])\(?\s?{_NUMBER}(?:\s?\)?{operator}\(?\s?{_NUMBER})+(?![\d:]|\.\d)\s?\)?"


_EXPRESSION = re.compile(_expression(_OPERATOR), re.IGNORECASE)
# A hyphen or a slash without spaces (a date, a range) is an operator only before an equals sign.
_EQUATION = re.compile(
    rf"({_expression(_CLOSE_OPERATOR)})\s*(?:=|equals|is equal to|等于)\s*\$?(-?{_NUMBER})?", re.IGNORECASE
)
_PAIR = rf"(?:the )?(?:numbers )?({_NUMBER})\s*(?:and|,|和|与|、|und|et|y)\s*({_NUMBER})"
_OF_TWO = (
    (re.compile(rf"(?:sum|total) of {_PAIR}|{_PAIR}\s*(?:相加|的和|之和)", re.IGNORECASE), "+"),
    (re.compile(rf"difference (?:of|between) {_PAIR}|{_PAIR}\s*(?:相减|的差|之差)", re.IGNORECASE), "-"),
    (re.compile(rf"product of {_PAIR}|multiply {_PAIR}|{_PAIR}\s*(?:相乘|的积|之积)", re.IGNORECASE), "*"),
    (re.compile(rf"quotient of {_PAIR}|{_PAIR}\s*(?:相除|的商)", re.IGNORECASE), "/"),
    (re.compile(rf"({_NUMBER})\s*(?:%|percent|per cent) of \$?({_NUMBER})|({_NUMBER})\s*的\s*({_NUMBER})\s*%"), "%"),
    (re.compile(rf"square root of ({_NUMBER})()|({_NUMBER})()\s*的(?:算术)?平方根", re.IGNORECASE), "r"),
    (re.compile(rf"({_NUMBER})()\s*squared|square of ({_NUMBER})()|({_NUMBER})()\s*的平方(?!根)", re.IGNORECASE), "^"),
)
_COMPARED = re.compile(
    rf"{_NUMBER}\D{{0,12}}(?:greater|less|larger|smaller|more|bigger|higher|lower) than\D{{0,12}}{_NUMBER}"
    rf"|{_NUMBER}\s*(?:大于|小于|比)\s*{_NUMBER}"
    rf"|{_NUMBER}\s*(?:an? )?(?:odd|even|prime|divisible|是?(?:偶数|奇数|质数|素数))",
    re.IGNORECASE,
)
_CLUE = re.compile(
    r"sum|total|difference|product|multiply|quotient|%|percent|per cent|square|相|[和差积商方之]", re.IGNORECASE
)
_OPERATION = re.compile(
    rf"\d\s?\)?(?:[+*×·÷=]|\s+[-−–/x:+*×÷=]\s|\s*(?:{'|'.join(_WORDS.values())})|[-−–/x]\d+\s*=)", re.IGNORECASE
)
#: Numbers and equations are looked for in this many characters of a text.
MOST_CHARACTERS = 20_000


def numbers(text: str) -> list[Fraction]:
    """The numbers in a text, without those that are part of a word."""
    return [_value(match[0]) for match in NUMBER.finditer(text[:MOST_CHARACTERS])]


def computes(text: str, elsewhere: Collection[Fraction]) -> bool:
    """Whether ``text`` has an equation that is true, or an expression whose result is among ``elsewhere``.

    >>> computes("What is 12 times 8?", {Fraction(96)}), computes("3 + 4 = 7", ()), computes("pages 3-4", {Fraction(7)})
    (True, True, False)
    """
    text = text[:MOST_CHARACTERS]
    for equation in _EQUATION.finditer(text):
        result, written = evaluate(equation[1]), equation[2]
        if result is not None and (_agrees(result, written) if written else _contains(elsewhere, result)):
            return True
    return any(_contains(elsewhere, result) for result in _results(text))


def may_compute(text: str) -> bool:
    """Whether ``text`` has an operator beside a number, or a word such as sum; a quick test before ``computes``."""
    return _OPERATION.search(text) is not None or _CLUE.search(text) is not None


def compares(text: str) -> bool:
    """Whether ``text`` asks how two numbers compare, or about a property of one.

    >>> compares("Is 17 greater than 9?"), compares("51是质数吗？"), compares("Is partition rdd_42_18 found?")
    (True, True, False)
    """
    return _COMPARED.search(text[:MOST_CHARACTERS]) is not None


def combines(values: Sequence[Fraction], result: Fraction, *, most: int = 3) -> bool:
    """Whether two, or up to ``most``, of the first few ``values`` give ``result`` by the four basic operations.

    >>> combines([Fraction(5), Fraction(3)], Fraction(8)), combines([Fraction(5), Fraction(3)], Fraction(11))
    (True, False)
    """
    few = list(dict.fromkeys(values))[:6]
    for one, other in permutations(few, 2):
        if result in _of_two(one, other):
            return True
    return most > 2 and any(
        result in _of_two(part, last) for a, b, last in permutations(few, 3) for part in _of_two(a, b)
    )


def evaluate(expression: str) -> Fraction | None:
    """The value of an expression of numbers, operators or their words, and brackets; None if it has none.

    >>> evaluate("(3 + 4) * 2"), evaluate("12 times 8"), evaluate("4 / 0")
    (Fraction(14, 1), Fraction(96, 1), None)
    """
    for sign, words in _WORDS.items():
        expression = re.sub(rf"\s*(?:{words})\s*", f" {sign} ", expression, flags=re.IGNORECASE)
    parts = re.findall(rf"{_NUMBER}|[()]|[-+*/×÷·−–x:]", expression)
    parts = [_SIGNS.get(part, part) for part in parts]
    # A bracket that the text closes after the expression, or opened before it, is no part of it.
    while parts.count("(") > parts.count(")"):
        parts.remove("(")
    while parts.count(")") > parts.count("("):
        del parts[len(parts) - 1 - parts[::-1].index(")")]
    try:
        value, rest = _sum(parts)
    except (ZeroDivisionError, IndexError, ValueError):
        return None
    return value if not rest else None


def _results(text: str) -> Iterator[Fraction]:
    """The results of the expressions in a text."""
    for match in _EXPRESSION.finditer(text):
        value = evaluate(match[0])
        if value is not None:
            yield value
    for pattern, operator in _OF_TWO if _CLUE.search(text) else ():
        for match in pattern.finditer(text):
            one, other = [group for group in match.groups() if group is not None][:2]
            a, b = _value(one), _value(other or "0")
            if operator == "%":
                yield a * b / 100
            elif operator == "^":
                yield a * a
            elif operator == "r":
                root = Fraction(round(float(a) ** 0.5))
                if root * root == a:
                    yield root
            else:
                yield from _of_two(a, b, operator)


def _of_two(one: Fraction, other: Fraction, operators: str = "+-*/") -> list[Fraction]:
    found = []
    if "+" in operators:
        found.append(one + other)
    if "-" in operators:
        found.append(one - other)
    if "*" in operators:
        found.append(one * other)
    if "/" in operators and other:
        found.append(one / other)
    return found


def _sum(parts: list[str]) -> tuple[Fraction, list[str]]:
    value, rest = _product(parts)
    while rest and rest[0] in "+-":
        operator = rest[0]
        other, rest = _product(rest[1:])
        value = value + other if operator == "+" else value - other
    return value, rest


def _product(parts: list[str]) -> tuple[Fraction, list[str]]:
    value, rest = _factor(parts)
    while rest and rest[0] in "*/":
        operator = rest[0]
        other, rest = _factor(rest[1:])
        value = value * other if operator == "*" else value / other
    return value, rest


def _factor(parts: list[str]) -> tuple[Fraction, list[str]]:
    if parts[0] == "(":
        value, rest = _sum(parts[1:])
        if rest[0] != ")":
            raise ValueError("unbalanced brackets")
        return value, rest[1:]
    return _value(parts[0]), parts[1:]


def _value(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def _agrees(result: Fraction, written: str) -> bool:
    """Whether ``written`` is the result, rounded to its own decimals."""
    decimals = len(written.partition(".")[2])
    return abs(result - _value(written)) <= Fraction(1, 2 * 10**decimals)


def _contains(values: Collection[Fraction], result: Fraction) -> bool:
    """Whether a number is the result, or its value rounded to at least one decimal."""
    if result in values:
        return True
    return any(value.denominator > 1 and abs(value - result) <= Fraction(1, 2 * _scale(value)) for value in values)


def _scale(value: Fraction) -> int:
    """The least power of ten that makes a number whole."""
    scale = 10
    while value * scale != int(value * scale):
        scale *= 10
    return scale
