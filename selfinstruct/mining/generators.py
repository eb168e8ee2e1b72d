"""Generators of new values, each inferred from the values of one kind that the seeds contain.

A generator keeps the form (sign, padding, decimals, letter case, digits) and range of the seeds' values. Numbers are
drawn *without replacement*: a permutation of the range maps each place in the sequence to a number, and the range
grows by a digit only after all its numbers were used. So early rows stay within the range of the seeds, rows of one
category differ as much as possible, and no state is kept between draws.

Does not handle: relations between values (see ``row_template`` for those).
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Protocol

from selfinstruct.mining.numerals import read_chinese, write_chinese

# A number with at least this many digits is an identifier (a block, an inode): any number of that length will do.
_ID_DIGITS = 7
_AGES = (1, 110)
_AGE_MARGIN = 10
_YEAR_MARGIN = 5
_PORTS = (1024, 65535)
_LIMITS = {
    "%": 100,
    "卦": 64,
    "岁": _AGES[1],
    **dict.fromkeys(("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "kB"), 1023),
}
_SPREAD_DAYS = 60
_CHANGE = 0.35
_ROUNDS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


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
        for constant in _ROUNDS:
            mixed = (right + salt) * constant & 0xFFFFFFFF
            left, right = right, left ^ ((mixed ^ mixed >> 15) & mask)
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
    """Numbers from ``low`` to ``high``, in units of the last of ``places`` decimal places, in scattered order."""

    low: int
    high: int
    places: int
    salt: int

    def draw(self, place: int, rng: Random) -> str:
        """Return the number at ``place`` of the scattered range, which repeats."""
        turn, place = divmod(place, self.high - self.low + 1)
        value = self.low + permute(place, self.high - self.low + 1, self.salt + turn)
        if not self.places:
            return str(value)
        digits = str(abs(value)).zfill(self.places + 1)
        return f"{'-' if value < 0 else ''}{digits[: -self.places]}.{digits[-self.places :]}"


@dataclass(frozen=True, slots=True)
class EmailGenerator:
    """E-mail addresses at the domains reserved for examples (RFC 2606)."""

    names: Sequence[str]
    salt: int

    def draw(self, place: int, rng: Random) -> str:
        """Return the address at ``place`` of all combinations of a name and a number."""
        turn, at = divmod(place, len(self.names))
        name = self.names[permute(at, len(self.names), self.salt + turn)]
        return f"{name.lower()}{turn or ''}@{rng.choice(_EXAMPLE_DOMAINS)}"


@dataclass(frozen=True, slots=True)
class PhoneGenerator:
    """Telephone numbers of the form of one in the seeds; fictional ones (555-01xx) in the form of North America."""

    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """Return a number with the prefix, the punctuation and the digits of one of those seen."""
        like = rng.choice(self.seen)
        digits = [at for at, character in enumerate(like) if character.isdigit()]
        fixed = 3 if len(digits) > 8 else 2
        drawn = {at: str(rng.randrange(10)) for at in digits[fixed:]}
        if len(digits) in (10, 11) and (like[0] == "(" or like.startswith("+1") or like.count("-") == 2):
            drawn.update(zip(digits[-7:], f"55501{rng.randrange(100):02d}", strict=True))
        return "".join(drawn.get(at, character) for at, character in enumerate(like))


_EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net")


@dataclass(frozen=True, slots=True)
class AddressGenerator:
    """IPv4 addresses in the same kind of network as the seeds': private ones in their block (RFC 1918).

    ``second_octets`` are those of the seeds in 10.0.0.0/8 where they repeat; empty where any value will do.
    """

    seen: tuple[str, ...]
    second_octets: tuple[int, ...] = ()

    def draw(self, place: int, rng: Random) -> str:
        """Return an address in the network of one of those seen."""
        like = [int(octet) for octet in rng.choice(self.seen).split(".")]
        first, last = like[0], [rng.randrange(256), rng.randrange(1, 255)]
        if first == 10:
            return _dotted(10, rng.choice(self.second_octets) if self.second_octets else rng.randrange(256), *last)
        if first == 192 and like[1] == 168:
            return _dotted(192, 168, *last)
        if first == 172 and 16 <= like[1] <= 31:
            return _dotted(172, rng.randrange(16, 32), *last)
        if first in (0, 127, 255):
            return ".".join(map(str, like))
        return _dotted(rng.choice(_PUBLIC), rng.randrange(64, 160), *last)


# First octets of public unicast addresses; second octets 64 to 159 contain no special-purpose block (RFC 6890).
_PUBLIC = tuple(o for o in range(1, 224) if o not in (10, 100, 127, 169, 172, 192, 198, 203))


def _dotted(*octets: int) -> str:
    return ".".join(map(str, octets))


@dataclass(frozen=True, slots=True)
class PatternGenerator:
    """Random hexadecimal strings with the length and punctuation of one in the seeds."""

    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """Return a string of the form of one of those seen."""
        like = rng.choice(self.seen)
        letters = string.digits + ("ABCDEF" if like.upper() == like else "abcdef")
        return "".join(rng.choice(letters) if c.isalnum() else c for c in like)


@dataclass(frozen=True, slots=True)
class WordGenerator:
    """Words from a list in scattered order; ``more`` derives new ones after all have been used."""

    words: Sequence[str]
    salt: int
    more: Callable[[str, int], str] | None = None

    def draw(self, place: int, rng: Random) -> str:
        """Return the word at ``place`` of the scattered list."""
        turn, place = divmod(place, len(self.words))
        word = self.words[permute(place, len(self.words), self.salt + turn)]
        return self.more(word, turn) if self.more and turn else word


@dataclass(frozen=True, slots=True)
class SynonymGenerator:
    """One of a few phrases with the same meaning; usually the original one."""

    own: str
    others: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """Return the original phrase or, with probability ``_CHANGE``, one of the others."""
        return rng.choice(self.others) if rng.random() < _CHANGE else self.own


@dataclass(frozen=True, slots=True)
class CompoundGenerator:
    """Words made of one word from each list, such as a surname and given-name characters."""

    lists: tuple[tuple[str, ...], ...]
    salt: int

    def draw(self, place: int, rng: Random) -> str:
        """Return the word at ``place`` of all combinations, scattered."""
        size = math.prod(map(len, self.lists))
        place = permute(place % size, size, self.salt)
        word = ""
        for words in self.lists:
            place, at = divmod(place, len(words))
            word += words[at]
        return word


@dataclass(frozen=True, slots=True)
class ChineseNumberGenerator:
    """Chinese numerals in the range of ``numbers``."""

    numbers: NumberGenerator

    def draw(self, place: int, rng: Random) -> str:
        """Return the number at ``place`` in Chinese numerals."""
        return write_chinese(int(self.numbers.draw(place, rng)))


@dataclass(frozen=True, slots=True)
class TimeShiftGenerator:
    """The number of seconds by which all times of one row are shifted, so that order and distances are kept.

    The part below a day is from ``low`` to ``high`` if these are given.
    """

    low: int | None = None
    high: int = 0

    def draw(self, place: int, rng: Random) -> str:
        """Return a random number of seconds."""
        if self.low is None:
            return str(rng.randrange(_SPREAD_DAYS * 86400))
        return str((1 + rng.randrange(_SPREAD_DAYS)) * 86400 + rng.randint(self.low, self.high))


@dataclass(frozen=True, slots=True)
class ConstantGenerator:
    """One value."""

    value: str

    def draw(self, place: int, rng: Random) -> str:
        """Return the value."""
        return self.value


def year_generator(seen: Sequence[str], salt: int) -> NumberGenerator:
    """The generator for years: in the span of those ``seen``, and a few years before it."""
    low, high = min(map(int, seen)), max(map(int, seen))
    return NumberGenerator(low - _YEAR_MARGIN, high, salt, high)


def range_generator(seen: Sequence[str], salt: int) -> RangeGenerator:
    """The generator for a column of numbers: in the range of those ``seen``, with as many decimal places."""
    places = max(len(value.partition(".")[2]) for value in seen)
    scaled = [int(Decimal(value).scaleb(places)) for value in seen]
    return RangeGenerator(min(scaled), max(scaled), places, salt)


def chinese_number_generator(seen: Sequence[str], salt: int, *, unit: str = "") -> Generator:
    """The generator for the Chinese numerals ``seen``; if none can be parsed, it repeats them."""
    values = [value for value in map(read_chinese, seen) if value is not None]
    if not values:
        return WordGenerator(tuple(seen), salt)
    plain = number_generator([str(value) for value in values], salt, unit=unit)
    if not isinstance(plain, NumberGenerator):
        raise ValueError(f"expected numbers below 10,000, got {seen}")
    return ChineseNumberGenerator(replace(plain, cap=plain.cap or 9999))


def salted(generator: Generator, salt: int) -> Generator:
    """The same generator with its sequence scattered by another ``salt``."""
    if isinstance(generator, ChineseNumberGenerator):
        return replace(generator, numbers=replace(generator.numbers, salt=salt))
    if isinstance(generator, NumberGenerator | WordGenerator | CompoundGenerator | RangeGenerator | EmailGenerator):
        return replace(generator, salt=salt)
    return generator


def address_generator(seen: Sequence[str]) -> AddressGenerator:
    """The generator for the IPv4 addresses ``seen``."""
    second = [int(address.split(".")[1]) for address in seen if address.startswith("10.")]
    few = len(second) > 2 and len(set(second)) * 2 <= len(second)
    return AddressGenerator(tuple(seen), tuple(second) if few else ())


def number_generator(
    seen: Sequence[str], salt: int, *, unit: str = "", port: bool = False, counted: bool = False
) -> Generator:
    """The generator for the numbers ``seen``; their ``unit`` may limit the range, as does ``counted`` (3 apples)."""
    whole = [value.lstrip("-").split(".")[0] for value in seen]
    fractions = tuple(value.split(".")[1] for value in seen if "." in value)
    negative = sum(value.startswith("-") for value in seen) / len(seen)
    if not fractions and all(len(digits) >= _ID_DIGITS for digits in whole):
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
