"""Domains: what new values of one sort may be, read off the values that the seeds show.

A domain keeps the seeds' shape (sign, padding, decimals, letter case, digits) and range. Numbers are drawn
*without replacement*: a place in the sequence gives a number, a permutation of the range scatters them, and
only a range that is used up opens the next one, a digit wider. So early rows stay within what the seeds show,
rows of one category differ as far as they can, and nothing need be remembered between draws.

Does not handle: relations between values (an end after a start), save for times, which move together.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

# From this many digits on a number is an identifier (a block, an inode): any number of as many digits.
_ID_DIGITS = 7
_PORTS = (1024, 65535)
_LIMITS = {"%": 100, "卦": 64, **dict.fromkeys(("B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "kB"), 1023)}
_SPREAD_DAYS = 60
_CHANGE = 0.35
_ROUNDS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


class Generator(Protocol):
    """A set of values with an order to draw them in."""

    def draw(self, place: int, rng: Random) -> str:
        """The value for ``place`` (0, 1, ...) in this domain's sequence; ``rng`` where there is no sequence."""
        ...


def permute(index: int, size: int, salt: int) -> int:
    """A permutation of 0..size-1, applied to ``index``; another for each ``salt``.

    A four-round Feistel network with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
    Domains", CT-RSA 2002). It scatters, it does not encrypt.
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
    """Whole or decimal numbers from ``low`` to ``high``, then wider up to ``cap``.

    ``width`` pads with zeros; ``fractions`` are the digits seen after the point (all "0": stays ".0").
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
        """The number at ``place`` of the scattered range, with a fraction like one that was seen."""
        value = str(self._whole(place)).zfill(self.width)
        if self.negative and rng.random() < self.negative:
            value = "-" + value
        if not self.fractions:
            return value
        like = rng.choice(self.fractions)
        if self.zero_fraction:
            return f"{value}.{like}"
        return f"{value}.{rng.randrange(10 ** len(like)):0{len(like)}d}"

    def kept(self) -> NumberGenerator:
        """The same numbers without ever a digit more than the seeds show; they come round again instead."""
        return self if self.cap is not None else replace(self, cap=self.high)

    def _whole(self, place: int) -> int:
        low, high, salt = self.low, self.high, self.salt
        while place >= high - low + 1:
            place -= high - low + 1
            salt += 1
            if self.cap is not None and high >= self.cap:
                low, high = self.low, self.cap
            else:
                low, high = high + 1, high * 10 + 9
                high = high if self.cap is None else min(high, self.cap)
        return low + permute(place, high - low + 1, salt)


@dataclass(frozen=True, slots=True)
class IdentifierGenerator:
    """Long numbers: a sign and as many digits as one of the seeds' has."""

    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """A number of as many digits as one of those seen."""
        digits = len(rng.choice(self.seen).lstrip("-"))
        sign = "-" if rng.choice(self.seen).startswith("-") else ""
        return f"{sign}{rng.randrange(10 ** (digits - 1), 10**digits)}"


@dataclass(frozen=True, slots=True)
class AddressGenerator:
    """IPv4 addresses in the same kind of network as the seeds': private ones in their block (RFC 1918).

    ``second_octets`` are those of the seeds in 10.0.0.0/8 where they repeat; empty where any value will do.
    """

    seen: tuple[str, ...]
    second_octets: tuple[int, ...] = ()

    def draw(self, place: int, rng: Random) -> str:
        """An address in the network of one of those seen."""
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


# First octets of public unicast space whose second octets 64 to 159 hold no special-purpose block (RFC 6890).
_PUBLIC = tuple(o for o in range(1, 224) if o not in (10, 100, 127, 169, 172, 192, 198, 203))


def _dotted(*octets: int) -> str:
    return ".".join(map(str, octets))


@dataclass(frozen=True, slots=True)
class PatternGenerator:
    """Strings of one of the seeds' shapes: a digit for a digit, a hexadecimal letter for a letter."""

    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """A string of the shape of one of those seen."""
        like = rng.choice(self.seen)
        letters = string.digits + ("ABCDEF" if like.upper() == like else "abcdef")
        return "".join(rng.choice(letters) if c.isalnum() else c for c in like)


@dataclass(frozen=True, slots=True)
class WordGenerator:
    """Words from a list in scattered order; ``more`` makes a further one when the list has gone round."""

    words: Sequence[str]
    salt: int
    more: Callable[[str, int], str] | None = None

    def draw(self, place: int, rng: Random) -> str:
        """The word at ``place`` of the scattered list."""
        turn, place = divmod(place, len(self.words))
        word = self.words[permute(place, len(self.words), self.salt + turn)]
        return self.more(word, turn) if self.more and turn else word


@dataclass(frozen=True, slots=True)
class SynonymGenerator:
    """One of a few phrases that mean the same; the one that stands there most often stays."""

    own: str
    others: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """The phrase itself, or another of its meaning."""
        return rng.choice(self.others) if rng.random() < _CHANGE else self.own


