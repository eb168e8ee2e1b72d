"""Frames: a row taken apart into what stays and what may be replaced, consistently over its fields.

A value that occurs in several fields (or twice in one) is one *variable*: a new value is written to all its
places, also inside larger words (``rdd_42_18``, a path that holds the block's id). A number that every seed
shows alike in one place (``ssh2``, port 50010) is a constant.

Does not handle: values derived from others (a sum, a duration between two times); those are redrawn like any
other unless they stand in the row word for word.
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
    """A place in a field where variable ``of`` is written, by ``write`` where it is not written as it is."""

    of: int
    write: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A row's string fields as constant texts and parts; other fields as they are."""

    row: Row
    fields: Mapping[str, tuple[str | Slot, ...]]
    generators: tuple[Generator, ...]

    def render(self, place: int, rng: Random) -> Row:
        """A new row: each variable's value for ``place``, written to all its places."""
        values = [domain.draw(place, rng) for domain in self.generators]
        return {
            name: render_parts(self.fields[name], values) if name in self.fields else value
            for name, value in self.row.items()
        }


def render_parts(parts: Sequence[str | Slot], values: Sequence[str]) -> str:
    """The text of ``parts`` with the variables' ``values``."""
    return "".join(
        part if isinstance(part, str) else values[part.of] if part.write is None else part.write(values[part.of])
        for part in parts
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an atom stands: its field, and its position among the field's atoms."""

    name: str
    position: int
    atom: Entity


def row_template(row: Row, statistics: ValueStatistics, salt: int) -> RowTemplate:
    """Take ``row`` apart. ``salt`` scatters its sequences of values; the same salt gives the same ones."""
    variables: list[list[_Place]] = []
    shift: int | None = None
    fields: dict[str, tuple[str | Slot, ...]] = {}
    constants: set[str] = set()
    found = statistics.entities(row)
    aims, together = _aims(row, found)
    for name, atoms in found.items():
        masked = statistics.masked(row, name)
        parts: list[tuple[Entity, Slot]] = []
        for position, atom in enumerate(atoms):
            place = _Place(name, position, atom)
            if atom.kind == "time":
                if shift is None:
                    shift = len(variables)
                    variables.append([])
                parts.append((atom, Slot(shift, _time_writer(atom))))
                continue
            split = statistics if atom.text not in together else None
            part = _link(place, variables, aims.get((name, position)), split, masked)
            if part is None and (atom.text in constants or statistics.is_constant(atom)):
                constants.add(atom.text)
                continue
            if part is None:
                part = Slot(len(variables))
                variables.append([])
            variables[part.of].append(place)
            parts.append((atom, part))
        fields[name] = _parts(row[name], parts)
    domains = [statistics.generator(places[0].atom, salt) if places else TimeShiftGenerator() for places in variables]
    return RowTemplate(row, fields, tuple(_settled(domains)))


def _aims(
    row: Row, found: Mapping[str, Sequence[Entity]]
) -> tuple[dict[tuple[str, int], tuple[str, int]], frozenset[str]]:
    """Which of several equal values another field means, and the values of which that cannot be told.

    The first field is the one that the others refer to. An atom elsewhere, by field and position, means the
    place in it where its whole field stands, if that is one place, or else the place with the same word before
    it. A value that could mean two places must stay the same in both.
    """
    if not found:
        return {}, frozenset()
    (context, atoms), *others = found.items()
    aims: dict[tuple[str, int], tuple[str, int]] = {}
    together = set()
    for name, those in others:
        whole = find_spans(row[name], row[context])
        for position, atom in enumerate(those):
            equal = [at for at, other in enumerate(atoms) if _same(atom, other) is not None]
            if len(equal) < 2:
                continue
            meant = [at for at in equal if len(whole) == 1 and atoms[at].start == whole[0][0] + atom.start]
            meant = meant or [at for at in equal if atoms[at].key == atom.key]
            if len(meant) == 1:
                aims[name, position] = context, meant[0]
            else:
                together.add(atom.text)
    return aims, frozenset(together)


def _link(
    place: _Place,
    variables: Sequence[Sequence[_Place]],
    aim: tuple[str, int] | None,
    split: ValueStatistics | None,
    masked: str,
) -> Slot | None:
    """The variable that already holds this place's value, or None.

    ``aim`` is the place that this one means, where that is known. Two places of one field that some other seed
    of the same ``masked`` fills differently are two variables, even where this row happens to fill them alike,
    unless ``split`` is None.
    """
    linked: Slot | None = None
    for index, places in enumerate(variables):
        writer = _same(place.atom, places[0].atom) if places else None
        if writer is None:
            continue
        if split is not None and any(
            other.name == place.name and split.differ(place.name, masked, other.position, place.position)
            for other in places
        ):
            continue
        part = Slot(index, None if writer is str else writer)
        if aim is not None and any((other.name, other.position) == aim for other in places):
            return part
        linked = linked or part
    return linked


def _same(atom: Entity, other: Entity) -> Callable[[str], str] | None:
    """How ``other``'s value is written at ``atom``, where the two are the same value; else None."""
    if atom.text == other.text:
        return str
    if {atom.kind, other.kind} <= {"number", "port"} and atom.text.isdigit():
        if other.text.isdigit() and int(atom.text) == int(other.text) and "0" in (atom.text[0], other.text[0]):
            width = len(atom.text) if atom.text[0] == "0" else 0
            return (lambda value: str(int(value)).zfill(width)) if len(atom.text) > 1 < len(other.text) else None
        if other.text.split(".")[0] == atom.text and other.text != atom.text and "." in other.text:
            return lambda value: value.split(".")[0]
    return None


def _time_writer(atom: Entity) -> Callable[[str], str]:
    moment = read_time(atom.text, atom.format)
    if moment is None:
        raise ValueError(f"not a time: {atom.text!r}")
    return lambda shift: write_time(moment, shift, atom.format, atom.text)


def _parts(text: str, parts: Sequence[tuple[Entity, Slot]]) -> tuple[str | Slot, ...]:
    cut: list[str | Slot] = []
    at = 0
    for atom, part in parts:
        if atom.start > at:
            cut.append(text[at : atom.start])
        cut.append(part)
        at = atom.end
    if at < len(text):
        cut.append(text[at:])
    return tuple(cut)


def _settled(domains: Sequence[Generator]) -> list[Generator]:
    """Single digits (an attempt, a count) stay single digits where other values of the row tell rows apart."""
    wide = any(isinstance(domain, IdentifierGenerator | AddressGenerator) or _is_open(domain) for domain in domains)
    return [
        domain.kept() if wide and isinstance(domain, NumberGenerator) and domain.high < 10 else domain
        for domain in domains
    ]


def _is_open(domain: Generator) -> bool:
    return isinstance(domain, NumberGenerator) and domain.cap is None and domain.high >= 10
