"""Generators of new values, each inferred from the values of one kind that the seeds contain.

A generator keeps the form (letter case, digits, punctuation) of the seeds' values. Those of numbers are in
``number_generators``.

Does not handle: relations between values (see ``row_template`` for those).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from selfinstruct.mining.number_generators import (
    Generator,
    NumberGenerator,
    RangeGenerator,
    ScriptGenerator,
    number_generator,
    permute,
)
from selfinstruct.mining.numerals import read_chinese, write_chinese

_CHANGE = 0.35


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
class ConstantGenerator:
    """One value."""

    value: str

    def draw(self, place: int, rng: Random) -> str:
        """Return the value."""
        return self.value


def as_written(generator: Generator, like: str) -> Generator:
    """The generator with numbers in the digits of ``like``, and in a range with no more decimal places."""
    if isinstance(generator, RangeGenerator):
        places = len(like.partition(".")[2])
        generator = (
            (generator.with_places(places) or ConstantGenerator(like)) if places < generator.places else generator
        )
    if like.isascii() or not any(map(str.isdecimal, like)) or isinstance(generator, ConstantGenerator):
        return generator
    return ScriptGenerator(generator, like)


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
