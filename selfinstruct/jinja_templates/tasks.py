"""The tasks that templates in Jinja make of labelled rows, as in Bonito's training set (Nayak et al. 2024).

    input -> instruction        target -> response        the text that the task is about -> context

The authors took the templates of 38 data sets of the public pool that ask about a passage, gave each a type of task by
hand, and applied each to all rows. So a template without a type makes no tasks, nor does one whose input does not show
the passage, such as one that asks for a text and has it as its target.

Does not handle: rendering.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from selfinstruct.errors import InputError
from selfinstruct.jinja_templates.rendering import Rendered, RenderLimits, render
from selfinstruct.jinja_templates.template import JinjaTemplate, read_templates
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Expand
from selfinstruct.recipe.placeholders import fill, lookup, names_in
from selfinstruct.records import Row
from selfinstruct.text import value_text

#: The names that a task gives values to.
TASK_FIELDS = ("template", "task_type", "context", "instruction", "response")
_NO_CONTEXT, _HIDDEN = Phrase("it has no context"), Phrase("its input does not show its context")
# How many names a note lists.
_LISTED = 5


def tasks_of_rows(
    expand: Expand,
    fields: Sequence[str],
    rows: Sequence[Row],
    places: Sequence[str],
    limits: RenderLimits | None = None,
) -> tuple[list[list[Row]], list[str]]:
    """The tasks of each row, for a recipe with these ``fields``, and notes about templates that make none.

    ``places`` are the ``file:line`` of the rows. Raises InputError for a file of templates that cannot be read, a
    template that fails (see ``render``), and if there is not a single task.
    """
    file = expand.file or ""
    templates = read_templates(file, expand.encoding)
    types = [each.task_type or _type_of(each.name, expand.task_types) for each in templates]
    typed = [each for each, name in zip(templates, types, strict=True) if name or "task_type" not in fields]
    if not typed:
        hint = 'Name their types under [expand.task_types], such as "*" = "sentiment".'
        raise InputError("{name}: no template has a task type", name=file, hint=hint)
    if "context" in fields and not expand.context and not any(each.context for each in typed):
        hint = 'Name the field of the rows that is the passage in [[expand]], such as context = "{{text}}".'
        raise InputError("{name}: no template has a context", name=file, hint=hint)
    reasons: dict[str, Counter[str]] = {each.name: Counter() for each in typed}
    tasks: list[list[Row]] = []
    for row, results in zip(rows, render(typed, rows, places, limits), strict=True):
        made: list[Row] = []
        for template, result in zip(typed, results, strict=True):
            task = _task(template, result, row, expand, with_context="context" in fields)
            if isinstance(task, str):
                reasons[template.name][task] += 1
            else:
                made.append(task)
        tasks.append(made)
    idle = {name: why for name, why in reasons.items() if why.total() == len(rows)}
    if len(idle) == len(reasons):
        name, why = next(iter(idle.items()))
        raise InputError(
            "{file}: no template fits a row; {name!r}: {reason}",
            file=file,
            name=name,
            reason=why.most_common(1)[0][0],
            hint="Check that the rows have the fields that the templates name.",
        )
    untyped = [each.name for each in templates if each not in typed]
    return tasks, list(_notes(file, untyped, idle))


def _type_of(name: str, types: Mapping[str, str]) -> str:
    """The type of a template: that of its name, or of the first pattern that matches it; "" if there is none."""
    patterns = (found for pattern, found in types.items() if fnmatchcase(name, pattern))
    return types.get(name) or next(patterns, "")


def _task(template: JinjaTemplate, result: Rendered, row: Row, expand: Expand, *, with_context: bool) -> Row | str:
    """The task, or why there is none."""
    if result.unfit:
        return result.unfit
    task: Row = {
        "template": template.name,
        "task_type": template.task_type or _type_of(template.name, expand.task_types),
        "instruction": result.input,
        "response": result.target,
    }
    if not with_context:
        return task
    pattern = template.context or expand.context
    try:
        context = fill(pattern, row)
        shown = [value_text(lookup(row, name)) for name in names_in(pattern)]
    except KeyError as error:
        return Phrase("{name!r} is undefined", name=error.args[0])
    if not context.strip():
        return _NO_CONTEXT
    whole = _collapsed(result.input)
    if not all(_collapsed(value) in whole for value in shown):
        return _HIDDEN
    return {**task, "context": context}


def _collapsed(text: str) -> str:
    """The text with single spaces, since templates trim and break lines."""
    return " ".join(text.split())


def _notes(file: str, untyped: Sequence[str], idle: Mapping[str, Counter[str]]) -> list[str]:
    notes: list[str] = []
    if untyped:
        notes.append(Phrase("{file}: no task type, so left out: {names}", file=file, names=_listed(untyped)))
    for name, why in idle.items():
        reason = why.most_common(1)[0][0]
        notes.append(Phrase("{file}: {name!r} fits no row: {reason}", file=file, name=name, reason=reason))
    return notes


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_LISTED]))
    more = len(names) - _LISTED
    return Phrase("{names} and {count} more", names=shown, count=more) if more > 0 else shown
