"""Extractive question answering: SQuAD v2, nested as its authors publish it, and flat as the hub has it.

Offsets count code points, and ``context[start : start + len(text)]`` is the text: an answer that was found in its
context in another letter case is written as the context has it. A row with an empty answer cannot be answered from its
context (``is_impossible``).

Does not handle: answers that are not in their context, which are an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import BinaryIO, NamedTuple

from selfinstruct.errors import InputError
from selfinstruct.exports.columns import named_columns
from selfinstruct.exports.json_files import write_json_lines
from selfinstruct.exports.rows import ExportRow, ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.records import JSON, Row
from selfinstruct.rows import to_json
from selfinstruct.text import find_span, value_text

_NAMES = {
    "user": ("question", "query", "问题"),
    "context": ("context", "rawlog", "passage", "原文", "上下文"),
    "assistant": ("answer", "answers", "response", "答案", "回答"),
}


class _Question(NamedTuple):
    id: str
    title: str
    context: str
    question: str
    answers: list[tuple[str, int]]


def write_squad(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the nested form: an article for each category, a paragraph for each context; return the number of rows.

    Raises InputError for a row without a question and a context, or with an answer that is not in its context.
    """
    articles: dict[str, dict[str, list[Row]]] = {}
    count = 0
    for each in _questions(items, settings):
        answers = [{"text": text, "answer_start": start} for text, start in each.answers]
        about: Row = {"id": each.id, "question": each.question, "is_impossible": not answers, "answers": answers}
        articles.setdefault(each.title, {}).setdefault(each.context, []).append(about)
        count += 1
    data = [
        {"title": title, "paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs.items()]}
        for title, paragraphs in articles.items()
    ]
    file.write(f"{to_json({'version': 'v2.0', 'data': data})}\n".encode())
    return count, ""


def write_flat_squad(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write the flat form, a line for each question; return the number of rows. Raises as ``write_squad``."""
    rows = (
        {
            "id": each.id,
            "title": each.title,
            "context": each.context,
            "question": each.question,
            "answers": {
                "text": [text for text, _ in each.answers],
                "answer_start": [start for _, start in each.answers],
            },
        }
        for each in _questions(items, settings)
    )
    return write_json_lines(rows, file), ""


def _questions(items: ExportRows, settings: Settings) -> Iterator[_Question]:
    ids: dict[str, int] = {}
    for number, item in enumerate(items.each, 1):
        row = item.row
        fields = _fields(row, number, settings)
        question, context = (value_text(row[fields[role]]) for role in ("user", "context"))
        if not question or not context:
            empty = fields["user"] if not question else fields["context"]
            raise InputError(
                "`format={format}`: row {number} has no text in {name}",
                hint="Name another field: `columns`.",
                format=settings.format,
                number=number,
                name=empty,
            )
        digest = blake2b(item.line.encode(), digest_size=12).hexdigest()
        ids[digest] = ids.get(digest, 0) + 1
        name = digest if ids[digest] == 1 else f"{digest}-{ids[digest]}"
        answers = _answers(row[fields["assistant"]], context, item, fields, number, settings)
        yield _Question(name, item.category or settings.format, context, question, answers)


def _fields(row: Row, number: int, settings: Settings) -> dict[str, str]:
    """The fields of the question, the context and the answer."""
    roles = settings.roles or settings.fallback
    named = {role: name for role, name in roles.names.items() if role in _NAMES} if roles is not None else {}
    return named if len(named) == len(_NAMES) else named_columns(row, _NAMES, number, settings)


def _answers(
    value: JSON, context: str, item: ExportRow, fields: dict[str, str], number: int, settings: Settings
) -> list[tuple[str, int]]:
    """Each answer as it stands in the context, with its start."""
    found = []
    values = value if isinstance(value, list) else [value]
    recorded = _recorded_span(item, fields, settings) if len(values) == 1 else None
    for each in values:
        text = "" if each is None else value_text(each)
        if not text:
            continue
        span = recorded or _span(text, context)
        if span is None:
            raise InputError(
                "`format={format}`: row {number}: the answer {text!r} is not in {context}",
                hint="Name other fields: `columns`, as user=FIELD,context=FIELD,assistant=FIELD.",
                format=settings.format,
                number=number,
                text=text[:80],
                context=fields["context"],
            )
        found.append((context[span[0] : span[1]], span[0]))
    return found


def _recorded_span(item: ExportRow, fields: dict[str, str], settings: Settings) -> tuple[int, int] | None:
    """The span that the check of the answer recorded, if the answer was looked for in this context."""
    own = settings.recipe.fields.get(fields["assistant"]) if settings.recipe is not None else None
    return item.spans.get(fields["assistant"]) if own is not None and own.appears_in == fields["context"] else None


def _span(text: str, context: str) -> tuple[int, int] | None:
    """The place of an answer: between token boundaries, else anywhere, else in another letter case."""
    if (found := find_span(text, context)) is not None:
        return found
    at = context.find(text)
    if at < 0 and len(context.lower()) == len(context):
        at = context.lower().find(text.lower())
    return (at, at + len(text)) if at >= 0 else None
