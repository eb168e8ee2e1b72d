"""Statistics of the values in a set of rows, and the templates of their texts: built once, used by every later step.

``entities`` of a row are found once and kept; the counts are taken on first use, so a caller that never asks does
not pay for them.

Does not handle: rows that are added later, or values that follow from others (a sum, a duration).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from operator import is_
from zlib import crc32

from selfinstruct.mining.entities import Entity, find_entities
from selfinstruct.mining.generators import (
    Generator,
    PatternGenerator,
    address_generator,
    chinese_number_generator,
    number_generator,
    salted,
)
from selfinstruct.mining.text_template import MinedTemplates, mine_templates
from selfinstruct.mining.vocabulary import Vocabulary
from selfinstruct.records import Row
from selfinstruct.text import value_text

# A value that never varies is a constant only if at least this many rows show it: fewer may agree by chance.
_LEAST_ROWS_OF_CONSTANT = 3


class ValueStatistics:
    """The values that a set of rows shows, and the places whose values always agree.

    ``references`` maps a field to the field that it is grounded in or takes its identifiers from. Fields in
    ``fixed`` (a label) contain no values. The rows must not be modified while the statistics are in use.
    """

    def __init__(self, rows: Sequence[Row], references: Mapping[str, str], *, fixed: Collection[str] = ()) -> None:
        self.rows = tuple(rows)
        self.vocabulary = Vocabulary()
        self._references = dict(references)
        self._referenced = frozenset(references.values())
        self._fixed = frozenset(fixed)
        self._own = set(map(id, self.rows))
        self._entities: dict[int, dict[str, list[Entity]]] = {}
        self._masked: dict[tuple[int, str], str] = {}
        self._differ: dict[tuple[str, str, int, int], bool] = {}
        self._generators: dict[tuple[str, str, str], Generator] = {}
        self._templates: dict[tuple[str, tuple[str, ...] | None], MinedTemplates] = {}

    def describes(self, rows: Sequence[Row], references: Mapping[str, str]) -> bool:
        """Whether these are the statistics of exactly these row objects, with these references and no fixed fields."""
        same_rows = len(rows) == len(self.rows) and all(map(is_, rows, self.rows))
        return same_rows and self._referenced == frozenset(references.values()) and not self._fixed

    def with_fixed(self, fixed: Collection[str]) -> ValueStatistics:
        """The statistics of the same rows with other fixed fields."""
        return self if self._fixed == frozenset(fixed) else ValueStatistics(self.rows, self._references, fixed=fixed)

    def of_some(self, rows: Sequence[Row]) -> ValueStatistics:
        """The statistics of some of the rows, with the same references and fixed fields."""
        return ValueStatistics(rows, self._references, fixed=self._fixed)

    def entities(self, row: Row) -> dict[str, list[Entity]]:
        """The entities of each text field, referenced fields first.

        Known shapes, and words: those that the vocabulary finds, and every other place of the row where one occurs.
        """
        if id(row) not in self._own:
            return self._find(row)
        if id(row) not in self._entities:
            self._entities[id(row)] = self._find(row)
        return self._entities[id(row)]

    def masked(self, row: Row, name: str) -> str:
        """The text of one field with its entities masked, see ``masked_text``."""
        if id(row) not in self._own:
            return masked_text(row[name], self.entities(row)[name])
        if (id(row), name) not in self._masked:
            self._masked[id(row), name] = masked_text(row[name], self.entities(row)[name])
        return self._masked[id(row), name]

    def templates(self, name: str, others: Sequence[str] | None) -> MinedTemplates:
        """The templates of one field's texts over all rows.

        ``others`` are the fields that show whether a word is a value, None where the field is all there is: see
        ``mine_templates``.
        """
        key = name, None if others is None else tuple(others)
        if key not in self._templates:
            texts = [value_text(row.get(name)) for row in self.rows]
            contexts = None
            if others is not None:
                contexts = [[value_text(row.get(other)) for other in others] for row in self.rows]
            values = [self.words(row, name) if isinstance(row.get(name), str) else [] for row in self.rows]
            self._templates[key] = mine_templates(texts, contexts, values)
        return self._templates[key]

    def words(self, row: Row, name: str) -> list[tuple[int, int]]:
        """The [start, end) of one field's values that are words, without those that never vary."""
        found = [entity for entity in self.entities(row).get(name, ()) if not any(map(str.isdigit, entity.text))]
        return [(entity.start, entity.end) for entity in found if not self.is_constant(entity)]

    def seen(self, entity: Entity) -> list[str]:
        """All values of the same kind in the same place as the entity, its own among them."""
        return self._counts[0].get((entity.kind, entity.key, entity.unit), [entity.text])

    def is_constant(self, entity: Entity) -> bool:
        """Whether the rows show no other value in the entity's place."""
        if entity.kind == "time":
            return False
        count, varies = self._variety.get((entity.kind, entity.key, entity.unit), (1, False))
        return not varies and (entity.is_name or count >= _LEAST_ROWS_OF_CONSTANT)

    def differ(self, name: str, masked: str, one: int, other: int) -> bool:
        """Whether two entities of a field, by their position, differ in some row of this masked text."""
        key = name, masked, one, other
        if key not in self._differ:
            fillings = self._counts[1].get((name, masked), ())
            self._differ[key] = any(texts[one] != texts[other] for texts in fillings)
        return self._differ[key]

    def generator(self, entity: Entity, salt: int) -> Generator:
        """The generator of new values for an entity's place; ``salt`` scatters its sequence."""
        place = entity.kind, entity.key, entity.unit
        salt = crc32(f"{salt} {entity.kind} {entity.key}".encode())
        if place not in self._counts[0]:
            return self._generator(entity, salt)
        if place not in self._generators:
            self._generators[place] = self._generator(entity, 0)
        return salted(self._generators[place], salt)

    def _generator(self, entity: Entity, salt: int) -> Generator:
        kind, seen = entity.kind, self.seen(entity)
        if kind in ("number", "port"):
            return number_generator(seen, salt, unit=entity.unit, port=kind == "port")
        if kind == "ipv4":
            return address_generator(seen)
        if kind == "zhnumber":
            return chinese_number_generator(seen, salt, unit=entity.unit)
        if kind in ("uuid", "mac", "hex"):
            return PatternGenerator(tuple(seen))
        return self.vocabulary.generator(kind, seen, salt)

    def _find(self, row: Row) -> dict[str, list[Entity]]:
        names = [name for name, value in row.items() if isinstance(value, str) and name not in self._fixed]
        entities: dict[str, list[Entity]] = {}
        known: dict[str, Entity] = {}
        for name in sorted(names, key=lambda name: name not in self._referenced):
            others = [row[other] for other in names if other != name]
            shaped = find_entities(row[name])
            words = self.vocabulary.find(row[name], others, shaped, known)
            known.update((entity.text, entity) for entity in words)
            # A name may contain a number (Windows 11), which is not a value of its own then.
            free = [each for each in shaped if not any(o.start < each.end and each.start < o.end for o in words)]
            entities[name] = sorted([*free, *words], key=lambda entity: entity.start)
        return entities

    @cached_property
    def _counts(self) -> tuple[dict[tuple[str, str, str], list[str]], dict[tuple[str, str], list[tuple[str, ...]]]]:
        """Values by kind, key and unit; and the values that fill each masked text of a field, row by row."""
        seen: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        fillings: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
        for row in self.rows:
            found = self.entities(row)
            # Once per row: a value that occurs in two fields has not been seen twice.
            shown = {(each.kind, each.key, each.unit, each.text): None for field in found.values() for each in field}
            for kind, key, unit, text in shown:
                seen[kind, key, unit].append(text)
            for name, entities in found.items():
                fillings[name, self.masked(row, name)].append(tuple(_unpadded(each.text) for each in entities))
        return dict(seen), dict(fillings)

    @cached_property
    def _variety(self) -> dict[tuple[str, str, str], tuple[int, bool]]:
        """For each kind, key and unit the number of values, and whether they differ."""
        return {place: (len(values), len(set(values)) > 1) for place, values in self._counts[0].items()}


def masked_text(text: str, entities: Sequence[Entity]) -> str:
    """``text`` with the kind of each entity in its place: equal for two texts that differ in values alone."""
    parts, at = [], 0
    for entity in entities:
        parts += [text[at : entity.start], f"<{entity.kind}0>"]
        at = entity.end
    return "".join([*parts, text[at:]])


def _unpadded(text: str) -> str:
    return text.lstrip("0") or "0"
