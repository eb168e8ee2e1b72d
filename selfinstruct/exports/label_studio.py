"""Label Studio: a JSON array of tasks with predictions, for people who review the rows, and its labelling interface.

A field whose value is a span of another field is predicted as a labelled region of that field; a field with a fixed set
of values, such as the label of a category, as a choice. Offsets count code points. All fields are in the task's data.

Does not handle: images and sounds; several regions in one field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import quoteattr

from selfinstruct.exports.json_files import write_array
from selfinstruct.exports.rows import ExportRow, ExportRows
from selfinstruct.exports.settings import Settings
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.text import find_span, value_text

#: The name of the interface beside the tasks.
INTERFACE_NAME = "label-studio.xml"
_MODEL = "selfinstruct"


@dataclass(frozen=True, slots=True)
class _Interface:
    """The controls: by field, the text that it is a span of, or the values that it chooses from (none: any)."""

    texts: Sequence[str]
    spans: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, recipe: Recipe | None, fields: Sequence[str]) -> _Interface:
        """The controls for the fields of a recipe; without one, the fields alone."""
        known = {} if recipe is None else {name: recipe.fields[name] for name in fields if name in recipe.fields}
        spans = {name: field.appears_in for name, field in known.items() if field.appears_in in fields}
        choices = {name: [value_text(each) for each in field.one_of] for name, field in known.items() if field.one_of}
        label = recipe.categories.field if recipe is not None and recipe.categories.by == "field" else None
        if label in fields:
            choices.setdefault(label or "", [])
        texts = [name for name in fields if name not in spans and name not in choices]
        return cls(texts or list(fields), {name: text for name, text in spans.items() if text is not None}, choices)


def write_tasks(items: ExportRows, file: BinaryIO, settings: Settings) -> tuple[int, str]:
    """Write a task for each row; return their number, and no note."""
    interface = _Interface.of(settings.recipe, items.fields)

    def tasks() -> Iterator[Row]:
        for item in items.each:
            row = item.row
            predictions = [{"model_version": _MODEL, "result": result}] if (result := _result(item, interface)) else []
            yield {"data": row, "predictions": predictions}

    return write_array(tasks(), file), ""


def _result(item: ExportRow, interface: _Interface) -> list[Row]:
    """The predicted regions and choices of a row; their ids need to differ within a task only."""
    row, result = item.row, list[Row]()
    for name, about in interface.spans.items():
        text, context = row.get(name), row.get(about)
        if not isinstance(text, str) or not isinstance(context, str) or not text:
            continue
        span = item.spans.get(name) or find_span(text, context)
        if span is not None:
            start, end = span
            value: Row = {"start": start, "end": end, "text": context[start:end], "labels": [name]}
            result.append(_region(name, about, "labels", value))
    for name in interface.choices:
        if row.get(name) is not None and (about := next(iter(interface.texts), "")):
            result.append(_region(name, about, "choices", {"choices": [value_text(row[name])]}))
    return result


def _region(name: str, about: str, kind: str, value: Row) -> Row:
    return {"id": name, "from_name": name, "to_name": about, "type": kind, "value": value}


def interface_xml(settings: Settings, fields: Sequence[str], categories: Sequence[str]) -> str:
    """Return the labelling interface for the tasks; ``categories`` are the values of the label that rows have."""
    interface = _Interface.of(settings.recipe, fields)
    first = next(iter(interface.texts), "")
    lines = ["<View>"]
    for name in interface.texts:
        lines += [f"  <Header value={quoteattr(name)}/>", f"  <Text name={quoteattr(name)} value={_variable(name)}/>"]
    for name, about in interface.spans.items():
        lines += [
            f"  <Labels name={quoteattr(name)} toName={quoteattr(about)}>",
            f"    <Label value={quoteattr(name)}/>",
            "  </Labels>",
        ]
    for name, values in interface.choices.items():
        lines.append(f'  <Choices name={quoteattr(name)} toName={quoteattr(first)} choice="single">')
        lines += [f"    <Choice value={quoteattr(value)}/>" for value in values or categories]
        lines.append("  </Choices>")
    return "\n".join([*lines, "</View>", ""])


def _variable(name: str) -> str:
    return quoteattr(f"${name}")
