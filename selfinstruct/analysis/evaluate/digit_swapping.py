"""Digit swapping: the baseline that any script gives. Grown rows that teach no more than this bring nothing.

Every number of a row is replaced by a random one with as many digits, the same number by the same one. Dates, times
and sums come out wrong, as they do in such scripts.
"""

from __future__ import annotations

import re
from random import Random

from selfinstruct.readers import Example

_NUMBER = re.compile(r"[0-9]+")


def swap_digits(row: Example, random: Random) -> Example:
    """Return a row with other numbers.

    >>> swap_digits(Example("Who used port 22?", "port 22: bob", "bob"), Random(0))
    Example(question='Who used port 96?', context='port 96: bob', answer='bob')
    """
    drawn: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        number = match[0]
        if number not in drawn:
            least = 10 ** (len(number) - 1) if len(number) > 1 else 0
            drawn[number] = str(random.randrange(least, 10 ** len(number)))
        return drawn[number]

    return Example(*(_NUMBER.sub(other, text) for text in (row.question, row.context, row.answer)))
