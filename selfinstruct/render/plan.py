"""The plan of a run as text: sources, rules of the fields, steps, categories with quotas and thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.preparation import chat_roles
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Field, Snippets
from selfinstruct.recipe.methods import Constraints, Scalar
from selfinstruct.render.description import (
    field_source,
    join_words,
    novelty_phrase,
    source_phrase,
    step_lines,
    unchecked_phrase,
    writer_phrase,
)
from selfinstruct.render.text import counted, format_number, pad, printable, shorten
from selfinstruct.text import value_text

#: At most this many categories are listed.
_LISTED = 24
_NAME_CELLS = 64
_COLUMN_CELLS = 28  # the quota and the threshold beside a name


def plan_text(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """The plan of a run in the directory ``where`` (None in a dry run).

    ``width`` is that of the terminal in cells; None leaves lines uncut.
    """
    recipe = prepared.recipe
    text = Text()
    text.append_text(_heading(prepared, where, width))
    names = {name: printable(name) for name in recipe.fields}
    widest = max(map(cell_len, names.values()))
    for name, field in recipe.fields.items():
        rules = "; ".join(_rules(name, field, prepared))
        text.append(f"  {pad(names[name], widest) if rules else names[name]}", "cyan")
        text.append(shorten(f"  {rules}".rstrip(), None if width is None else width - widest - 3) + "\n")
    text.append_text(_relations(prepared, width))
    text.append_text(_method(prepared, width))
    if (roles := chat_roles(recipe, prepared.seeds.rows)) is not None:
        said = ", ".join(f"{role} = {printable(name)}" for role, name in roles.names.items())
        text.append(shorten(f"\n  Chat: {said}", width))
    text.append(f"\n  Novelty: ROUGE-L F1 over {novelty_phrase(recipe, printable)}\n\n")
    text.append_text(_categories(prepared, width))
    for label, lines in (
        ("note", (*prepared.seeds.notes, *prepared.notes)),
        ("skipped", prepared.skipped),
        ("warning", prepared.warnings),
    ):
        for line in lines[:_LISTED]:
            text.append(f"\n  {label} ", "yellow")
            text.append(printable(line))
        if len(lines) > _LISTED:
            text.append(f"\n  and {format_number(len(lines) - _LISTED)} more", "dim")
    return text


def _heading(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """The recipe's name, the number of rows, their sources, the directory and the author."""
    most = "at most " if prepared.use_passages_once else ""
    line = f"{most}{counted(sum(prepared.quotas.values()), 'row')} from {source_phrase(prepared)}"
    line += f" in {printable(str(where))}" if where is not None else ""
    name = printable(prepared.recipe.name)
    text = Text(f"{name}:", "bold")
    at = cell_len(name) + 1
    for word in f"{line}, written by {writer_phrase(prepared)}".split(" "):
        if width is not None and not prepared.recipe.imitates and at + 1 + cell_len(word) > width:
            text.append("\n ")
            at = 1
        text.append(f" {word}", "not bold")
        at += 1 + cell_len(word)
    if prepared.preset:
        like, _, why = prepared.preset.partition(": ")
        line = f"  like the built-in recipe {like}: {printable(why)}"
        text.append(f"\n{shorten(line, width)}", "dim not bold")
    return text.append("\n\n")


#: When a relation is inferred; see docs/recipes.md.
_TEST = "  in 9 of 10 seeds, and less than 1 in 1,000 by chance"


def _relations(prepared: Prepared, width: int | None) -> Text:
    """A line for each relation between the values of a row; nothing without relations."""
    text = Text()
    for at, relation in enumerate(prepared.recipe.relations):
        if not at:
            text.append("\n  Relations", "bold")
            text.append(f"{_TEST if 'relations.0' in prepared.reasons else ''}\n", "dim")
        line = printable(prepared.reasons.get(f"relations.{at}", "") or relation.describe())
        text.append(shorten(f"    {line}", width) + "\n")
    return text


def _method(prepared: Prepared, width: int | None) -> Text:
    """A line for each list, step, judge and expansion; none where rows are imitated."""
    lines = [(printable(name), words) for name, words in step_lines(prepared)]
    if not lines:
        return Text()
    widest = max(cell_len(name) for name, _ in lines)
    text = Text("\n")
    for name, words in lines:
        text.append(f"  {pad(name, widest)}", "cyan")
        text.append(f"{shorten(f'  {words}', None if width is None else width - widest - 3)}\n")
    return text


