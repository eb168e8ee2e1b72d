"""Generators of numbers: in the range and the form of those that the seeds contain.

Numbers are drawn *without replacement*: a permutation of the range maps each place in the sequence to a number. Where
nothing depends on how large a number is, the range grows by a digit after all its numbers were used. So early rows stay
within the range of the seeds, rows of one category differ as much as possible, and no state is kept between draws.

Does not handle: which numbers of a row depend on each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Protocol

from selfinstruct.mining.numerals import in_digits_of

# A number with at least this many digits is an identifier (a block, an inode): any number of that length will do.
_ID_DIGITS = 7
_AGES = (1, 110)
_AGE_MARGIN = 10
_YEAR_MARGIN = 5
_PORTS = (1024, 65535)
#: A port below this one names a service (RFC 6335, system ports), and does not vary.
LEAST_PRIVATE_PORT = _PORTS[0]
# How far beyond the seeds a number with bounds may go, as a share of the distance between the bounds.
_STRETCH = 0.1
_LIMITS = {
    "%": 100,
    "卦": 64,
    "岁": _AGES[1],
    **dict.fromkeys(("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "kB"), 1023),
}


class Generator(Protocol):
    """A sequence of values."""

    def draw(self, place: int, rng: Random) -> str:
        """Return the value at ``place`` (0, 1, ...) of the sequence, or a random one by ``rng`` if it has no order."""
        ...


def permute(index: int, size: int, salt: int) -> int:
    """A permutation of 0..size-1, applied to ``index``; another for each ``salt``.

    A four-round Feistel network with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
    Generators", CT-RSA 2002). It scatters and does not encrypt.
    """
    half = ((size - 1).bit_length() + 1) // 2
    mask = (1 << half) - 1
    while True:
        left, right = index >> half, index & mask
        # The rounds are written out, because the values of long rows are drawn by the thousand.
        mixed = (right + salt) * 0x9E3779B1 & 0xFFFFFFFF
        left ^= (mixed ^ mixed >> 15) & mask
        mixed = (left + salt) * 0x85EBCA77 & 0xFFFFFFFF
        right ^= (mixed ^ mixed >> 15) & mask
        mixed = (right + salt) * 0xC2B2AE3D & 0xFFFFFFFF
        left ^= (mixed ^ mixed >> 15) & mask
        mixed = (left + salt) * 0x27D4EB2F & 0xFFFFFFFF
        right ^= (mixed ^ mixed >> 15) & mask
        index = left << half | right
        if index < size:
            return index


@dataclass(frozen=True, slots=True)
class NumberGenerator:
    """Whole or decimal numbers from ``low`` to ``high``, then with more digits, up to ``cap``.

    ``width`` pads with zeros; ``fractions`` are the digits after the decimal point in the seeds, and ``zero_fraction``
    is true if these are always the same zeros.
    """

    low: int
    high: int
    salt: int
    cap: int | None = None
    width: int = 0
    fractions: tuple[str, ...] = ()
    negative: float = 0.0
    zero_fraction: bool = False

    def draw(self, place: int, rng: Random) -> str:
        """Return the number at ``place`` of the scattered range, with a fraction as long as one in the seeds."""
        value = str(self._whole(place)).zfill(self.width)
        if self.negative and rng.random() < self.negative:
            value = "-" + value
        if not self.fractions:
            return value
        like = rng.choice(self.fractions)
        if self.zero_fraction:
            return f"{value}.{like}"
        return f"{value}.{rng.randrange(10 ** len(like)):0{len(like)}d}"

    @property
    def decimals(self) -> frozenset[int]:
        """The numbers of decimal places that it writes."""
        return frozenset(map(len, self.fractions))

    def bounded(self) -> NumberGenerator:
        """The same numbers with at most as many digits as in the seeds; they repeat instead of growing."""
        return self if self.cap is not None else replace(self, cap=self.high)

    def _whole(self, place: int) -> int:
        low, high, salt = self.low, self.high, self.salt
        while place >= high - low + 1:
            place -= high - low + 1
            salt += 1
            if self.cap is not None and high >= self.cap:
                low, high = self.low, self.cap
                turns, place = divmod(place, high - low + 1)
                salt += turns
            else:
                low, high = high + 1, high * 10 + 9
                high = high if self.cap is None else min(high, self.cap)
        return low + permute(place, high - low + 1, salt)


@dataclass(frozen=True, slots=True)
class IdentifierGenerator:
    """Long random numbers with the sign and the number of digits of one in the seeds."""

    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """Return a number with as many digits as one of those seen."""
        digits = len(rng.choice(self.seen).lstrip("-"))
        sign = "-" if rng.choice(self.seen).startswith("-") else ""
        return f"{sign}{rng.randrange(10 ** (digits - 1), 10**digits)}"


@dataclass(frozen=True, slots=True)
class RangeGenerator:
    """Numbers from ``low`` to ``high``, in units of the last of ``places`` decimal places, in scattered order.

    ``width`` pads the part before the decimal point with zeros.
    """

    low: int
    high: int
    places: int
    salt: int
    width: int = 0

    def draw(self, place: int, rng: Random) -> str:
        """Return the number at ``place`` of the scattered range, which repeats."""
        turn, place = divmod(place, self.high - self.low + 1)
        value = self.low + permute(place, self.high - self.low + 1, self.salt + turn)
        sign, digits = "-" if value < 0 else "", str(abs(value)).zfill(self.places + max(self.width, 1))
        return f"{sign}{digits[: -self.places]}.{digits[-self.places :]}" if self.places else f"{sign}{digits}"

    def with_places(self, places: int) -> RangeGenerator | None:
        """The numbers of the range with fewer decimal places; None if there are none."""
        unit = int(10 ** (self.places - places))
        low, high = -(-self.low // unit), self.high // unit
        return None if low > high else replace(self, low=low, high=high, places=places)


@dataclass(frozen=True, slots=True)
class ScriptGenerator:
    """The numbers of another generator in the digits of ``like``, such as ٣ or ३."""

    numbers: Generator
    like: str

    def draw(self, place: int, rng: Random) -> str:
        """Return the number at ``place`` in these digits."""
        return in_digits_of(self.numbers.draw(place, rng), self.like)


def year_generator(seen: Sequence[str], salt: int) -> NumberGenerator:
    """The generator for years: in the span of those ``seen``, and a few years before it."""
    low, high = min(map(int, seen)), max(map(int, seen))
    return NumberGenerator(low - _YEAR_MARGIN, high, salt, high)


def range_generator(seen: Sequence[str], salt: int, bounds: tuple[int, int] | None = None) -> RangeGenerator:
    """The generator for numbers in the range of those ``seen``, with as many decimal places.

    If all are within ``bounds``, the range is stretched, but not beyond them.
    """
    places = max(len(value.partition(".")[2]) for value in seen)
    scaled = [int(Decimal(value).scaleb(places)) for value in seen]
    low, high = min(scaled), max(scaled)
    if bounds is not None:
        least, most = (bound * 10**places for bound in bounds)
        if least <= low and high <= most:
            room = max((high - low) // 2, math.ceil(_STRETCH * (most - least)))
            low, high = max(low - room, least), min(high + room, most)
    padded = [len(value.partition(".")[0]) for value in seen if value[0] == "0" and value[1:2].isdigit()]
    return RangeGenerator(low, high, places, salt, min(padded, default=0))


def are_identifiers(seen: Sequence[str]) -> bool:
    """Whether numbers are so long that any number of that length will do: a block, an inode."""
    return all("." not in value and len(value.lstrip("-")) >= _ID_DIGITS for value in seen)


def are_years(seen: Sequence[str]) -> bool:
    """Whether two or more numbers are years of the last or this century, such as those in INV-2024-0061."""
    return len(seen) > 1 and all(value.isdecimal() and len(value) == 4 and value[:2] in ("19", "20") for value in seen)


def number_generator(
    seen: Sequence[str], salt: int, *, unit: str = "", port: bool = False, counted: bool = False
) -> Generator:
    """The generator for the numbers ``seen``; their ``unit`` may limit the range, as does ``counted`` (3 apples)."""
    whole = [value.lstrip("-").split(".")[0] for value in seen]
    fractions = tuple(value.split(".")[1] for value in seen if "." in value)
    negative = sum(value.startswith("-") for value in seen) / len(seen)
    if are_identifiers(seen):
        return IdentifierGenerator(tuple(seen))
    values = [int(digits) for digits in whole]
    padded = [len(digits) for digits in whole if len(digits) > 1 and digits[0] == "0"]
    if padded:
        width = min(padded)
        return NumberGenerator(0, 10 ** max(len(str(max(values))), 2) - 1, salt, 10**width - 1, width)
    if unit == "age":
        low, high = max(min(values) - _AGE_MARGIN, min(min(values), 18), 1), min(max(values) + _AGE_MARGIN, _AGES[1])
        return NumberGenerator(low, max(high, *values), salt, max(high, *values), 0, fractions)
    if port:
        low = _PORTS[0] if min(values) >= _PORTS[0] else 1
        return NumberGenerator(max(low, 10 ** (len(str(min(values))) - 1)), _PORTS[1], salt, _PORTS[1])
    low = 10 ** (len(str(min(values))) - 1) if min(values) > 0 else 0
    low = 2 if low == 1 < min(values) else low  # "1 days" would be ungrammatical
    cap = _LIMITS.get(unit)
    cap = cap if cap is not None and max(values) <= cap else None
    if cap is not None and fractions and set("".join(fractions)) != {"0"}:
        cap = max(cap - 1, *values)  # 100 % is the most, and 100.3 % is more
    if cap is None and counted:
        cap = 10 ** len(str(max(values))) - 1
    high = 10 ** len(str(max(values))) - 1
    high = high if cap is None else min(high, cap)
    zero_fraction = len(set(fractions)) == 1 and not fractions[0].strip("0")
    return NumberGenerator(low, high, salt, cap, 0, fractions, negative, zero_fraction)
