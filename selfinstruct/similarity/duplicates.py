"""The index of exact duplicates: finds the row with the same question, and whether its answer is the same.

Does not handle: near-duplicates (see ``exact_index``), removing rows. Values are equal if their JSON is equal:
1, 1.0, true and "1" are four values; the order of keys in objects does not matter. Texts are
compared by their canonical forms. The values of unique fields (an id) are ignored.

>>> index = DuplicateIndex(["Question", "RawLog"])
>>> index.add({"Question": "Is it found?", "Answer": "not", "RawLog": "rdd_1 not found"})
0
>>> index.find({"Question": "Is it found?", "Answer": "found", "RawLog": "rdd_1 not found"})
(0, False)
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b

from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.similarity.digests import Digests
from selfinstruct.text import canonical

# ASCII output, so that a lone surrogate can be hashed.
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_QUESTION_BYTES = 16  # as in Digests; by the birthday bound, one false match is expected in about 10**19 rows.
_ANSWER_BYTES = 8  # compared only between rows with the same question


def answer_fields(recipe: Recipe) -> tuple[str, ...]:
    """The fields that the other fields determine: grounded ones, the label, and those with ``answer = true``."""
    label = recipe.categories.field if recipe.categories.by == "field" else None
    return tuple(
        name for name, field in recipe.fields.items() if field.answer or field.appears_in is not None or name == label
    )


def unique_field_names(recipe: Recipe) -> tuple[str, ...]:
    """The fields whose values all differ (ids) and never make a row new."""
    return tuple(name for name, field in recipe.fields.items() if field.unique)


def question_fields(recipe: Recipe) -> tuple[str, ...]:
    """The other fields but unique ones: rows that agree in all of them have the same question about the same context.

    All fields but unique ones if every field is an answer, or none is.
    """
    answers, fields = answer_fields(recipe), recipe.fields
    named = [name for name in fields if not fields[name].unique]
    return tuple(name for name in named if name not in answers) or tuple(named or fields)


def is_open(row: Row, question: Collection[str]) -> bool:
    """Whether a question field of a row is empty: a task without input may have many right answers."""
    return any(row.get(name) == "" for name in question)


class DuplicateIndex:
    """An incremental index of rows by question and answer."""

    def __init__(self, question: Collection[str], *, ignored: Collection[str] = ()) -> None:
        """Index rows whose fields in ``question`` are the question, and all others but those ``ignored`` the answer."""
        self._question = tuple(question)
        self._outside_answer = frozenset((*question, *ignored))
        self._first = Digests()
        self._others: dict[bytes, list[int]] = {}
        self._answers = array("Q")
        self._last: tuple[Row, tuple[bytes, int]] | None = None

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._answers)

    def add(self, row: Row) -> int:
        """Add one row and return its number, counting from 0."""
        number = len(self._answers)
        question, answer = self._keys(row)
        if self._first.add(question, number) != number:
            self._others.setdefault(question, []).append(number)
        self._answers.append(answer)
        return number

    def find(self, row: Row) -> tuple[int, bool] | None:
        """Return the row with the same question, and whether its answer is the same too; None if there is none.

        Of several, the first with the same answer, else the first.
        """
        question, answer = self._keys(row)
        first = self._first.find(question)
        if first is None:
            return None
        for number in (first, *self._others.get(question, ())):
            if self._answers[number] == answer:
                return number, True
        return first, False

    def _keys(self, row: Row) -> tuple[bytes, int]:
        """The digests of a row's question and answer; the last are kept: a row is often added after a search."""
        if self._last is None or self._last[0] is not row:
            self._last = row, self.digests(row)
        return self._last[1]

    def digests(self, row: Row) -> tuple[bytes, int]:
        """The digests of a row's question and answer."""
        question = [row.get(name) for name in self._question]
        answer = {name: value for name, value in row.items() if name not in self._outside_answer}
        return value_digest(question, _QUESTION_BYTES), int.from_bytes(value_digest(answer, _ANSWER_BYTES))


class UniqueValues:
    """The values of the unique fields of rows, each with the number of the first row that has it, from 0."""

    def __init__(self, names: Collection[str]) -> None:
        self._values = {name: Digests() for name in names}

    def add(self, row: Row, number: int) -> None:
        """Add the values of one row."""
        for name, values in self._values.items():
            if row.get(name) is not None:
                values.add(value_key(row[name]), number)

    def find(self, row: Row) -> tuple[str, int] | None:
        """Return the first field whose value another row has, and the number of that row."""
        for name, values in self._values.items():
            number = values.find(value_key(row.get(name)))
            if number is not None:
                return name, number
        return None


def value_key(value: object) -> bytes:
    """What identifies a value among those of a unique field."""
    return value_digest([value], _QUESTION_BYTES)


def value_digest(value: Sequence[object] | Row, size: int) -> bytes:
    """Return a digest of ``size`` bytes of a JSON value; the same text in another form has the same one."""
    text = _JSON.encode(value)
    if "\\u" in text:  # not ASCII
        text = _JSON.encode(_canonical(value))
    return blake2b(text.encode("ascii"), digest_size=size).digest()


def _canonical(value: object) -> object:
    """A JSON value with all its texts in canonical form; keys are names, and stay as they are."""
    if isinstance(value, str):
        return canonical(value)
    if isinstance(value, Mapping):
        return {key: _canonical(each) for key, each in value.items()}
    return [_canonical(each) for each in value] if isinstance(value, list | tuple) else value
