"""Row templates: the constant texts of a row and the slots whose values are replaced consistently over its leaves.

A value that occurs in several leaves (or twice in one) is one *variable*: a new value is written to all its places,
also inside larger words (``rdd_42_18``, a path that contains the block's id). Equal values are one variable only on
evidence: long ones at once, a short number where a reference, the word around it or several rows tie its places.
Without any evidence it is left as it is. A number that is the same in every seed (``ssh2``, port 50010) is a constant.

Values that differ in the seed differ in a new row.

Does not handle: values derived from others (a sum, a duration between two times); see ``selfinstruct.backends``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from selfinstruct.mining.entities import Entity
from selfinstruct.mining.generators import (
    AddressGenerator,
    ConstantGenerator,
    Generator,
    IdentifierGenerator,
    NumberGenerator,
    SerialGenerator,
    TimeShiftGenerator,
)
from selfinstruct.mining.leaf_texts import with_texts
from selfinstruct.mining.offsets import row_offsets
from selfinstruct.mining.times import has_date, read_time, write_time, write_weekday
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path, value_at
from selfinstruct.text import find_spans

#: A value of at least this many characters, with a digit, is not equal to another by chance.
LEAST_LONG = 4
_NUMBERS = frozenset(("number", "year", "port", "zhnumber"))
# How often a value is drawn again if it equals another one of the row.
_MOST_DRAWS = 20
_STRIDE = 7919


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a leaf for the value of variable ``of``, which ``write`` converts if it is given."""

    of: int
    write: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row whose texts and numbers are cut into constant texts and slots, by path; other leaves are kept.

    ``own`` are the values of the variables in the row itself, ``constants`` the values in it that do not vary.
    ``offsets`` are the paths of numbers that are the place of a text in its context, and the paths of these.
    """

    row: Row
    fields: Mapping[Path, tuple[str | Slot, ...]]
    generators: tuple[Generator, ...]
    own: tuple[str, ...]
    constants: frozenset[str]
    offsets: tuple[tuple[Path, Path, Path], ...] = ()

    def render(self, place: int, rng: Random, serial: int | None = None) -> Row | None:
        """Return a new row with the value at ``place`` of each variable in all its slots.

        An identifier that is unique over the rows takes that at ``serial``. None if values that differ in the row
        would be equal.
        """
        values = self.draw(place, rng, serial)
        return None if values is None else self.fill(values)

    def draw(self, place: int, rng: Random, serial: int | None = None) -> list[str] | None:
        """Return new values of the variables, or None if two that differ in the row would be equal."""
        taken: dict[str, str] = {}
        values = []
        for generator, own in zip(self.generators, self.own, strict=True):
            at = serial if serial is not None and isinstance(generator, SerialGenerator) else place
            value = generator.draw(at, rng)
            if isinstance(generator, TimeShiftGenerator):
                values.append(value)
                continue
            for turn in range(1, _MOST_DRAWS):
                if not self._is_taken(value, own, taken):
                    break
                value = generator.draw(at + turn * _STRIDE, rng)
            if self._is_taken(value, own, taken):
                value = own
                if self._is_taken(value, own, taken):
                    return None
            taken[value] = own
            values.append(value)
        return values

    def fill(self, values: Sequence[str]) -> Row:
        """Return the row with these values of the variables."""
        texts = {path: render_parts(parts, values) for path, parts in self.fields.items()}
        for path, _, context in self.offsets:
            texts[path] = str(_moved(value_at(self.row, path), self.fields.get(context, ()), values, self.own))
        return with_texts(self.row, texts)

    def _is_taken(self, value: str, own: str, taken: Mapping[str, str]) -> bool:
        return taken.get(value, own) != own or (value != own and value in self.constants)


def render_parts(parts: Sequence[str | Slot], values: Sequence[str]) -> str:
    """Return the text of ``parts`` with the variables' ``values``."""
    return "".join(
        part if isinstance(part, str) else values[part.of] if part.write is None else part.write(values[part.of])
        for part in parts
    )


def _moved(at: int, parts: Sequence[str | Slot], values: Sequence[str], own: Sequence[str]) -> int:
    """The place in the new text of what is at ``at`` in the old one, which is not inside a slot."""
    before = after = 0
    for part in parts:
        if before >= at:
            break
        old, new = render_parts((part,), own), render_parts((part,), values)
        before += len(old)
        after += len(new)
    return after - (before - at)


