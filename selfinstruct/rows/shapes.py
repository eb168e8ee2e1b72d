"""One JSON object that contains many rows, as tools write them, taken apart into its rows.

    {"version": 1, "data": [{"a": 1}, ...]}        -> the objects of the list
    {"data": [{"paragraphs": [{"qas": ...}]}]}     -> SQuAD: one row for each question
    {"q1": {"a": 1}, "q2": {"a": 2}}               -> rows by key; the key becomes the field ``id``
    {"a": [1, 2], "b": [3, 4]}                     -> columns, as lists or as pandas writes them by default
    {"columns": ["a"], "index": [0], "data": [[1]]}  -> pandas, orient="split"

An object that may be one row stays one row: a chat, an annotated text, lists of unequal lengths.

Does not handle: values inside rows, which stay as they are.

>>> shape = find_shape({"data": [{"a": 1}, {"a": 2}]})
>>> [row for _, row in shape.rows], shape.note
([{'a': 1}, {'a': 2}], 'read the list `data` of one object: 2 rows')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from selfinstruct.errors import RowError
from selfinstruct.messages import Phrase, joined
from selfinstruct.records import JSON, Row

_LISTS = {
    *("data", "rows", "records", "items", "examples", "samples", "instances", "entries", "results", "dataset"),
    *("documents", "questions", "annotations", "train", "training", "test", "validation", "valid", "dev", "eval"),
}
_METADATA = {
    "version",
    "info",
    "license",
    "licence",
    "description",
    "name",
    "title",
    "url",
    "meta",
    "metadata",
    "schema",
}
_ONE_ROW = {"messages", "conversations", "tokens", "words"}  # a chat; a text and its tags
_PROSE = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """The rows of one object, each with its place (positions among the members, from the object inwards).

    ``note`` is a line for the user; ``jq`` is the filter that writes the same rows, one per line.
    """

    rows: Sequence[tuple[tuple[int, ...], Row]]
    note: str
    jq: str


def find_shape(value: Row) -> Shape | None:
    """Return the rows that an object contains; None if it is one row itself.

    Raises:
        RowError: for a place "" if the object has several lists of rows.
    """
    if not value or _ONE_ROW & value.keys():
        return None
    return _split(value) or _list(value) or _by_key(value) or _columns(value)


def squad_rows(article: Row) -> Iterator[tuple[tuple[int, ...], Row]] | None:
    """Yield a row for each question of an article of SQuAD (Rajpurkar et al. 2016); None for another object."""
    paragraphs = article.get("paragraphs")
    if not _objects(paragraphs) or not all(_objects(each.get("qas")) and "context" in each for each in paragraphs):
        return None
    return _questions(article, paragraphs)


def _questions(article: Row, paragraphs: Sequence[Row]) -> Iterator[tuple[tuple[int, ...], Row]]:
    title = {"title": article["title"]} if "title" in article else {}
    inner = list(article).index("paragraphs")
    for at, paragraph in enumerate(paragraphs):
        position = list(paragraph).index("qas")
        for number, question in enumerate(paragraph["qas"]):
            known = {key: question[key] for key in ("question", "id") if key in question}
            others = {key: item for key, item in question.items() if key not in ("question", "id", "answers")}
            others.pop("plausible_answers", None)
            answers = {"answers": _answers(question["answers"])} if "answers" in question else {}
            row = {**title, "context": paragraph["context"], **known, **answers, **others}
            yield (inner, at, position, number), row


def _answers(answers: JSON) -> JSON:
    """SQuAD's list of answers as one object of lists, as the hub's ``datasets`` library has it."""
    if not isinstance(answers, list) or not all(isinstance(each, dict) and "text" in each for each in answers):
        return answers
    keys = ("text", "answer_start") if all("answer_start" in each for each in answers) else ("text",)
    return {key: [each[key] for each in answers] for key in keys}


def _list(value: Row) -> Shape | None:
    lists = [key for key, member in value.items() if _objects(member)]
    if len(lists) > 1 and all(key in _LISTS for key in lists):
        names = ", ".join(f"`{key}`" for key in lists)
        hint = Phrase("Write one of them as JSON Lines: jq -c '.{list}[]' OLD > NEW", list=lists[0])
        raise RowError("", Phrase("one object with several lists of rows: {names}", names=names), hint=hint)
    if len(lists) != 1:
        return None
    (name,) = lists
    rows, others = value[name], [key for key in value if key != name]
    prose = [key for key in others if key not in _METADATA and _is_prose(value[key])]
    if prose or (name not in _LISTS and (len(rows) < 2 or any(isinstance(value[key], list) for key in others))):
        return None
    at = list(value).index(name)
    flattened = _flatten(rows, at)
    if flattened is not None:
        note = Phrase(
            "flattened SQuAD's nesting in `{name}`: one row for each of {flattened:,} questions",
            name=name,
            flattened=len(flattened),
        )
        if any("plausible_answers" in each for each in _all_questions(rows)):
            note = joined([note, Phrase("`plausible_answers` left out")], "; ")
        return Shape(flattened, note, _SQUAD_JQ.replace("NAME", name))
    note = Phrase("read the list `{name}` of one object: {rows:,} rows", name=name, rows=len(rows))
    if others:
        note = joined([note, Phrase("left out {names}", names=joined(f"`{key}`" for key in others))], "; ")
    return Shape([((at, number), row) for number, row in enumerate(rows)], note, f".{name}[]")


_COLUMNS_JQ = "(first(.[]) | keys_unsorted[]) as $at | map_values(.[$at])"
_SQUAD_JQ = ".NAME[] | .paragraphs[] | {context} + .qas[]"


def _flatten(rows: Sequence[Row], at: int) -> list[tuple[tuple[int, ...], Row]] | None:
    flat: list[tuple[tuple[int, ...], Row]] = []
    for number, article in enumerate(rows):
        questions = squad_rows(article)
        if questions is None:
            return None
        flat.extend(((at, number, *place), row) for place, row in questions)
    return flat


def _all_questions(rows: Sequence[Row]) -> Iterator[Row]:
    for article in rows:
        for paragraph in article["paragraphs"]:
            yield from paragraph["qas"]


def _by_key(value: Row) -> Shape | None:
    if len(value) < 2 or not _objects(list(value.values())) or not all(value.values()):
        return None
    first = next(iter(value.values()))
    common = set(first).intersection(*value.values())
    union = set(first).union(*value.values())
    if 2 * len(common) < len(union) or not common:
        return None
    numbered, inner_numbered = _counts(value), all(_counts(row) for row in value.values())
    if inner_numbered and numbered:
        return None
    if inner_numbered and len(common) == len(union):
        rows = [{key: column[index] for key, column in value.items()} for index in first]
        note = Phrase(
            "read an object of columns: {rows:,} rows; left out the index, which counts from 0", rows=len(rows)
        )
        return Shape([((), row) for row in rows], note, _COLUMNS_JQ)
    if inner_numbered:
        return None
    members = list(enumerate(value.items()))
    if numbered:
        note = Phrase("read an object of {rows:,} rows; left out its keys, which count from 0", rows=len(value))
        return Shape([((at,), row) for at, (_, row) in members], note, ".[]")
    if all(row.get("id") == key for key, row in value.items()):
        return Shape(
            [((at,), row) for at, (_, row) in members],
            Phrase("read an object of {rows:,} rows by `id`", rows=len(value)),
            ".[]",
        )
    name = next((name for name in ("id", "key") if name not in union), None)
    if name is None:
        return None
    note = Phrase("read an object of {rows:,} rows; its keys are the field `{name}`", rows=len(value), name=name)
    jq = f"to_entries[] | {{{name}: .key}} + .value"
    return Shape([((at,), {name: key, **row}) for at, (key, row) in members], note, jq)


def _columns(value: Row) -> Shape | None:
    columns = list(value.values())
    if len(columns) < 2 or not all(isinstance(column, list) for column in columns):
        return None
    count = len(columns[0])
    if count < 2 or any(len(column) != count or _objects(column) for column in columns):
        return None
    rows = [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
    return Shape(
        [((), row) for row in rows], Phrase("read an object of columns: {rows:,} rows", rows=count), _COLUMNS_JQ
    )


def _split(value: Row) -> Shape | None:
    names, cells = value.get("columns"), value.get("data")
    if not {"columns", "data"} <= value.keys() <= {"columns", "index", "data"} or not isinstance(names, list):
        return None
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names) or not isinstance(cells, list):
        return None
    if not cells or not all(isinstance(row, list) and len(row) == len(names) for row in cells):
        return None
    at = list(value).index("data")
    note = Phrase("read columns and data as pandas writes them: {rows:,} rows; left out `index`", rows=len(cells))
    rows = [((at, number), dict(zip(names, row, strict=True))) for number, row in enumerate(cells)]
    return Shape(rows, note, ". as $all | .data[] | [$all.columns, .] | transpose | map({(.[0]): .[1]}) | add")


def _objects(value: JSON) -> TypeGuard[list[Row]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _counts(value: Row) -> bool:
    """Whether the keys are 0, 1, 2, ..., as pandas writes the index of a DataFrame."""
    return all(key == str(number) for number, key in enumerate(value))


def _is_prose(value: JSON) -> bool:
    return isinstance(value, str) and len(value) >= _PROSE and " " in value.strip()
