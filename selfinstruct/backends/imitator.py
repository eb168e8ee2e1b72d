"""The embedded imitator: writes new rows from demonstrations, without a model, key or network.

It does by rule what a chat model is asked to do with the same demonstrations: find the values, and replace them
consistently over the row's fields. It implements the same protocol as a model, so its rows pass the same parsing and
checks.

Three things vary: the values; the log that a question is about (a question is crossed with other seeds' logs if they
differ only in words that also differ between its own seeds' logs); and, in prose, the row that each sentence is taken
from and its interchangeable phrases.

Does not handle: new wordings of a template, or facts: a rewritten passage is consistent with itself only.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from random import Random
from zlib import crc32

from selfinstruct.backends.dependent_values import dependents
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining import (
    MinedTemplates,
    Prose,
    RowTemplate,
    TextTemplate,
    ValueStatistics,
    compose_text,
    labels_follow_polarity,
    mine_templates,
    row_template,
    shared_endings,
    split_prose,
)
from selfinstruct.mining.entities import Entity
from selfinstruct.mining.id_sequence import IdSequence
from selfinstruct.mining.leaf_texts import with_texts
from selfinstruct.recipe import Relation
from selfinstruct.records import Reply, Request, Row
from selfinstruct.rows.leaves import Path, path_text
from selfinstruct.text import find_span, tokens

# More crossings of one question add logs, but no variety.
_MOST_CROSSINGS = 24
# How often a row is drawn before it is given up, and how far apart in the sequences of values.
_MOST_DRAWS = 8
_STRIDE = 7
# A text that asks about another one has a question mark or at least this many words.
_LEAST_ASKING = 4
_ASKS = re.compile("[?？؟]")


class Imitator:
    """A Backend that rewrites the demonstrations it is given.

    ``statistics`` are those of the seed rows; ranges, kinds and constants of values in them apply to every batch.
    ``references`` maps each field that is grounded in another or takes identifiers from it to that field. Sentences
    of the fields in ``mixed`` may be mixed within a category if no other field depends on them. ``seed`` scatters the
    values; no batch asks for more than ``most_rows`` rows. Rows satisfy ``relations``, and each of them gets another
    value of the ``unique`` fields.
    """

    name = "imitator"
    reads_messages = False

    def __init__(
        self,
        statistics: ValueStatistics,
        references: Mapping[str, str],
        *,
        mixed: Collection[str] = (),
        seed: int = 0,
        most_rows: int = 20,
        unique: Collection[str] = (),
        relations: Sequence[Relation] = (),
    ) -> None:
        self._statistics = statistics
        self._source = next(iter(references.values()), None)
        self._mixed = frozenset(name for name in mixed if statistics.is_alone(name))
        self._weighed = frozenset(name for name in self._mixed if labels_follow_polarity(statistics.rows, name))
        self._shared = {name: shared_endings(statistics.rows, name, unique) for name in self._mixed}
        self._seed = seed
        self._most_rows = most_rows
        self._dependents = dependents(relations, statistics.rows)
        self._seeds = {_key(row): row for row in statistics.rows}
        self._row_templates: dict[str, list[RowTemplate]] = {}
        self._proses: dict[tuple[str, str], Prose] = {}
        self._ids = {
            name: IdSequence([row[name] for row in statistics.rows])
            for name in unique
            if statistics.rows and (name,) not in statistics.unique
        }
        self._asking = ""
        self._groups = self._group_questions()

    async def complete(self, request: Request) -> Reply:
        """Answer with ``request.batch.count`` rows as ``{"rows": [...]}``; costs no tokens."""
        batch = request.batch
        serial = (batch.number - 1) * max(self._most_rows, batch.count)
        rows = self.imitate(request.demos, batch.count, batch.requested_before, Random(request.seed), serial)
        text = json.dumps({"rows": rows}, ensure_ascii=False)
        return Reply(text=text, model=self.name)

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""

    def imitate(
        self, demos: Sequence[Row], count: int, place: int, rng: Random, serial: int | None = None
    ) -> list[Row]:
        """Return ``count`` new rows like ``demos``, or fewer where values that must differ cannot be drawn.

        Grown rows among the demos are skipped if there are seeds: imitations of imitations drift. ``place`` is the
        number of rows of this category requested before, so that sequences of values continue; ``serial`` that of rows
        of any category, for identifiers that are unique over all rows.
        """
        bases = [seed for row in demos if (seed := self._seeds.get(_key(row))) is not None] or list(demos)
        templates = [each for row in bases for each in self._templates_of(row)]
        fields = [name for name in self._mixed if all(isinstance(row.get(name), str) for row in bases)]
        first = place if serial is None else serial
        rows = []
        for at in range(place, place + count):
            row = self._draw(templates, at, rng, first + at - place)
            if row is None:
                continue
            for name in fields if not any(template.tied.computed for template in templates) else ():
                row[name] = compose_text([self._prose_of(base, name) for base in bases], at, rng)
            rows.append(row)
        if self._ids:
            start = 1000 * rng.randrange(1000) if serial is None else serial
            for at, row in enumerate(rows, start):
                row.update({name: ids.draw(at, row.get(name)) for name, ids in self._ids.items()})
        return rows

    def not_understood(self) -> str:
        """Say which field seems to be computed by an unknown rule, so that it is kept; "" for none."""
        found = self._statistics.ties.not_understood
        if not found:
            return ""
        names = [repr(path_text(path)) for path in found[0].operands]
        others = joined(names[:-1])
        listed = Phrase("{others} and {last}", others=others, last=names[-1]) if others else names[-1]
        target = path_text(found[0].target)
        return Phrase("{target!r} looks computed from {fields}, but no rule was found", target=target, fields=listed)

    def _draw(self, templates: Sequence[RowTemplate], place: int, rng: Random, serial: int) -> Row | None:
        """A new row of one of the templates, or else a copy of a seed; None if no draw keeps apart what differs."""
        copied: Row | None = None
        for turn in range(_MOST_DRAWS):
            template = rng.choice(templates)
            values = template.draw(place + turn * _STRIDE, rng, serial)
            if values is None:
                continue
            row = self._dependents.row(template, values)
            if row is None:
                continue
            if not template.is_copy(values):
                return row
            copied = template.row  # new ids alone make no new row
        return None if copied is None else dict(copied)

    def _templates_of(self, row: Row) -> list[RowTemplate]:
        """The templates of a row and of its crossings with other seeds' logs."""
        key = _key(row)
        if key not in self._row_templates:
            group = self._groups.get(key)
            variants = [row, *self._crossings(row, group)]
            first = group.rows[0] if group is not None else row
            salt = crc32(f"{self._seed} {_key(first)}".encode())
            self._row_templates[key] = [row_template(variant, self._statistics, salt) for variant in variants]
        return self._row_templates[key]

    def _prose_of(self, row: Row, name: str) -> Prose:
        key = _key(row), name
        if key not in self._proses:
            whole = self._templates_of(row)[0]
            self._proses[key] = split_prose(
                whole.fields.get((name,), (row[name],)),
                whole,
                weighed=name in self._weighed,
                shared=self._shared.get(name, ()),
            )
        return self._proses[key]

    def _group_questions(self) -> dict[str, _Group]:
        """For each seed, the seeds whose questions have the same template; empty if no field asks about another."""
        rows = self._statistics.rows
        asking = [name for name in (rows[0] if rows else {}) if name not in (self._source, *self._mixed)]
        asking = [name for name in asking if all(isinstance(row.get(name), str) for row in rows)]
        if self._source is None or not asking:
            return {}
        self._asking = asking[0]
        mined = self._statistics.templates(asking[0], [name for name in rows[0] if name != asking[0]])
        groups: dict[int, list[Row]] = defaultdict(list)
        for index, row in zip(mined.of, rows, strict=True):
            groups[index].append(row)
        made = {index: _Group(members) for index, members in groups.items()}
        return {_key(row): made[index] for index, row in zip(mined.of, rows, strict=True)}

    def _crossings(self, row: Row, group: _Group | None) -> list[Row]:
        """The row's question asked about the logs of seeds with other questions.

        Only logs that differ from the row's where the logs of its own group differ among themselves will do.
        """
        name = self._source or ""
        if not isinstance(row.get(name), str):
            return []
        group = group or _Group([row])
        ours = self._statistics.entities(row)[name,]
        kinds = [entity.kind for entity in ours]
        template = group.template(row, name, self._statistics)
        slots = template.match(self._statistics.masked(row, (name,)))
        crossed: list[Row] = []
        if slots is None:
            return []
        for other in self._foreign(group, template, name):
            theirs = self._statistics.entities(other)[name,]
            words = template.match(self._statistics.masked(other, (name,)))
            if words is None or kinds != [entity.kind for entity in theirs]:
                continue
            pairs = [(a.text, b.text) for a, b in zip(ours, theirs, strict=True)]
            hybrid = self._hybrid(row, other, name, pairs, dict(zip(slots, words, strict=True)))
            if hybrid is not None:
                crossed.append(hybrid)
            if len(crossed) == _MOST_CROSSINGS:
                break
        return crossed

    def _foreign(self, group: _Group, template: TextTemplate, name: str) -> list[Row]:
        """The seeds outside a group whose ``name`` field has this template."""
        if template not in group.foreign:
            group.foreign[template] = [
                other
                for other in self._statistics.rows
                if template.match(self._statistics.masked(other, (name,))) is not None and other not in group
            ]
        return group.foreign[template]

    def _hybrid(
        self, row: Row, other: Row, name: str, pairs: Sequence[tuple[str, str]], words: Mapping[str, str]
    ) -> Row | None:
        """``row`` with the ``name`` field of ``other`` and its other fields' values adapted, or None."""
        values = dict(pairs)
        if any(values[own] != theirs for own, theirs in pairs):
            return None
        hybrid = {**row, name: other[name]}
        own_texts, changed = self._statistics.texts(row), {}
        for path, entities in self._statistics.entities(row).items():
            if path == (name,):
                continue
            own = own_texts[path]
            text = words.get(own)
            if text is None:
                text, at = "", 0
                for entity in entities:
                    if entity.text not in values and not self._is_kept(entity, own, other[name]):
                        return None
                    text += own[at : entity.start] + values.get(entity.text, entity.text)
                    at = entity.end
                text += own[at:]
            if find_span(own, row[name]) is not None and find_span(text, other[name]) is None:
                return None
            if own.isdigit() and not text.isdigit():
                return None
            if text == own and not self._suits(path, row, other):
                return None
            changed[path] = text
        if not self._asks_alike(row, hybrid := with_texts(hybrid, changed)):
            return None
        return hybrid

    def _is_kept(self, entity: Entity, text: str, context: str) -> bool:
        """Whether a value of another field that the row's own context does not contain suits another context."""
        return self._statistics.is_constant(entity) or find_span(entity.text, context) is not None

    def _suits(self, path: Path, row: Row, other: Row) -> bool:
        """Whether a text that stays suits another context: the question, or what both rows say or find in theirs."""
        own, source = self._statistics.texts(row)[path], self._source or ""
        if path == (self._asking,) or path in self._statistics.unique or self._statistics.texts(other).get(path) == own:
            return True
        return find_span(own, row[source]) is not None

    def _asks_alike(self, row: Row, hybrid: Row) -> bool:
        """Whether each slot of the question that its own context contains is also found in the new one."""
        name, source = self._asking, self._source or ""
        if not isinstance(row.get(name), str) or not isinstance(row.get(source), str):
            return False  # no text of the row asks about another
        if not _ASKS.search(row[name]) and len(tokens(row[name])) < _LEAST_ASKING:
            return False  # a name is no question
        mined = self._statistics.templates(name, [other for other in row if other != name])
        fitting = [
            (ours, theirs)
            for template in mined.templates
            if (ours := template.match(row[name])) is not None and (theirs := template.match(hybrid[name])) is not None
        ]
        return bool(fitting) and all(
            find_span(own, row[source]) is None or find_span(new, hybrid[source]) is not None
            for own, new in zip(*fitting[0], strict=True)
        )


class _Group:
    """Seeds whose questions have the same template."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._positions = {_key(row): position for position, row in reversed(list(enumerate(rows)))}
        self.foreign: dict[TextTemplate, list[Row]] = {}
        self._mined: MinedTemplates | None = None

    def __contains__(self, row: Row) -> bool:
        return _key(row) in self._positions

    def template(self, row: Row, name: str, statistics: ValueStatistics) -> TextTemplate:
        """The template of the row's ``name`` field among the masked texts of the group."""
        if self._mined is None:
            self._mined = mine_templates([statistics.masked(each, (name,)) for each in self.rows])
        return self._mined.templates[self._mined.of[self._positions[_key(row)]]]


def _key(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True)