class _Place(NamedTuple):
    """An entity with its leaf's path and masked text, its position among the leaf's entities, and its whole word."""

    path: Path
    masked: str
    position: int
    entity: Entity
    word: str


@dataclass(slots=True)
class _Variable:
    """The places of one value. ``codes`` are the columns that its places in each leaf have, see ``Evidence``."""

    places: list[_Place] = field(default_factory=list)
    codes: dict[Path, set[int]] = field(default_factory=dict)
    is_kept: bool = False


class _Variables:
    """The variables of a row in the making, and an index of their first values."""

    def __init__(self, statistics: ValueStatistics) -> None:
        self.all: list[_Variable] = []
        self.shift: int | None = None
        self._statistics = statistics
        self._by_value: dict[str, list[int]] = {}

    def add(self, place: _Place | None = None) -> int:
        """Add a variable; its number."""
        number = len(self.all)
        self.all.append(_Variable())
        if place is not None:
            for key in _keys(place.entity):
                self._by_value.setdefault(key, []).append(number)
        return number

    def of_time(self) -> int:
        """The variable of all times of the row."""
        if self.shift is None:
            self.shift = self.add()
        return self.shift

    def put(self, number: int, place: _Place) -> None:
        """Give a variable one more place."""
        variable = self.all[number]
        variable.places.append(place)
        code = self._code(place)
        if code is not None:
            variable.codes.setdefault(place.path, set()).add(code)

    def link(self, place: _Place, target: tuple[Path, int] | None, *, is_ambiguous: bool) -> Slot | None:
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
            if not is_ambiguous and variable.codes.get(place.path, set()) - {code}:
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

    def _code(self, place: _Place) -> int | None:
        columns = self._statistics.evidence.columns(place.path, place.masked)
        return None if columns is None else columns.codes[place.position]

    def _is_one(self, place: _Place, variable: _Variable) -> bool | None:
        """Whether a place is one of the variable's; None if nothing shows it."""
        entity = place.entity
        if entity.kind not in _NUMBERS or len(entity.text) >= LEAST_LONG:
            return True
        verdict: bool | None = None
        for other in variable.places[:_MOST_DRAWS]:
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

    def _is_tied(self, place: _Place, other: _Place) -> bool:
        evidence = self._statistics.evidence
        return (place.entity.is_whole and evidence.tied(place.path, other.path)) or (
            other.entity.is_whole and evidence.tied(other.path, place.path)
        )


def _keys(entity: Entity) -> tuple[str, ...]:
    """What equal values in any of the forms of ``_same`` have in common."""
    text = entity.text
    if entity.kind not in _NUMBERS or not text.isascii():
        return (text,)
    whole = text.partition(".")[0].lstrip("0") or "0"
    return (text, whole) if whole != text else (text,)


def _is_one_word(place: _Place, other: _Place) -> bool:
    """Whether two numbers are in the same place of equal words, or after the same word: broadcast_3, pallet 12."""
    if len(place.word) >= LEAST_LONG and place.word == other.word:
        return True
    key = place.entity.key.strip().casefold()
    return any(map(str.isalpha, key)) and key == other.entity.key.strip().casefold() and not place.entity.is_whole


def row_template(row: Row, statistics: ValueStatistics, salt: int) -> RowTemplate:
    """Build the template of ``row``; ``salt`` scatters its sequences of values."""
    variables = _Variables(statistics)
    found, texts = statistics.entities(row), statistics.texts(row)
    cut: dict[Path, list[tuple[Entity, Slot]]] = {}
    constants: set[str] = set()
    targets, ambiguous = _find_targets(found, texts, statistics)
    offsets = tuple(row_offsets(row, statistics.offsets))
    computed = {path for path, *_ in offsets}
    for path, entities in found.items():
        if path in computed:
            continue
        masked = statistics.masked(row, path)
        parts: list[tuple[Entity, Slot]] = []
        for position, entity in enumerate(entities):
            place = _Place(path, masked, position, entity, _word_around(texts[path], entity))
            if entity.kind == "weekday" or (entity.kind == "time" and not statistics.is_constant(entity)):
                parts.append((entity, Slot(variables.of_time(), _time_writer(entity))))
                continue
            part = variables.link(place, targets.get((path, position)), is_ambiguous=entity.text in ambiguous)
            if part is None and (entity.text in constants or statistics.is_constant(entity)):
                constants.add(entity.text)
                continue
            if part is None:
                part = Slot(variables.add(place))
            variables.put(part.of, place)
            parts.append((entity, part))
        cut[path] = parts
    asks = statistics.asks_unexplained(row)
    generators = [_generator(each, found, asks, statistics, salt) for each in variables.all]
    own = tuple(each.places[0].entity.text if each.places else "0" for each in variables.all)
    fields = {path: _parts(texts[path], parts) for path, parts in cut.items() if parts}
    return RowTemplate(row, fields, tuple(_keep_small(generators)), own, frozenset(constants), offsets)


