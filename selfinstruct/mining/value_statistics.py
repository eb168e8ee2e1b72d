"""Statistics of the values in a set of rows, and the templates of their texts: built once, used by every later step.

The values of a row are found in its leaves, by path: its strings, and its numbers as JSON writes them. ``entities`` of
a row are found once and kept; the counts are taken on first use, so a caller that never asks does not pay for them.

Does not handle: rows that are added later, or values that follow from others (a sum, a duration).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from operator import is_
from zlib import crc32

from selfinstruct.mining.bands import Bands
from selfinstruct.mining.checked_numbers import CheckedNumbers
from selfinstruct.mining.code_generators import CheckedGenerator
from selfinstruct.mining.dated_weekdays import with_weekdays
from selfinstruct.mining.derived_names import with_derived
from selfinstruct.mining.entities import Entity, find_entities
from selfinstruct.mining.entity_places import masked_text, outside, place_of
from selfinstruct.mining.evidence import Evidence
from selfinstruct.mining.generators import ConstantGenerator, as_written, salted
from selfinstruct.mining.initials import fields_of_initials
from selfinstruct.mining.leaf_texts import any_position, is_plain_number, leaf_texts
from selfinstruct.mining.lengths import is_length, length_generator
from selfinstruct.mining.nested_ids import NestedIds
from selfinstruct.mining.number_bases import based_leaves
from selfinstruct.mining.number_generators import LEAST_PRIVATE_PORT, Generator
from selfinstruct.mining.number_roles import FIXED, field_role
from selfinstruct.mining.number_ties import NumberTies, is_quantity
from selfinstruct.mining.numerals import ascii_digits
from selfinstruct.mining.offsets import Offsets
from selfinstruct.mining.other_texts import OtherTexts
from selfinstruct.mining.questions import asking_paths, has_no_context, has_unexplained_answer, label_paths
from selfinstruct.mining.serial_numbers import DatedGenerator, begins_with_date, last_number, serial_generator
from selfinstruct.mining.tagged_words import TaggedWords
from selfinstruct.mining.text_template import MinedTemplates, mine_templates
from selfinstruct.mining.times import clock_step
from selfinstruct.mining.told_lengths import told_lists
from selfinstruct.mining.unique_fields import is_vote, unique_paths
from selfinstruct.mining.value_generators import value_generator
from selfinstruct.mining.vocabulary import Vocabulary
from selfinstruct.mining.world_facts import told_fields
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path, leaves
from selfinstruct.text import value_text
from selfinstruct.values.calendar_names import ranked_languages
from selfinstruct.values.written_times import (
    TimeStyle,
    has_clock,
    is_ambiguous,
    read_time,
    resolved,
    style_of,
)

# A value that never varies is a constant only if at least this many rows show it: fewer may agree by chance.
_LEAST_ROWS_OF_CONSTANT = 3
# The characters of an id that is found by itself in other texts of its row.
_LEAST_TELLING = 4
# Personal data vary even if the seeds name one person alone.
_PERSONAL = frozenset(("first-name", "surname", "email", "phone"))


class ValueStatistics:
    """The values that a set of rows shows, and the places whose values always agree.

    ``references`` maps a field to the field that it is grounded in or takes its identifiers from. Fields in
    ``fixed`` (a label) contain no values. The rows must not be modified while the statistics are in use.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        references: Mapping[str, str],
        *,
        fixed: Collection[str] = (),
        shaped: dict[str, list[Entity]] | None = None,
    ) -> None:
        self.rows = tuple(rows)
        #: The entities of a known form in each text of the rows, which statistics of the same rows share.
        self._shaped = {} if shaped is None else shaped
        self.vocabulary = Vocabulary()
        self._references = dict(references)
        self._referenced = frozenset(references.values())
        self._fixed = frozenset(fixed)
        self._own = set(map(id, self.rows))
        self._entities: dict[int, dict[Path, list[Entity]]] = {}
        self._texts: dict[int, dict[Path, str]] = {}
        self._masked: dict[tuple[int, Path], str] = {}
        self._told_fields: dict[tuple[str, ...], frozenset[str]] = {}
        self._generators: dict[tuple[str, str, str], Generator] = {}
        self._templates: dict[tuple[str, tuple[str, ...] | None], MinedTemplates] = {}

    def describes(self, rows: Sequence[Row], references: Mapping[str, str]) -> bool:
        """Whether these are the statistics of exactly these row objects, with these references and no fixed fields."""
        same_rows = len(rows) == len(self.rows) and all(map(is_, rows, self.rows))
        return same_rows and self._referenced == frozenset(references.values()) and not self._fixed

    def with_fixed(self, fixed: Collection[str]) -> ValueStatistics:
        """The statistics of the same rows with other fixed fields."""
        if self._fixed == frozenset(fixed):
            return self
        return ValueStatistics(self.rows, self._references, fixed=fixed, shaped=self._shaped)

    def of_some(self, rows: Sequence[Row]) -> ValueStatistics:
        """The statistics of some of the rows, with the same references and fixed fields."""
        return ValueStatistics(rows, self._references, fixed=self._fixed, shaped=self._shaped)

    def texts(self, row: Row) -> dict[Path, str]:
        """The text of each leaf that may contain values, see ``leaf_texts``."""
        if id(row) not in self._own:
            return leaf_texts(row, self._fixed)
        if id(row) not in self._texts:
            self._texts[id(row)] = leaf_texts(row, self._fixed)
        return self._texts[id(row)]

    def entities(self, row: Row) -> dict[Path, list[Entity]]:
        """The entities of each leaf, those of referenced fields first.

        Known shapes, and words: those that the vocabulary finds, and every other place of the row where one occurs.
        """
        if id(row) not in self._own:
            return self._find(row)
        if id(row) not in self._entities:
            self._entities[id(row)] = self._find(row)
        return self._entities[id(row)]

    def masked(self, row: Row, path: Path) -> str:
        """The text of one leaf with its entities masked, see ``masked_text``."""
        if id(row) not in self._own:
            return masked_text(self.texts(row)[path], self.entities(row)[path])
        if (id(row), path) not in self._masked:
            self._masked[id(row), path] = masked_text(self.texts(row)[path], self.entities(row)[path])
        return self._masked[id(row), path]

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
            values = [self.words(row, (name,)) if isinstance(row.get(name), str) else [] for row in self.rows]
            self._templates[key] = mine_templates(texts, contexts, values)
        return self._templates[key]

    def words(self, row: Row, path: Path) -> list[tuple[int, int]]:
        """The [start, end) of one leaf's values that are words, without those that never vary."""
        found = [entity for entity in self.entities(row).get(path, ()) if not any(map(str.isdigit, entity.text))]
        return [(entity.start, entity.end) for entity in found if not self.is_constant(entity)]

    def seen(self, entity: Entity) -> list[str]:
        """All values of the same kind in the same place as the entity, its own among them."""
        return self._seen.get((entity.kind, entity.key, entity.unit), [entity.text])

    def is_constant(self, entity: Entity) -> bool:
        """Whether the rows show no other value in the entity's place."""
        if entity.kind == "time":
            return is_ambiguous(entity.format)
        if entity.kind in _PERSONAL or entity.kind in ("id", "weekday", "derived", "checked"):
            return False
        count, varies = self._variety.get((entity.kind, entity.key, entity.unit), (1, False))
        return not varies and (entity.is_name or count >= _LEAST_ROWS_OF_CONSTANT)

    @cached_property
    def evidence(self) -> Evidence:
        """The evidence in the rows of which equal values are one."""
        found = [self.entities(row) for row in self.rows]
        masked = [{path: self.masked(row, path) for path in each} for row, each in zip(self.rows, found, strict=True)]
        return Evidence([self.texts(row) for row in self.rows], found, masked)

    @cached_property
    def ties(self) -> NumberTies:
        """What the rows show about how the numbers of each row depend on each other."""
        return NumberTies([self.entities(row) for row in self.rows], self.evidence)

    def refers(self, path: Path, other: Path) -> bool:
        """Whether the field of ``path`` is grounded in that of ``other`` or takes its identifiers from it."""
        return self._references.get(str(path[0])) == other[0]

    @cached_property
    def offsets(self) -> Offsets:
        """The numbers that are places in a text."""
        return Offsets(self.rows)

    @cached_property
    def bands(self) -> Bands:
        """The numbers that decide a label."""
        return Bands(self.rows, [self._quantities(row) for row in self.rows])

    @cached_property
    def based(self) -> dict[Path, tuple[Path, int, str]]:
        """The leaves that are the number of another one in another base, see ``number_bases``."""
        return based_leaves([self.texts(row) for row in self.rows])

    @cached_property
    def tagged(self) -> TaggedWords:
        """The fields of words with tags."""
        return TaggedWords(self.rows)

    def continues(self, row: Row, path: Path, entity: Entity) -> bool:
        """Whether a value is part of a name of several words, as the tags of its field show."""
        at = path[1] if len(path) > 1 else len(self.texts(row)[path][: entity.start].split())
        return isinstance(at, int) and self.tagged.continues(row, str(path[0]), at)

    def keeps_dates(self, entity: Entity) -> bool:
        """Whether the new values in a code's place keep the date that it begins with."""
        return entity.kind in ("id", "number") and all(
            begins_with_date(value[slice(*last_number(value))]) for value in self.seen(entity)
        )

    def tells_facts(self, row: Row) -> frozenset[str]:
        """The fields of a row whose values stay: they tell a fact of the world, or another field has their initials."""
        names = tuple(row)
        if names not in self._told_fields:
            self._told_fields[names] = told_fields(row) | fields_of_initials(self.rows)
        return self._told_fields[names]

    def _quantities(self, row: Row) -> dict[Hashable, str]:
        """The numbers in texts of a row that may decide something, by their places; those of one number only."""
        found = [each for entities in self.entities(row).values() for each in entities]
        numbers = [each for each in found if not each.is_whole and is_quantity(each)]
        counts = Counter(map(place_of, numbers))
        return {place_of(each): ascii_digits(each.text) for each in numbers if counts[place_of(each)] == 1}

    def is_alone(self, name: str) -> bool:
        """Whether no leaf outside the field depends on its text: all others are labels, ids, or no values."""
        _, labels = self._asking
        if len(self.rows) < _LEAST_ROWS_OF_CONSTANT:
            labels = frozenset()
        others = {path for row in self.rows for path, value in leaves(row).items() if path[0] != name and value != ""}
        return all(any_position(path) in labels or path in self.unique or path[0] in self._fixed for path in others)

    def asks_unexplained(self, row: Row) -> bool:
        """Whether the row's question has an answer that is not in its text, see ``questions``."""
        asking, labels = self._asking
        known = labels | self.unique | self.offsets.paths
        return bool(asking) and has_unexplained_answer(leaves(row), self.texts(row), asking, known)

    def asks_alone(self, row: Row) -> bool:
        """Whether the row is a question and an answer without a text that explains it, see ``questions``."""
        asking, labels = self._asking
        return bool(asking) and has_no_context(self.texts(row), asking, labels | self.unique | self.offsets.paths)

    @cached_property
    def _asking(self) -> tuple[frozenset[Path], frozenset[Path]]:
        texts = [self.texts(row) for row in self.rows]
        return asking_paths(texts), label_paths(texts)

    def list_lengths(self, row: Row) -> frozenset[str]:
        """The lengths of the row's lists that its texts state (an order of 3 items), which do not vary."""
        told = self._told_lists
        return frozenset(str(len(value)) for name, value in row.items() if name in told and isinstance(value, list))

    @cached_property
    def _told_lists(self) -> frozenset[str]:
        return told_lists(self.rows, [self.texts(row) for row in self.rows])

    @cached_property
    def nested_ids(self) -> NestedIds:
        """The ids inside lists, and the leaves that refer to them."""
        return NestedIds(self.rows, self._fixed)

    @cached_property
    def unique(self) -> frozenset[Path]:
        """The paths of leaves that are unique by construction, such as an id."""
        return unique_paths(self.rows, self._fixed)

    def generator(self, entity: Entity, salt: int) -> Generator:
        """The generator of new values for an entity's place; ``salt`` scatters its sequence."""
        place = entity.kind, entity.key, entity.unit
        salt = crc32(f"{salt} {entity.kind} {entity.key}".encode())
        if entity.kind == "checked":
            return CheckedGenerator(entity.text, entity.format)
        if entity.kind == "duration":
            return length_generator(entity.text, self.seen(entity), salt)
        if entity.kind == "id":
            return serial_generator(entity.text, self.seen(entity))
        if entity.kind == "number" and all(map(begins_with_date, self.seen(entity))):
            return DatedGenerator(entity.text)
        if entity.role in FIXED or (entity.kind == "port" and int(entity.text) < LEAST_PRIVATE_PORT):
            return ConstantGenerator(entity.text)
        if place not in self._seen:
            return as_written(value_generator(entity, self.seen(entity), salt, self.vocabulary), entity.text)
        if place not in self._generators:
            self._generators[place] = value_generator(entity, self.seen(entity), 0, self.vocabulary)
        return as_written(salted(self._generators[place], salt), entity.text)

    def _find(self, row: Row) -> dict[Path, list[Entity]]:
        texts = self.texts(row)
        own = id(row) in self._own
        entities: dict[Path, list[Entity]] = {}
        ids = {path: self._id(path, texts[path]) for path in self.unique if path in texts}
        for path, text in texts.items():
            if (of := self.nested_ids.id_of(path)) is not None and path not in ids:
                ids[path] = self._id(of, text)
        known = {each.text: each for each in ids.values() if _is_telling(each.text)}
        counts = Counter(texts.values())
        for path in sorted(texts, key=lambda path: path[0] not in self._referenced):
            if path in ids:
                entities[path] = [ids[path]]
                continue
            if self.nested_ids.is_kept(path):
                entities[path] = []
                continue
            text = texts[path]
            others = OtherTexts(counts, text)
            found = self._shapes(text) if own else find_entities(text)
            shaped = [self._placed(entity, path, text) for entity in found]
            checked = self._checked.find(path, text)
            shaped = sorted([*outside(shaped, checked), *checked], key=lambda entity: entity.start)
            words = self.vocabulary.find(text, others, shaped, known)
            known.update((entity.text, entity) for entity in words)
            # A name may contain a number (Windows 11), which is not a value of its own then.
            entities[path] = sorted([*outside(shaped, words), *words], key=lambda entity: entity.start)
        return with_weekdays(texts, with_derived(texts, entities))

    def _shapes(self, text: str) -> list[Entity]:
        if text not in self._shaped:
            self._shaped[text] = find_entities(text)
        return self._shaped[text]

    def _id(self, path: Path, text: str) -> Entity:
        return Entity(0, len(text), "id", text, _leaf_key(path), is_whole=True)

    def _placed(self, entity: Entity, path: Path, text: str) -> Entity:
        """The entity with what its leaf shows: a key where no word stands before it, and the order of its date."""
        if entity.kind == "time" and is_length(str(path[-1]), text[: entity.start], entity.format):
            entity = replace(entity, kind="duration", key=entity.key or _leaf_key(path), format="")
        if is_ambiguous(entity.format) and self.time_style.day_first is not None:
            return replace(entity, format=resolved(entity.format, self.time_style.day_first))
        whole = entity.end - entity.start == len(text) and (entity.kind != "number" or is_plain_number(text))
        if entity.key == "" and entity.start == 0 and entity.kind != "time":
            name = (
                "" if is_vote(path, self.rows) else str(next(step for step in reversed(path) if isinstance(step, str)))
            )
            role = entity.role or field_role(name)
            return replace(entity, key=_leaf_key(path), is_whole=whole, role=role)
        return entity

    @cached_property
    def _checked(self) -> CheckedNumbers:
        return CheckedNumbers(list(map(self.texts, self.rows)))

    @cached_property
    def time_style(self) -> TimeStyle:
        """How the rows write dates and times."""
        return style_of(self._times, ranked_languages(text for row in self.rows for text in self.texts(row).values()))

    @cached_property
    def clock_step(self) -> int:
        """The step of the rows' times of day, in seconds."""
        first = self.time_style.day_first is True
        moments = (read_time(text, resolved(form, first)) for text, form in self._times if has_clock(form))
        return clock_step(each.hour * 3600 + each.minute * 60 + each.second for each in moments if each is not None)

    @cached_property
    def _times(self) -> list[tuple[str, str]]:
        """The rows' dates and times, each with its form."""
        texts = (text for row in self.rows for text in self.texts(row).values())
        return [(each.text, each.format) for text in texts for each in self._shapes(text) if each.kind == "time"]

    @cached_property
    def _seen(self) -> dict[tuple[str, str, str], list[str]]:
        """Values by kind, key and unit."""
        seen: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for row in self.rows:
            found = self.entities(row)
            # Once per row: a value that occurs in two fields has not been seen twice.
            shown = {(each.kind, each.key, each.unit, each.text): None for field in found.values() for each in field}
            for kind, key, unit, text in shown:
                seen[kind, key, unit].append(text)
        return dict(seen)

    @cached_property
    def _variety(self) -> dict[tuple[str, str, str], tuple[int, bool]]:
        """For each kind, key and unit the number of values, and whether they differ."""
        return {place: (len(values), len(set(values)) > 1) for place, values in self._seen.items()}


def _leaf_key(path: Path) -> str:
    """The key of a value that begins a leaf: the leaf's own name."""
    return f"{any_position(path)}"


def _is_telling(text: str) -> bool:
    """Whether an id is found by itself in other texts: not by a short one, and not by digits alone."""
    return len(text) >= _LEAST_TELLING and not text.isdecimal()
