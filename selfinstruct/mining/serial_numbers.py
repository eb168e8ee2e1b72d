"""Identifiers that are unique over the rows: new ones of the same shape.

A date that all of them begin with, as in 20240315001, is no part of the number: each keeps its own.

Does not handle: ids without a number.

>>> serial_generator("INV-0007", ["INV-0007", "INV-0012"]).draw(0, Random(0))
'INV-0013'
>>> serial_generator("20240315001", ["20240315001", "20240402017"]).draw(0, Random(0))
'20240315018'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

#: A date with the year first, such as 20240315.
DATE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class SerialGenerator:
    """Identifiers of the shape of ``like``: its last number is replaced by one above all in the seeds.

    ``first`` is the first new number, ``width`` the digits that the shortest of the seeds' numbers is padded to.
    A row takes ``step`` numbers, of which this is the ``nth``. The first ``lead`` digits stay.
    """

    like: str
    first: int
    width: int
    step: int = 1
    nth: int = 0
    lead: int = 0

    def draw(self, place: int, rng: Random) -> str:
        """Return the identifier at ``place``."""
        start, end = last_number(self.like)
        start += self.lead
        return f"{self.like[:start]}{str(self.first + place * self.step + self.nth).zfill(self.width)}{self.like[end:]}"


def serial_generator(like: str, seen: Sequence[str]) -> SerialGenerator:
    """The generator for identifiers like ``like`` that are unique over the rows, all of which are ``seen``."""
    numbers = [value[slice(*last_number(value))] for value in seen]
    lead = DATE_DIGITS if all(begins_with_date(number) and len(number) > DATE_DIGITS for number in numbers) else 0
    numbers = [number[lead:] for number in numbers]
    return SerialGenerator(like, max(map(int, numbers)) + 1, min(map(len, numbers)), lead=lead)


@dataclass(frozen=True, slots=True)
class DatedGenerator:
    """Numbers of the shape of ``like`` that begin with the same date and have other digits after it, if any."""

    like: str

    def draw(self, place: int, rng: Random) -> str:
        """Return a number with random digits after the date; these are not all zeros."""
        digits = len(self.like) - DATE_DIGITS
        return self.like[:DATE_DIGITS] + (str(rng.randrange(1, 10**digits)).zfill(digits) if digits else "")


def begins_with_date(number: str) -> bool:
    """Whether the first eight digits of a number are a date from 1900 to 2099, the year first."""
    digits = number[:DATE_DIGITS]
    if len(digits) < DATE_DIGITS or digits[:2] not in ("19", "20") or not digits.isascii() or not digits.isdecimal():
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def last_number(text: str) -> tuple[int, int]:
    """The [start, end) of the last run of digits in ``text``; empty at its end if there is none."""
    end = len(text)
    while end and not text[end - 1].isdecimal():
        end -= 1
    start = end
    while start and text[start - 1].isdecimal():
        start -= 1
    return (start, end) if end else (len(text), len(text))
