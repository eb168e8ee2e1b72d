"""Lengths of time among the values of a text: what is one and no time of day, and new ones.

Does not handle: lengths with one unit (42 min), which are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from selfinstruct.mining.number_generators import permute
from selfinstruct.values.durations import length_of, unit_of, write_length

#: Fields, and words before a value in the form of a clock, that say that it is a length.
_FIELD = re.compile(
    r"duration|length|elapsed|runtime|time_?taken|laufzeit|dauer|durée|duración|durata|duração|"
    r"时长|用时|耗时|历时|所要時間|소요|अवधि|مدة",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?:\b(?:took|takes|for|lasted|lasting|lasts|runs|ran|elapsed|duration|length|dauerte|dauert|dauer|pendant|duré|durante|"
    r"duró|durata|durée)\b:?|用时|历时|耗时|时长|所要時間は?)\s?$",
    re.IGNORECASE,
)


def is_length(field: str, before: str, form: str) -> bool:
    """Whether a time of this form is a length: by the name of its field, or by the words before it."""
    if re.fullmatch(r"%H:%M(?::%S)?", form) is None:
        return False
    return _BEFORE.search(before) is not None or (not before.strip() and _FIELD.search(field) is not None)


@dataclass(frozen=True, slots=True)
class LengthGenerator:
    """Lengths from ``low`` to ``high`` seconds in steps of ``step``, in the form of ``like`` and in scattered order."""

    like: str
    low: int
    high: int
    step: int
    salt: int

    def draw(self, place: int, rng: Random) -> str:
        """Return the length at ``place``; the sequence repeats."""
        size = (self.high - self.low) // self.step + 1
        turn, place = divmod(place, size)
        return write_length(self.like, self.low + self.step * permute(place, size, self.salt + turn))


def length_generator(like: str, seen: Sequence[str], salt: int) -> LengthGenerator:
    """The generator of lengths like ``like``, between the least and the greatest of those ``seen``."""
    lengths = [length for each in (*seen, like) if (length := length_of(each)) is not None]
    step = unit_of(like)
    if step == 1 and all(length % 60 == 0 for length in lengths):
        step = 60
    low = -(-min(lengths) // step) * step
    return LengthGenerator(like, low, max(low, max(lengths)), step, salt)
