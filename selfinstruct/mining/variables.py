"""Variables of a row: the values that are one, with their places.

Equal values are one variable only on evidence: long ones at once, a short number where a reference, the word around it
or several rows tie its places. Without any evidence it is left as it is.

Does not handle: values that follow from others (a sum).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from selfinstruct.mining.derived_names import derived_writer
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.numerals import ascii_digits, in_digits_of
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.rows.leaves import Path
from selfinstruct.text import find_spans, is_unspaced
from selfinstruct.values.durations import length_of, write_length

# A value in a masked text, see ``entity_places.masked_text``.
_MASK = re.compile(r"<[a-z-]+0>")
#: A value of at least this many characters, with a digit, is not equal to another by chance.
LEAST_LONG = 4
# The units in which a length of time is a number, in seconds.
_LENGTHS = (1, 60, 3600, 86400)
NUMBERS = frozenset(("number", "year", "port", "zhnumber"))
# A value with more places than this is compared with the first of them.
_MOST_COMPARED = 20


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a leaf for the value of variable ``of``, which ``write`` converts if it is given."""

    of: int
    write: Callable[[str], str] | None = None


class Place(NamedTuple):
    """An entity with its leaf's path and masked text, its position among the leaf's entities, and its whole word."""

    path: Path
    masked: str
    position: int
    entity: Entity
    word: str


@dataclass(slots=True)
class Variable:
    """The places of one value. ``codes`` are the columns that its places in each leaf have, see ``Evidence``."""

    places: list[Place] = field(default_factory=list)
    codes: dict[Path, set[int]] = field(default_factory=dict)
    is_kept: bool = False


class Variables:
    """The variables of a row in the making, and an index of their first values."""

    def __init__(self, statistics: ValueStatistics) -> None:
        self.all: list[Variable] = []
        self.shift: int | None = None
        self._statistics = statistics
        self._by_value: dict[str, list[int]] = {}

    def add(self, place: Place | None = None) -> int:
        """Add a variable; its number."""
        number = len(self.all)
        self.all.append(Variable())
        if place is not None:
            for key in _keys(place.entity):
                self._by_value.setdefault(key, []).append(number)
        return number

    def of_time(self) -> int:
        """The variable of all times of the row."""
        if self.shift is None:
            self.shift = self.add()
        return self.shift

    def put(self, number: int, place: Place) -> None:
        """Give a variable one more place."""
        variable = self.all[number]
        variable.places.append(place)
        code = self._code(place)
        if code is not None:
            variable.codes.setdefault(place.path, set()).add(code)

    def link(self, place: Place, target: tuple[Path, int] | None, *, is_ambiguous: bool) -> Slot | None:
        """The slot of the variable that already has this place's value, or None.

        ``target`` is the place that this one refers to, if known. Two places of one leaf are two variables if they
        differ in another seed with the same masked text, even if they are equal in this row, unless ``is_ambiguous``.
        """
        linked: Slot | None = None
        code = self._code(place)
        numbers = sorted({number for key in _keys(place.entity) for number in self._by_value.get(key, ())})
        unexplained = []
        for number in numbers:
            variable = self.all[number]
            writer = _same(place.entity, variable.places[0].entity)
            if writer is None:
                continue
            derived = place.entity.kind == "derived"
            if not (is_ambiguous or derived) and variable.codes.get(place.path, set()) - {code}:
                continue
            part = Slot(number, None if writer is str else writer)
            if target is not None and any((other.path, other.position) == target for other in variable.places):
                return part
            verdict = True if is_ambiguous else self._is_one(place, variable)
            if verdict is None:
                unexplained.append(variable)
            elif verdict and linked is None:
                linked = part
        if linked is None and unexplained:
            for variable in unexplained:
                variable.is_kept = True
            number = self.add(place)
            self.all[number].is_kept = True
            return Slot(number)
        return linked

    def _code(self, place: Place) -> int | None:
        columns = self._statistics.evidence.columns(place.path, place.masked)
        return None if columns is None else columns.codes[place.position]

    def _is_one(self, place: Place, variable: Variable) -> bool | None:
        """Whether a place is one of the variable's; None if nothing shows it."""
        entity = place.entity
        if variable.places[0].entity.kind == "duration":
            return True
        if entity.kind not in NUMBERS or len(entity.text) >= LEAST_LONG:
            return True
        verdict: bool | None = None
        for other in variable.places[:_MOST_COMPARED]:
            if other.path == place.path:
                columns = self._statistics.evidence.columns(place.path, place.masked)
                if columns is not None and len(columns.rows) > 1 and columns.varies[place.position]:
                    return True
            elif self._refer(place.path, other.path):
                return True
            else:
                agree = self._statistics.evidence.agree(
                    place.path, place.masked, place.position, other.path, other.masked, other.position
                )
                if agree or self._is_tied(place, other):
                    return True
                if agree is False:
                    verdict = False
            if _is_one_word(place, other):
                return True
        return verdict

    def _refer(self, path: Path, other: Path) -> bool:
        return self._statistics.refers(path, other) or self._statistics.refers(other, path)

    def _is_tied(self, place: Place, other: Place) -> bool:
        evidence = self._statistics.evidence
        return (place.entity.is_whole and evidence.tied(place.path, other.path)) or (
            other.entity.is_whole and evidence.tied(other.path, place.path)
        )


