"""Identifiers that are unique over the rows: new ones of the same shape.

Does not handle: ids without a number.

>>> serial_generator("INV-0007", ["INV-0007", "INV-0012"]).draw(0, Random(0))
'INV-0013'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class SerialGenerator:
    """Identifiers of the shape of ``like``: its last number is replaced by one above all in the seeds.

    ``first`` is the first new number, ``width`` the digits that the shortest of the seeds' numbers is padded to.
    A row takes ``step`` numbers, of which this is the ``nth``.
    """

    like: str
    first: int
    width: int
    step: int = 1
    nth: int = 0

    def draw(self, place: int, rng: Random) -> str:
        """Return the identifier at ``place``."""
        start, end = last_number(self.like)
        return f"{self.like[:start]}{str(self.first + place * self.step + self.nth).zfill(self.width)}{self.like[end:]}"


def serial_generator(like: str, seen: Sequence[str]) -> SerialGenerator:
    """The generator for identifiers like ``like`` that are unique over the rows, all of which are ``seen``."""
    numbers = [value[slice(*last_number(value))] for value in seen]
    return SerialGenerator(like, max(map(int, numbers)) + 1, min(map(len, numbers)))


def last_number(text: str) -> tuple[int, int]:
    """The [start, end) of the last run of digits in ``text``; empty at its end if there is none."""
    end = len(text)
    while end and not text[end - 1].isdecimal():
        end -= 1
    start = end
    while start and text[start - 1].isdecimal():
        start -= 1
    return (start, end) if end else (len(text), len(text))