def _generator(
    variable: _Variable, found: Mapping[Path, Sequence[Entity]], asks: bool, statistics: ValueStatistics, salt: int
) -> Generator:
    if not variable.places:
        return TimeShiftGenerator(*_free_clock(found))
    entities = [place.entity for place in variable.places]
    if variable.is_kept or (asks and not _is_name_of_question(variable)):
        return ConstantGenerator(entities[0].text)
    limited = entities[0]
    if not limited.unit and limited.kind == "number":
        limited = next((each for each in entities if each.unit == "age" or each.kind in ("year", "id")), limited)
        if limited.text != entities[0].text:
            limited = entities[0]
    return statistics.generator(limited, salt)


def _is_name_of_question(variable: _Variable) -> bool:
    """Whether a variable may vary in a row whose answer is not in its text.

    One that occurs in several leaves is a name there, unless it is a plain number, which may decide the answer.
    """
    entity = variable.places[0].entity
    if entity.kind == "id":
        return True
    shared = len({place.path for place in variable.places}) > 1
    return shared and (entity.kind not in _NUMBERS or len(variable.places[0].word) > len(entity.text))


def _free_clock(found: Mapping[Path, Sequence[Entity]]) -> tuple[int, int] | tuple[()]:
    """The seconds by which several clock times without a date may be shifted and stay within their day."""
    clocks = {
        each.text: each.format
        for entities in found.values()
        for each in entities
        if each.kind == "time" and not has_date(each.format)
    }
    if len(clocks) < 2:
        return ()
    moments = [moment for text, form in clocks.items() if (moment := read_time(text, form)) is not None]
    seconds = [moment.hour * 3600 + moment.minute * 60 + moment.second for moment in moments]
    return -min(seconds), 86399 - max(seconds)


def _word_around(text: str, entity: Entity) -> str:
    """The word with its inner marks that contains an entity, cut to the part before the entity's end."""
    start, end = entity.start, entity.end
    least, most = max(0, start - 40), min(len(text), end + 40)
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "_-"):
        start -= 1
    while end < most and (text[end].isalnum() or text[end] in "_-"):
        end += 1
    return text[start:end]


def _find_targets(
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
    if entity.text == other.text:
        return str
    if {entity.kind, other.kind} <= {"number", "port"} and entity.text.isdigit():
        if other.text.isdigit() and int(entity.text) == int(other.text) and "0" in (entity.text[0], other.text[0]):
            width = len(entity.text) if entity.text[0] == "0" else 0
            return (lambda value: str(int(value)).zfill(width)) if len(entity.text) > 1 < len(other.text) else None
        if other.text.split(".")[0] == entity.text and other.text != entity.text and "." in other.text:
            return lambda value: value.split(".")[0]
    return None


def _time_writer(entity: Entity) -> Callable[[str], str]:
    text = entity.key if entity.kind == "weekday" else entity.text
    moment = read_time(text, entity.format)
    if moment is None:
        raise ValueError(f"not a time: {text!r}")
    if entity.kind == "weekday":
        return lambda shift: write_weekday(moment, shift, entity.text)
    return lambda shift: write_time(moment, shift, entity.format, entity.text)


def _parts(text: str, parts: Sequence[tuple[Entity, Slot]]) -> tuple[str | Slot, ...]:
    cut: list[str | Slot] = []
    at = 0
    for entity, part in parts:
        if entity.start > at:
            cut.append(text[at : entity.start])
        cut.append(part)
        at = entity.end
    if at < len(text):
        cut.append(text[at:])
    return tuple(cut)


def _keep_small(generators: Sequence[Generator]) -> list[Generator]:
    """Bound single digits (an attempt, a count) if other values of the row make rows distinct."""
    wide = any(isinstance(each, IdentifierGenerator | AddressGenerator) or _is_open(each) for each in generators)
    return [
        generator.bounded() if wide and isinstance(generator, NumberGenerator) and generator.high < 10 else generator
        for generator in generators
    ]


def _is_open(generator: Generator) -> bool:
    return isinstance(generator, NumberGenerator) and generator.cap is None and generator.high >= 10