@dataclass(frozen=True, slots=True)
class CompoundGenerator:
    """Words made of one word from each list, such as a surname and given-name characters."""

    lists: tuple[tuple[str, ...], ...]
    salt: int

    def draw(self, place: int, rng: Random) -> str:
        """The word at ``place`` of all that can be composed, scattered."""
        size = math.prod(map(len, self.lists))
        place = permute(place % size, size, self.salt)
        word = ""
        for words in self.lists:
            place, at = divmod(place, len(words))
            word += words[at]
        return word


@dataclass(frozen=True, slots=True)
class ChineseNumberGenerator:
    """Chinese numerals in a number's range."""

    numbers: NumberGenerator

    def draw(self, place: int, rng: Random) -> str:
        """The number at ``place``, in numerals."""
        return write_chinese(int(self.numbers.draw(place, rng)))


@dataclass(frozen=True, slots=True)
class TimeShiftGenerator:
    """How far all times of one row move together, so that their order and distances stay."""

    def draw(self, place: int, rng: Random) -> str:
        """So many seconds."""
        return str(rng.randrange(_SPREAD_DAYS * 86400))


def write_time(moment: datetime, shift: str, form: str, like: str) -> str:
    """``moment`` moved by ``shift`` seconds, written as ``like`` is, which ``form`` reads.

    strptime reads a day without its zero and strftime does not write one, so the day follows ``like``.
    """
    moved = moment + timedelta(seconds=int(shift))
    if form.startswith("%b %d %H"):
        return f"{moved:%b} {moved.day:{'02' if like[4] == '0' else '2'}d} {moved:%H:%M:%S}"
    if "%B" in form or "%b" in form or "月" in form:
        form = form.replace("%d", str(moved.day)).replace("%m", str(moved.month)) if "/" not in form else form
    return moved.strftime(form)


def chinese_number_generator(seen: Sequence[str], salt: int, *, unit: str = "") -> Generator:
    """The domain of the Chinese numerals ``seen``, or the numerals themselves where they cannot be read."""
    values = [value for value in map(read_chinese, seen) if value is not None]
    if not values:
        return WordGenerator(tuple(seen), salt)
    plain = number_generator([str(value) for value in values], salt, unit=unit)
    if not isinstance(plain, NumberGenerator):
        raise ValueError(f"not below ten thousand: {seen}")
    return ChineseNumberGenerator(replace(plain, cap=plain.cap or 9999))


def salted(generator: Generator, salt: int) -> Generator:
    """The same generator with its sequence scattered by another ``salt``."""
    if isinstance(generator, ChineseNumberGenerator):
        return replace(generator, numbers=replace(generator.numbers, salt=salt))
    if isinstance(generator, NumberGenerator | WordGenerator | CompoundGenerator):
        return replace(generator, salt=salt)
    return generator


def address_generator(seen: Sequence[str]) -> AddressGenerator:
    """The generator for the IPv4 addresses ``seen``."""
    second = [int(address.split(".")[1]) for address in seen if address.startswith("10.")]
    few = len(second) > 2 and len(set(second)) * 2 <= len(second)
    return AddressGenerator(tuple(seen), tuple(second) if few else ())


def number_generator(seen: Sequence[str], salt: int, *, unit: str = "", port: bool = False) -> Generator:
    """The domain of the numbers ``seen``; ``unit`` is what stands after them, for its limit."""
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
    if port:
        low = _PORTS[0] if min(values) >= _PORTS[0] else 1
        return NumberGenerator(max(low, 10 ** (len(str(min(values))) - 1)), _PORTS[1], salt, _PORTS[1])
    low = 10 ** (len(str(min(values))) - 1) if min(values) > 0 else 0
    low = 2 if low == 1 < min(values) else low  # "1 days" would give a counted thing away
    cap = _LIMITS.get(unit)
    cap = cap if cap is not None and max(values) <= cap else None
    high = 10 ** len(str(max(values))) - 1
    high = high if cap is None else min(high, cap)
    zero_fraction = len(set(fractions)) == 1 and not fractions[0].strip("0")
    return NumberGenerator(low, high, salt, cap, 0, fractions, negative, zero_fraction)


_ZH = "零一二三四五六七八九"


def write_chinese(value: int) -> str:
    """A whole number from 0 to 9999 in Chinese numerals: 130 is 一百三十."""
    if value < 10:
        return _ZH[value]
    text, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            text += ("零" if zero else "") + _ZH[digit] + name
            zero = False
        elif text:
            zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def read_chinese(text: str) -> int | None:
    """A number below ten thousand in Chinese numerals, or None where it is not written as ``write_chinese`` does."""
    units = {"十": 10, "百": 100, "千": 1000}
    total, digit = 0, 0
    for character in text:
        if character in units:
            total += (digit or 1) * units[character]
            digit = 0
        elif character in _ZH:
            digit = _ZH.index(character)
        else:
            return None
    total += digit
    return total if write_chinese(total) == text else None
