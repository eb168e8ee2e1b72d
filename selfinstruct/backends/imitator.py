"""The embedded imitator: writes new rows from demonstrations alone, with no model, key or network.

It does by rule what a chat model is asked to do with the same demonstrations: find what may be replaced,
replace it, and keep it the same over the row's fields. It answers through the same protocol as a model, so
its rows pass the same parse and the same checks.

Three things vary: values (``frames``, ``domains``), which log a question is asked about (a question is
crossed with other seeds' logs where its own seeds show that the words they differ in are free), and, in prose,
which row of the category each sentence comes from and which of a few interchangeable phrases it uses.

Does not handle: new wordings of a template, or facts about the world. A passage that it has rewritten is true
to itself and to nothing else.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from random import Random
from zlib import crc32

from selfinstruct.mining.row_template import RowTemplate, ValueStatistics, masked_text, row_template
from selfinstruct.mining.sentences import Prose, compose_text, split_prose
from selfinstruct.mining.text_template import mine_templates
from selfinstruct.records import Reply, Request, Row
from selfinstruct.text import find_span

# More crossings of one question than this add logs, not variety.
_MOST_CROSSINGS = 24


class Imitator:
    """A Backend that rewrites the demonstrations it is given.

    ``rows`` are the seeds: what they show together about values (ranges, kinds, constants) serves for every
    batch. ``contexts`` maps each field that refers to another (by grounding or identifiers) to that field;
    ``mixed`` names the fields whose sentences may be mixed within a category; ``fixed`` ones (a label) stay.
    ``seed`` scatters the values.
    """

    name = "imitator"
    reads_messages = False

    def __init__(
        self,
        rows: Sequence[Row],
        contexts: Mapping[str, str],
        *,
        mixed: Collection[str] = (),
        fixed: Collection[str] = (),
        seed: int = 0,
    ) -> None:
        self._rows = list(rows)
        self._contexts = dict(contexts)
        self._mixed = frozenset(mixed)
        self._seed = seed
        self._knowledge = ValueStatistics(self._rows, self._contexts, fixed=fixed)
        self._known = {_key(row) for row in self._rows}
        self._frames: dict[str, list[RowTemplate]] = {}
        self._proses: dict[tuple[str, str], Prose] = {}
        self._kin = self._kinds_of_question()

    async def complete(self, request: Request) -> Reply:
        """Answer with ``request.batch.count`` rows as ``{"rows": [...]}``; costs no tokens."""
        rows = self.imitate(request.demos, request.batch.count, request.batch.asked, Random(request.seed))
        text = json.dumps({"rows": rows}, ensure_ascii=False)
        return Reply(text=text, model=self.name)

    async def close(self) -> None:
        """Nothing to let go of."""

    def imitate(self, demos: Sequence[Row], count: int, place: int, rng: Random) -> list[Row]:
        """``count`` new rows in the manner of ``demos``.

        Grown rows among the demos are passed over while there are seeds: imitations of imitations drift.
        ``place`` is how many rows of this kind were asked for before, so that values go on where they stopped.
        """
        bases = [row for row in demos if _key(row) in self._known] or list(demos)
        frames = [each for row in bases for each in self._frames_of(row)]
        fields = [name for name in self._mixed if all(isinstance(row.get(name), str) for row in bases)]
        rows = []
        for at in range(place, place + count):
            row = rng.choice(frames).render(at, rng)
            for name in fields:
                row[name] = compose_text([self._prose_of(base, name) for base in bases], at, rng)
            rows.append(row)
        return rows

    def _frames_of(self, row: Row) -> list[RowTemplate]:
        key = _key(row)
        if key not in self._frames:
            variants = [row, *self._crossings(row)]
            salt = crc32(f"{self._seed} {_key(self._kin.get(key, [row])[0])}".encode())
            self._frames[key] = [row_template(variant, self._knowledge, salt) for variant in variants]
        return self._frames[key]

    def _prose_of(self, row: Row, name: str) -> Prose:
        key = _key(row), name
        if key not in self._proses:
            whole = self._frames_of(row)[0]
            self._proses[key] = split_prose(whole.fields[name], whole.domains)
        return self._proses[key]

    def _kinds_of_question(self) -> dict[str, list[Row]]:
        """For each row, the rows that ask the same kind of question (its own among them)."""
        context = next(iter(self._contexts.values()), None)
        asking = [name for name in (self._rows[0] if self._rows else {}) if name not in (context, *self._mixed)]
        asking = [n for n in asking if all(isinstance(row.get(n), str) for row in self._rows)]
        if context is None or not asking:
            return {}
        others = [[str(row[name]) for name in row if name != asking[0]] for row in self._rows]
        values = [self._knowledge.words(row, asking[0]) for row in self._rows]
        mined = mine_templates([row[asking[0]] for row in self._rows], others, values)
        groups: dict[int, list[Row]] = defaultdict(list)
        for index, row in zip(mined.of, self._rows, strict=True):
            groups[index].append(row)
        return {_key(row): groups[index] for index, row in zip(mined.of, self._rows, strict=True)}

    def _crossings(self, row: Row) -> list[Row]:
        """The row's question asked about other seeds' logs, where its kin show that their words may differ."""
        kin = self._kin.get(_key(row), [row])
        name = next(iter(self._contexts.values()), "")
        if not isinstance(row.get(name), str):
            return []
        ours = self._knowledge.atoms(row)[name]
        wording = masked_text(row[name], ours)
        alike = [masked_text(other[name], self._knowledge.atoms(other)[name]) for other in kin]
        mined = mine_templates(alike)
        template = mined.templates[mined.of[kin.index(row)]]
        slots = template.match(wording)
        crossed = []
        for other in self._rows:
            theirs = self._knowledge.atoms(other)[name]
            words = template.match(masked_text(other[name], theirs))
            if slots is None or words is None or other in kin:
                continue
            if [atom.kind for atom in ours] != [atom.kind for atom in theirs]:
                continue
            pairs = [(a.text, b.text) for a, b in zip(ours, theirs, strict=True)]
            hybrid = self._hybrid(row, other, name, pairs, dict(zip(slots, words, strict=True)))
            if hybrid is not None:
                crossed.append(hybrid)
        return crossed[:_MOST_CROSSINGS]

    def _hybrid(
        self, row: Row, other: Row, name: str, pairs: Sequence[tuple[str, str]], words: Mapping[str, str]
    ) -> Row | None:
        """``row`` with its ``name`` field from ``other`` and its other fields' values to match, or None."""
        values = dict(pairs)
        if any(values[mine_] != theirs for mine_, theirs in pairs):
            return None
        hybrid = dict(row)
        hybrid[name] = other[name]
        for field, atoms in self._knowledge.atoms(row).items():
            if field == name:
                continue
            text = words.get(row[field])
            if text is None:
                text, at = "", 0
                for atom in atoms:
                    text += row[field][at : atom.start] + values.get(atom.text, atom.text)
                    at = atom.end
                text += row[field][at:]
            hybrid[field] = text
            grounded = find_span(row[field], row[name]) is not None
            if grounded and find_span(text, hybrid[name]) is None:
                return None
        return hybrid


def _key(row: Row) -> str:
    return json.dumps(row, ensure_ascii=True)