def _rules(name: str, field: Field, prepared: Prepared) -> Iterator[str]:
    categories = prepared.recipe.categories
    if source := field_source(prepared.recipe, name):
        yield source
    if categories.by == "field" and categories.field == name:
        yield "the label"
    if field.unique:
        yield "another value in every row"
    if field.optional:
        yield _with_reason("optional", prepared, f"fields.{name}.optional")
    if field.type not in ("string", "any"):
        yield field.type
    if field.negatives is not None:
        yield f"up to {counted(field.negatives.count, 'hard negative')} of {printable(field.negatives.of)}"
    if field.type == "any" and field.min_chars == 0:
        yield "may be null"
    for key, words in _references(field):
        yield _with_reason(words, prepared, f"fields.{name}.{key}")
    yield from _limits(field)
    for rule in (rule for rule in prepared.recipe.rules if rule.field == name):
        where = " and ".join(f"{printable(key)} is {_listed(values)}" for key, values in rule.when.items())
        rules = [*(words for _, words in _references(rule)), *_limits(rule)]
        yield f"where {where}: {', '.join(rules)}"
    if remark := unchecked_phrase(prepared.recipe, name):
        yield remark


def _references(rules: Constraints) -> Iterator[tuple[str, str]]:
    """The rules that inference may set, each with its key."""
    if rules.appears_in is not None:
        kind = "a form of a word" if rules.match == "inflected" else "a span"
        yield "appears_in", f"{kind} of {printable(rules.appears_in)}"
    if rules.identifiers_in is not None:
        yield "identifiers_in", f"numbers and ids must occur in {printable(rules.identifiers_in)}"


def _limits(rules: Constraints) -> Iterator[str]:
    """The other rules of a field."""
    for unit, least, most in (
        ("character", rules.min_chars, rules.max_chars),
        ("word", rules.min_words, rules.max_words),
    ):
        if bounds := _bounds(least or 0, most, unit):
            yield bounds
    if rules.pattern is not None:
        yield f"must match {printable(rules.pattern)}"
    if rules.refuse:
        yield f"must not contain {_listed(rules.refuse)}"
    if rules.one_of:
        yield _listed(rules.one_of)
    if rules.choice_of is not None:
        yield f"one of the choices in {printable(rules.choice_of)}"
    if rules.differs_from is not None:
        by = f" in at least {rules.differs_by:.0%} of its words" if rules.differs_by is not None else ""
        yield f"must differ from {printable(rules.differs_from)}{by}"
    if rules.snippets is not None:
        yield from _code(rules.snippets)


def _code(snippets: Snippets) -> Iterator[str]:
    if bounds := _bounds(snippets.least, snippets.most, "code block"):
        yield bounds
    if snippets.max_lines is not None:
        yield f"at most {counted(snippets.max_lines, 'line')} per code block"
    if snippets.python:
        yield "code blocks must parse as Python"
    if snippets.last:
        yield "must end with a code block"


def _bounds(least: int, most: int | None, unit: str) -> str:
    """A range in words, or "" for no limit."""
    if most is None:
        return f"at least {counted(least, unit)}" if least else ""
    if least == most:
        return counted(least, unit)
    return f"{format_number(least)} to {counted(most, unit)}" if least else f"at most {counted(most, unit)}"


def _listed(values: Sequence[Scalar]) -> str:
    return printable(" or ".join(map(value_text, values)))


def _with_reason(rule: str, prepared: Prepared, path: str) -> str:
    """The rule, followed by the evidence in the seeds where it was inferred."""
    reason = printable(prepared.reasons.get(path, ""))
    return f"{rule}{reason.removeprefix(rule)}" if reason.startswith(rule) else rule


def _categories(prepared: Prepared, width: int | None) -> Text:
    table = prepared.recipe.categories
    combined = join_words(list(map(printable, table.attributes)))
    by = {
        "template": f"by template of {printable(table.field or '')}",
        "field": f"by value of {printable(table.field or '')}",
        "passage": "by template of the passages",
        "attribute": f"by {'combination' if len(table.attributes) > 1 else 'value'} of {combined}",
        "none": "the whole data set",
    }.get(table.by, f"returned by {printable(table.by)}")
    quotas = {name: quota for name, quota in prepared.quotas.items() if quota or table.by != "passage"}
    total = len(quotas)
    heading = f"  {counted(total, 'category', 'categories')}{', ' if table.by == 'none' else ' '}{by}"
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - _COLUMN_CELLS), 12)
    shown = {name: shorten(printable(name), room) for name in list(quotas)[:_LISTED]}
    widest = max(cell_len(heading) - 4, *map(cell_len, shown.values()))
    text = Text()
    text.append(f"{pad(heading, widest + 4)}  {'rows':>8}  {'max ROUGE-L':>11}\n", "bold")
    for name, label in shown.items():
        text.append(f"    {pad(label, widest)}  {format_number(quotas[name]):>8}  {prepared.thresholds[name]:>11.4f}\n")
    if total > _LISTED:
        text.append(f"    and {format_number(total - _LISTED)} more\n", "dim")
    return text
