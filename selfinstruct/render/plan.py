"""What a run is about to do: what was inferred or given, the categories, their quotas and thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Field, Snippets
from selfinstruct.recipe.methods import Constraints, Scalar
from selfinstruct.render.description import (
    field_source,
    join_words,
    novelty_phrase,
    source_phrase,
    step_lines,
    writer_phrase,
)
from selfinstruct.render.text import counted, format_number, pad, printable, shorten
from selfinstruct.text import value_text

#: So many categories are listed; of more, the others are counted.
_LISTED = 24
_NAME_CELLS = 64
_COLUMN_CELLS = 28  # the quota and the threshold beside a name


def plan_text(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """What a run starts from that is about to begin in ``where``, its rules, its steps and its categories.

    ``width`` is that of the terminal in cells, None where lines may be as long as they like.
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
    text.append_text(_method(prepared, width))
    text.append(f"\n  New rows are compared in {novelty_phrase(recipe, printable)} by ROUGE-L.\n\n")
    text.append_text(_categories(prepared, width))
    for fault in prepared.skipped:
        text.append("\n  left out ", "yellow")
        text.append(printable(fault))
    return text


def _heading(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """The recipe's name, what it starts from, what it is to come to and who writes."""
    most = "at most " if prepared.use_passages_once else ""
    said = f"{source_phrase(prepared)} to {most}{counted(sum(prepared.quotas.values()), 'row')}"
    said += f" in {printable(str(where))}" if where is not None else ""
    name = printable(prepared.recipe.name)
    text = Text(f"{name}:", "bold")
    at = cell_len(name) + 1
    for word in f"{said}, from {writer_phrase(prepared)}".split(" "):
        if width is not None and not prepared.recipe.imitates and at + 1 + cell_len(word) > width:
            text.append("\n ")
            at = 1
        text.append(f" {word}", "not bold")
        at += 1 + cell_len(word)
    if prepared.preset:
        like, _, why = prepared.preset.partition(": ")
        said = f"  like the built-in recipe {like}: {printable(why)}"
        text.append(f"\n{shorten(said, width)}", "dim not bold")
    return text.append("\n\n")


def _method(prepared: Prepared, width: int | None) -> Text:
    """A line for each list, step, judge and expansion; nothing where rows are imitated."""
    said = [(printable(name), words) for name, words in step_lines(prepared)]
    if not said:
        return Text()
    widest = max(cell_len(name) for name, _ in said)
    text = Text("\n")
    for name, words in said:
        text.append(f"  {pad(name, widest)}", "cyan")
        text.append(f"{shorten(f'  {words}', None if width is None else width - widest - 3)}\n")
    return text


def _rules(name: str, field: Field, prepared: Prepared) -> Iterator[str]:
    categories = prepared.recipe.categories
    if source := field_source(prepared.recipe, name):
        yield source
    if categories.by == "field" and categories.field == name:
        yield "the label"
    if field.type not in ("string", "any"):
        yield field.type
    for key, words in _references(field):
        yield _with_reason(words, prepared, f"fields.{name}.{key}")
    yield from _limits(field)
    for rule in (rule for rule in prepared.recipe.rules if rule.field == name):
        where = " and ".join(f"{printable(key)} is {_listed(values)}" for key, values in rule.when.items())
        said = [*(words for _, words in _references(rule)), *_limits(rule)]
        yield f"where {where}: {', '.join(said)}"


def _references(held: Constraints) -> Iterator[tuple[str, str]]:
    """The rules that may be inferred, with their keys."""
    if held.appears_in is not None:
        kind = "a form of a word" if held.match == "inflected" else "a span"
        yield "appears_in", f"{kind} of {printable(held.appears_in)}"
    if held.identifiers_in is not None:
        yield "identifiers_in", f"its words with digits stand in {printable(held.identifiers_in)}"


def _limits(held: Constraints) -> Iterator[str]:
    """The rules that are never inferred."""
    for unit, least, most in (
        ("character", held.min_chars, held.max_chars),
        ("word", held.min_words, held.max_words),
    ):
        if said := _bounds(least or 0, most, unit):
            yield said
    if held.pattern is not None:
        yield f"matches {printable(held.pattern)}"
    if held.refuse:
        yield f"holds no {_listed(held.refuse)}"
    if held.one_of:
        yield _listed(held.one_of)
    if held.choice_of is not None:
        yield f"one of the choices in {printable(held.choice_of)}"
    if held.differs_from is not None:
        yield f"differs from {printable(held.differs_from)}"
    if held.snippets is not None:
        yield from _code(held.snippets)


def _code(snippets: Snippets) -> Iterator[str]:
    if said := _bounds(snippets.least, snippets.most, "code block"):
        yield said
    if snippets.max_lines is not None:
        yield f"of at most {counted(snippets.max_lines, 'line')}"
    if snippets.python:
        yield "that parse as Python"
    if snippets.last:
        yield "the last at its end"


def _bounds(least: int, most: int | None, unit: str) -> str:
    """A range in words, "" where there is none."""
    if most is None:
        return f"at least {counted(least, unit)}" if least else ""
    if least == most:
        return counted(least, unit)
    return f"{format_number(least)} to {counted(most, unit)}" if least else f"at most {counted(most, unit)}"


def _listed(values: Sequence[Scalar]) -> str:
    return printable(" or ".join(map(value_text, values)))


def _with_reason(rule: str, prepared: Prepared, path: str) -> str:
    """The rule, and where it was inferred the words of the reason that go beyond it."""
    reason = printable(prepared.reasons.get(path, ""))
    return f"{rule}{reason.removeprefix(rule)}" if reason.startswith(rule) else rule


def _categories(prepared: Prepared, width: int | None) -> Text:
    table = prepared.recipe.categories
    combined = join_words(list(map(printable, table.attributes)))
    by = {
        "template": f"the templates of {printable(table.field or '')}",
        "field": f"the values of {printable(table.field or '')}",
        "attribute": f"the {'combinations' if len(table.attributes) > 1 else 'values'} of {combined}",
        "none": "the whole data set",
    }.get(table.by, f"returned by {printable(table.by)}")
    total = len(prepared.quotas)
    heading = f"  {counted(total, 'category', 'categories')}, {by}"
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - _COLUMN_CELLS), 12)
    shown = {name: shorten(printable(name), room) for name in list(prepared.quotas)[:_LISTED]}
    widest = max(cell_len(heading) - 4, *map(cell_len, shown.values()))
    text = Text()
    text.append(f"{pad(heading, widest + 4)}  {'rows':>8}  {'max ROUGE-L':>11}\n", "bold")
    for name, label in shown.items():
        text.append(
            f"    {pad(label, widest)}  {format_number(prepared.quotas[name]):>8}  {prepared.thresholds[name]:>11.4f}\n"
        )
    if total > _LISTED:
        text.append(f"    and {format_number(total - _LISTED)} more\n", "dim")
    return text