def _keys(entity: Entity) -> tuple[str, ...]:
    """What equal values in any of the forms of ``_same`` have in common."""
    text = entity.key if entity.kind == "derived" else entity.text
    if entity.kind == "duration":
        seconds = length_of(text) or 0
        return (text, *(str(seconds // size) for size in _LENGTHS if seconds % size == 0))
    if entity.kind not in NUMBERS or entity.kind == "zhnumber":
        return (text,)
    text = ascii_digits(text)
    whole = text.partition(".")[0].lstrip("0") or "0"
    return (text, whole) if whole != text else (text,)


def _is_one_word(place: Place, other: Place) -> bool:
    """Whether two numbers are in the same place of equal words, or after the same word: broadcast_3, pallet 12.

    In scripts without spaces: before and after the same two characters, 买了3个苹.
    """
    if len(place.word) >= LEAST_LONG and place.word == other.word:
        return True
    before, after = _beside(place)
    if (before, after) == _beside(other) and len(before) == len(after) == 2 and all(map(is_unspaced, before + after)):
        return True
    key = place.entity.key.strip().casefold()
    return any(map(str.isalpha, key)) and key == other.entity.key.strip().casefold() and not place.entity.is_whole


def _beside(place: Place) -> tuple[str, str]:
    """The two characters before and after a value in the masked text of its leaf."""
    found = next(islice(_MASK.finditer(place.masked), place.position, None), None)
    if found is None:
        return "", ""
    return place.masked[max(0, found.start() - 2) : found.start()], place.masked[found.end() : found.end() + 2]


def word_around(text: str, entity: Entity) -> str:
    """The word with its inner marks that contains an entity, cut to the part before the entity's end."""
    start, end = entity.start, entity.end
    least, most = max(0, start - 40), min(len(text), end + 40)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    while end < most and (text[end].isalnum() or text[end] in "_-"):
        end += 1
    return text[start:end]


def find_targets(
    found: Mapping[Path, Sequence[Entity]], texts: Mapping[Path, str], statistics: ValueStatistics
) -> tuple[dict[tuple[Path, int], tuple[Path, int]], frozenset[str]]:
    """The place in the first leaf that each entity of another leaf refers to, and the values that are ambiguous.

    The first leaf is the one that the others refer to. Of several equal values in it, an entity elsewhere (by path
    and position) refers to the one inside the only occurrence of its whole leaf, or else to the one with the same
    word before it. A value that may refer to two places must stay the same in both.
    """
    if not found:
        return {}, frozenset()
    (context, entities), *others = found.items()
    targets: dict[tuple[Path, int], tuple[Path, int]] = {}
    ambiguous = set()
    by_value: dict[str, list[int]] = {}
    for at, entity in enumerate(entities):
        for key in _keys(entity):
            by_value.setdefault(key, []).append(at)
    for path, those in others:
        whole = find_spans(texts[path], texts[context]) if those else []
        for position, entity in enumerate(those):
            near = sorted({at for key in _keys(entity) for at in by_value.get(key, ())})
            equal = [at for at in near if _same(entity, entities[at]) is not None]
            if len(equal) < 2:
                continue
            meant = [at for at in equal if len(whole) == 1 and entities[at].start == whole[0][0] + entity.start]
            meant = meant or [at for at in equal if entities[at].key == entity.key]
            if len(meant) == 1:
                targets[path, position] = context, meant[0]
            elif statistics.refers(path, context):
                ambiguous.add(entity.text)
    return targets, frozenset(ambiguous)


def _same(entity: Entity, other: Entity) -> Callable[[str], str] | None:
    """The conversion of ``other``'s value to the form of ``entity`` if both have the same value, else None."""
    if entity.kind == "derived" or other.kind == "derived":
        return derived_writer(entity) if entity.key == other.text and other.kind != "derived" else None
    if entity.text == other.text:
        return str
    if "duration" in (entity.kind, other.kind):
        return _same_length(entity, other)
    if not (entity.text.isascii() and other.text.isascii()):
        return _same_in_other_digits(entity, other)
    if {entity.kind, other.kind} <= {"number", "port"} and entity.text.isdigit():
        if other.text.isdigit() and int(entity.text) == int(other.text) and "0" in (entity.text[0], other.text[0]):
            width = len(entity.text) if entity.text[0] == "0" else 0
            # 7 and 07 may be equal by chance; all of a field, they are kept unless the rows tie them.
            is_alike = len(entity.text) > 1 < len(other.text) or entity.is_whole or other.is_whole
            return (lambda value: str(int(value)).zfill(width)) if is_alike else None
        if other.text.split(".")[0] == entity.text and other.text != entity.text and "." in other.text:
            return lambda value: value.split(".")[0]
    return None


def _same_length(entity: Entity, other: Entity) -> Callable[[str], str] | None:
    """The conversion between two lengths of time, or a length and the number of its seconds, minutes or hours."""
    length, number = (entity, other) if entity.kind == "duration" else (other, entity)
    if number.kind == "duration":
        seconds = length_of(other.text)
        same = seconds is not None and seconds == length_of(entity.text)
        return (lambda value: write_length(entity.text, length_of(value) or 0)) if same else None
    if number.kind != "number" or not number.is_whole or not number.text.isdecimal():
        return None
    size = next((each for each in _LENGTHS if int(number.text) * each == length_of(length.text)), None)
    if size is None:
        return None
    if length is entity:
        return lambda value: write_length(entity.text, int(value) * size)
    return lambda value: str((length_of(value) or 0) // size)


def _same_in_other_digits(entity: Entity, other: Entity) -> Callable[[str], str] | None:
    """The conversion of the value of ``other`` to the digits of ``entity`` (2019 and ٢٠١٩), or None."""
    if not {entity.kind, other.kind} <= NUMBERS or ascii_digits(entity.text) != ascii_digits(other.text):
        return None
    return lambda value: in_digits_of(ascii_digits(value), entity.text)
