"""Generators of codes with inner rules: hardware addresses, UUIDs, IPv6 addresses, and numbers with check digits.

Does not handle: which texts are such codes (see ``entities`` and ``values.check_digits``).
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from random import Random

from selfinstruct.values.check_digits import completed, free_places


@dataclass(frozen=True, slots=True)
class HexGenerator:
    """Hexadecimal codes with the length and punctuation of one in the seeds.

    A UUID keeps its version and variant, a hardware address its first three octets: the maker, and whether the address
    is local or for a group.
    """

    kind: str
    seen: tuple[str, ...]

    def draw(self, place: int, rng: Random) -> str:
        """Return a code of the form of one of those seen."""
        like = rng.choice(self.seen)
        letters = string.digits + ("ABCDEF" if like.upper() == like else "abcdef")
        if self.kind == "ipv6":
            start = like.rindex(":") + 1
            rest = like[start:]
            return like[:start] + rng.choice(letters[1:]) + "".join(rng.choice(letters) for _ in rest[1:])
        digits = [at for at, character in enumerate(like) if character.isalnum()]
        kept = digits[:6] if self.kind == "mac" else [digits[12], digits[16]] if self.kind == "uuid" else []
        drawn = {at: rng.choice(letters) for at in digits if at not in kept}
        return "".join(drawn.get(at, character) for at, character in enumerate(like))


@dataclass(frozen=True, slots=True)
class CheckedGenerator:
    """Numbers with the check digits of ``scheme``: the first ones, the length and the marks are those of ``like``."""

    like: str
    scheme: str

    def draw(self, place: int, rng: Random) -> str:
        """Return a number with random digits and their check digits."""
        free = free_places(self.like, self.scheme)
        drawn = {at: rng.choice(string.digits) for at in free}
        text = "".join(drawn.get(at, character) for at, character in enumerate(self.like))
        return completed(text, self.scheme) or self.like
