"""Frames: a row taken apart into what stays and what may be replaced, consistently over its fields.

A value that occurs in several fields (or twice in one) is one *variable*: a new value is written to all its
places, also inside larger words (``rdd_42_18``, a path that holds the block's id). A number that every seed
shows alike in one place (``ssh2``, port 50010) is a constant.

Does not handle: values derived from others (a sum, a duration between two times); those are redrawn like any
other unless they stand in the row word for word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from zlib import crc32

from selfinstruct.mining.entities import Entity, find_entities, read_time
from selfinstruct.mining.generators import (
    AddressGenerator,
    Generator,
    IdentifierGenerator,
    NumberGenerator,
    PatternGenerator,
    TimeShiftGenerator,
    chinese_number_generator,
    number_generator,
    write_time,
)
from selfinstruct.mining.vocabulary import Vocabulary
from selfinstruct.records import Row
from selfinstruct.text import find_spans

# So many seeds must agree on a number before it is taken for a constant rather than for chance.
_CONSTANT_AFTER = 3


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
    domains: tuple[Generator, ...]

    def render(self, place: int, rng: Random) -> Row:
        """A new row: each variable's value for ``place``, written to all its places."""
        values = [domain.draw(place, rng) for domain in self.domains]
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


class ValueStatistics:
    """What a set of rows shows about its values: which of one sort occur, and which places always agree.

    ``contexts`` maps a field to the field that it is grounded in or takes its identifiers from; ``fixed`` fields
    (a label) hold no values.
    """

    def __init__(self, rows: Sequence[Row], contexts: Mapping[str, str], *, fixed: Collection[str] = ()) -> None:
        self.vocabulary = Vocabulary()
        self._referred = set(contexts.values())
        self._fixed = frozenset(fixed)
        self._seen: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._fillings: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
        for row in rows:
            found = self.atoms(row)
            # Once a row: a value that stands in two fields has not been seen twice.
            shown = {(atom.kind, atom.key, atom.unit, atom.text): None for atoms in found.values() for atom in atoms}
            for kind, key, unit, text in shown:
                self._seen[kind, key, unit].append(text)
            for name, atoms in found.items():
                filling = tuple(_plain(atom.text) for atom in atoms)
                self._fillings[name, masked_text(row[name], atoms)].append(filling)

    def atoms(self, row: Row) -> dict[str, list[Entity]]:
        """The atoms of each text field, the fields first that others refer to.

        Known shapes, and words: those that the vocabulary finds, and wherever else in the row they stand.
        """
        names = [name for name, value in row.items() if isinstance(value, str) and name not in self._fixed]
        atoms: dict[str, list[Entity]] = {}
        words: dict[str, Entity] = {}
        for name in sorted(names, key=lambda name: name not in self._referred):
            others = [row[other] for other in names if other != name]
            shaped = find_entities(row[name])
            found = self.vocabulary.find(row[name], others, shaped, words)
            words.update((atom.text, atom) for atom in found)
            # A name may hold a number (Windows 11), which is then none of its own.
            free = [atom for atom in shaped if not any(o.start < atom.end and atom.start < o.end for o in found)]
            atoms[name] = sorted([*free, *found], key=lambda atom: atom.start)
        return atoms

    def words(self, row: Row, name: str) -> list[tuple[int, int]]:
        """The [start, end) of one field's values that are words, without those that never vary."""
        atoms = [atom for atom in self.atoms(row)[name] if not any(map(str.isdigit, atom.text))]
        return [(atom.start, atom.end) for atom in atoms if not self.is_constant(atom)]

    def seen(self, atom: Entity) -> list[str]:
        """All values of the atom's sort, its own among them."""
        return self._seen.get((atom.kind, atom.key, atom.unit), [atom.text])

    def is_constant(self, atom: Entity) -> bool:
        """Whether the seeds show a value that does not vary where it stands."""
        seen = self.seen(atom)
        if atom.kind == "time" or len(set(seen)) > 1:
            return False
        return atom.is_name or len(seen) >= _CONSTANT_AFTER

    def differ(self, name: str, wording: str, one: int, other: int) -> bool:
        """Whether two atoms of a field, by their position, differ in some row of this wording."""
        return any(texts[one] != texts[other] for texts in self._fillings[name, wording])


def masked_text(text: str, atoms: Sequence[Entity]) -> str:
    """``text`` with a mark of its kind in place of each atom: what two rows of one wording share."""
    parts, at = [], 0
    for atom in atoms:
        parts += [text[at : atom.start], f"<{atom.kind}0>"]
        at = atom.end
    return "".join([*parts, text[at:]])


def _plain(text: str) -> str:
    return text.lstrip("0") or "0"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an atom stands: its field, and its position among the field's atoms."""

    name: str
    position: int
    atom: Entity


def row_template(row: Row, knowledge: ValueStatistics, salt: int) -> RowTemplate:
    """Take ``row`` apart. ``salt`` scatters its sequences of values; the same salt gives the same ones."""
    variables: list[list[_Place]] = []
    shift: int | None = None
    fields: dict[str, tuple[str | Slot, ...]] = {}
    constants: set[str] = set()
    found = knowledge.atoms(row)
    aims, together = _aims(row, found)
    for name, atoms in found.items():
        wording = masked_text(row[name], atoms)
        parts: list[tuple[Entity, Slot]] = []
        for position, atom in enumerate(atoms):
            place = _Place(name, position, atom)
            if atom.kind == "time":
                if shift is None:
                    shift = len(variables)
                    variables.append([])
                parts.append((atom, Slot(shift, _time_writer(atom))))
                continue
            split = knowledge if atom.text not in together else None
            part = _link(place, variables, aims.get((name, position)), split, wording)
            if part is None and (atom.text in constants or knowledge.is_constant(atom)):
                constants.add(atom.text)
                continue
            if part is None:
                part = Slot(len(variables))
                variables.append([])
            variables[part.of].append(place)
            parts.append((atom, part))
        fields[name] = _parts(row[name], parts)
    domains = [_domain(places, knowledge, salt) if places else TimeShiftGenerator() for places in variables]
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
    wording: str,
) -> Slot | None:
    """The variable that already holds this place's value, or None.

    ``aim`` is the place that this one means, where that is known. Two places of one field that some other seed
    of the same ``wording`` fills differently are two variables, even where this row happens to fill them alike,
    unless ``split`` is None.
    """
    linked: Slot | None = None
    for index, places in enumerate(variables):
        writer = _same(place.atom, places[0].atom) if places else None
        if writer is None:
            continue
        if split is not None and any(
            other.name == place.name and split.differ(place.name, wording, other.position, place.position)
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


def _domain(places: Sequence[_Place], knowledge: ValueStatistics, salt: int) -> Generator:
    """What a variable's new values may be: the sort of the place that was met first, the most telling one."""
    atom = places[0].atom
    seen = knowledge.seen(atom)
    salt = crc32(f"{salt} {atom.kind} {atom.key}".encode())
    if atom.kind == "number" or atom.kind == "port":
        return number_generator(seen, salt, unit=atom.unit, port=atom.kind == "port")
    if atom.kind == "ipv4":
        return AddressGenerator(tuple(seen))
    if atom.kind == "zhnumber":
        return chinese_number_generator(seen, salt, unit=atom.unit)
    if atom.kind in ("uuid", "mac", "hex"):
        return PatternGenerator(tuple(seen))
    return knowledge.vocabulary.domain(atom.kind, seen, salt)
