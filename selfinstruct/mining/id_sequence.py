"""New values for a field whose values are unique by construction, in the shape of those of the seeds.

Does not handle: which fields are unique (see ``unique_fields``), or ids that other fields refer to.

>>> draw = IdSequence(["2024-03-01T09:00:00Z", "2024-03-01T09:00:30Z"]).draw
>>> draw(0), draw(1)
('2024-03-01T09:01:00Z', '2024-03-01T09:01:30Z')
>>> IdSequence(["doc-07.txt", "doc-09.txt"]).draw(2)
'doc-12.txt'
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random

from selfinstruct.mining.code_generators import CheckedGenerator
from selfinstruct.mining.serial_numbers import DATE_DIGITS, begins_with_date, last_number, serial_generator
from selfinstruct.records import JSON
from selfinstruct.text import value_text
from selfinstruct.values.check_digits import scheme_of

_TIME = re.compile(r"(\d{4})([-/.])(\d\d)\2(\d\d)([T ])(\d\d):(\d\d)(?::(\d\d))?(.*)", re.DOTALL)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[0-9A-Za-z_-]{8,}")
_COUNTED = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)


class IdSequence:
    """A sequence of different values, none of which is one of ``seen``."""

    def __init__(self, seen: Sequence[JSON]) -> None:
        """Continue the values ``seen``, which are strings or integers, in their order."""
        self._texts = [value_text(value) for value in seen]
        self._is_number = all(type(value) is int for value in seen)
        times = [_TIME.fullmatch(text) for text in self._texts]
        self._times = [time for time in times if time is not None and _moment(time) is not None]
        self._are_times = len(self._times) == len(seen)
        self._are_random = len(set(map(len, self._texts))) == 1 and all(map(_RANDOM.fullmatch, self._texts))
        counted = [match for text in self._texts if (match := _COUNTED.fullmatch(text))]
        self._last = max(counted, key=lambda match: int(match[2]), default=None)
        self._step = self._usual_step()
        numbers = [text[slice(*last_number(text))] for text in self._texts]
        self._is_dated = all(map(begins_with_date, numbers)) and min(map(len, numbers), default=0) > DATE_DIGITS
        self._scheme = "" if self._are_times else scheme_of(self._texts)

    def draw(self, place: int, own: JSON = None) -> JSON:
        """Return the value at ``place`` (0, 1, ...); one that begins with a date as ``own`` does, as long as all do."""
        if self._is_dated and value_text(own) in self._texts:
            text = serial_generator(value_text(own), self._texts).draw(place, Random(place))
            return int(text) if self._is_number else text
        if self._are_times:
            return self._time(place)
        if self._scheme:
            like = self._texts[place % len(self._texts)]
            text = CheckedGenerator(like, self._scheme).draw(place, Random(f"{place} {self._texts[0]}"))
            return int(text) if self._is_number else text
        if self._are_random and not self._is_counter():
            return self._random(place)
        if self._last is None:
            return f"{self._texts[-1]}-{place + 1}"
        before, digits, after = self._last.groups()
        number = int(digits) + (place + 1) * self._step
        return number if self._is_number else f"{before}{number:0{len(digits)}d}{after}"

    def _is_counter(self) -> bool:
        """Whether only the last number differs, as in ``sample-000017``."""
        around = {(match[1], match[3]) for text in self._texts if (match := _COUNTED.fullmatch(text))}
        return len(around) == 1

    def _usual_step(self) -> int:
        """The step of Unix times, or 1."""
        if not self._is_number:
            return 1
        numbers = list(map(int, self._texts))
        return max((numbers[-1] - numbers[0]) // max(len(numbers) - 1, 1), 1) if numbers[0] >= 10**9 else 1

    def _time(self, place: int) -> str:
        """Return the time ``place`` steps after the last one, in the same format."""
        first, last = _moment(self._times[0]), _moment(self._times[-1])
        if first is None or last is None:
            return self._texts[-1]
        step = max((last - first) // max(len(self._times) - 1, 1), timedelta(minutes=1))
        if self._times[-1][8] is not None:
            step = max((last - first) // max(len(self._times) - 1, 1), timedelta(seconds=1))
        try:
            moment = last + (place + 1) * timedelta(seconds=max(int(step.total_seconds()), 1))
        except OverflowError:  # beyond the year 9999
            moment = first - (place + 1) * timedelta(minutes=1)
        _, mark, _, _, between, _, _, seconds, rest = self._times[-1].groups()
        clock = "%H:%M:%S" if seconds is not None else "%H:%M"
        return moment.strftime(f"%Y{mark}%m{mark}%d{between}{clock}") + rest

    def _random(self, place: int) -> str:
        """A text with other letters and digits in the places of those of a seed."""
        like = self._texts[place % len(self._texts)]
        source = blake2b(f"{place} {self._texts[0]}".encode()).digest()
        every = "".join(self._texts)
        is_hex = all(c in string.hexdigits or c in "-_" for c in every)
        lower, upper = (string.ascii_lowercase[: 6 if is_hex else 26], string.ascii_uppercase[: 6 if is_hex else 26])
        letters = "".join(part for part in (lower, upper) if any(c in part for c in every))
        alphabet = string.digits + letters
        drawn = []
        for at, character in enumerate(like):
            if len(source) <= at:
                source += blake2b(source).digest()
            drawn.append(alphabet[source[at] % len(alphabet)] if character.isalnum() else character)
        if re.fullmatch(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", like):
            drawn[14], drawn[19] = like[14], like[19]  # the version and the variant of a UUID
        if re.fullmatch(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}", like):
            drawn[:8] = like[:8]  # the maker of a network card, and the bits of a local or a group's address
        return "".join(drawn)


def _moment(time: re.Match[str]) -> datetime | None:
    """The moment of a match of ``_TIME``, or None if there is no such day or time."""
    year, _, month, day, _, hour, minute, second, _ = time.groups()
    try:
        return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))
    except ValueError:
        return None
