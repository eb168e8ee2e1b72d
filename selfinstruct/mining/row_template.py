"""Row templates: the constant texts of a row and the slots whose values are replaced consistently over its fields.

A value that occurs in several fields (or twice in one) is one *variable*: a new value is written to all its
places, also inside larger words (``rdd_42_18``, a path that contains the block's id). A number that is the same in
every seed (``ssh2``, port 50010) is a constant.

Does not handle: values derived from others (a sum, a duration between two times); these are replaced like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from selfinstruct.mining.entities import Entity, read_time
from selfinstruct.mining.generators import (
    AddressGenerator,
    Generator,
    IdentifierGenerator,
    NumberGenerator,
    TimeShiftGenerator,
    write_time,
)
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.records import Row
from selfinstruct.text import find_spans


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a field for the value of variable ``of``, which ``write`` converts if it is given."""

    of: int
    write: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row whose string fields are cut into constant texts and slots; other fields are kept."""

    row: Row
    fields: Mapping[str, tuple[str | Slot, ...]]
    generators: tuple[Generator, ...]

    def render(self, place: int, rng: Random) -> Row:
        """Return a new row with the value at ``place`` of each variable in all its slots."""
        values = [generator.draw(place, rng) for generator in self.generators]
        return {
            name: render_parts(self.fields[name], values) if name in self.fields else value
            for name, value in self.row.items()
        }


def render_parts(parts: Sequence[str | Slot], values: Sequence[str]) -> str:
    """Return the text of ``parts`` with the variables' ``values``."""
    return "".join(
        part if isinstance(part, str) else values[part.of] if part.write is None else part.write(values[part.of])
        for part in parts
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """An entity with its field and its position among the field's entities."""

    name: str
    position: int
    entity: Entity


def row_template(row: Row, statistics: ValueStatistics, salt: int) -> RowTemplate:
    """Build the template of ``row``; ``salt`` scatters its sequences of values."""
    variables: list[list[_Place]] = []
    shift: int | None = None
    fields: dict[str, tuple[str | Slot, ...]] = {}
    constants: set[str] = set()
    found = statistics.entities(row)
    targets, ambiguous = _find_targets(row, found)
    for name, entities in found.items():
        masked = statistics.masked(row, name)
        parts: list[tuple[Entity, Slot]] = []
        for position, entity in enumerate(entities):
            place = _Place(name, position, entity)
            if entity.kind == "time":
                if shift is None:
                    shift = len(variables)
                    variables.append([])
                parts.append((entity, Slot(shift, _time_writer(entity))))
                continue
            split = statistics if entity.text not in ambiguous else None
            part = _link(place, variables, targets.get((name, position)), split, masked)
            if part is None and (entity.text in constants or statistics.is_constant(entity)):
                constants.add(entity.text)
                continue
            if part is None:
                part = Slot(len(variables))
                variables.append([])
            variables[part.of].append(place)
            parts.append((entity, part))
        fields[name] = _parts(row[name], parts)
    generators = [statistics.generator(each[0].entity, salt) if each else TimeShiftGenerator() for each in variables]
    return RowTemplate(row, fields, tuple(_keep_small(generators)))


def _find_targets(
    row: Row, found: Mapping[str, Sequence[Entity]]
) -> tuple[dict[tuple[str, int], tuple[str, int]], frozenset[str]]:
    """The place in the first field that each entity of another field refers to, and the values that are ambiguous.

    The first field is the one that the others refer to. Of several equal values in it, an entity elsewhere (by field
    and position) refers to the one inside the only occurrence of its whole field, or else to the one with the same
    word before it. A value that may refer to two places must stay the same in both.
    """
    if not found:
        return {}, frozenset()
    (context, entities), *others = found.items()
    targets: dict[tuple[str, int], tuple[str, int]] = {}
    ambiguous = set()
    for name, those in others:
        whole = find_spans(row[name], row[context])
        for position, entity in enumerate(those):
            equal = [at for at, other in enumerate(entities) if _same(entity, other) is not None]
            if len(equal) < 2:
                continue
            meant = [at for at in equal if len(whole) == 1 and entities[at].start == whole[0][0] + entity.start]
            meant = meant or [at for at in equal if entities[at].key == entity.key]
            if len(meant) == 1:
                targets[name, position] = context, meant[0]
            else:
                ambiguous.add(entity.text)
    return targets, frozenset(ambiguous)


def _link(
    place: _Place,
    variables: Sequence[Sequence[_Place]],
    target: tuple[str, int] | None,
    split: ValueStatistics | None,
    masked: str,
) -> Slot | None:
    """The slot of the variable that already has this place's value, or None.

    ``target`` is the place that this one refers to, if known. Two places of one field are two variables if they differ
    in another seed with the same ``masked`` text, even if they are equal in this row, unless ``split`` is None.
    """
    linked: Slot | None = None
    for index, places in enumerate(variables):
        writer = _same(place.entity, places[0].entity) if places else None
        if writer is None:
            continue
        if split is not None and any(
            other.name == place.name and split.differ(place.name, masked, other.position, place.position)
            for other in places
        ):
            continue
        part = Slot(index, None if writer is str else writer)
        if target is not None and any((other.name, other.position) == target for other in places):
            return part
        linked = linked or part
    return linked


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
    moment = read_time(entity.text, entity.format)
    if moment is None:
        raise ValueError(f"not a time: {entity.text!r}")
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
