"""What a run is about to do: what was inferred or given, the categories, their quotas and thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.preparation import Prepared
from selfinstruct.recipe import Field
from selfinstruct.render.text import counted, number, pad, printable, shorten

#: So many categories are listed; of more, the others are counted.
_LISTED = 24
_NAME_CELLS = 64
_COLUMN_CELLS = 28  # the quota and the threshold beside a name


def plan_text(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """The seeds, the rules and the categories of a run that is about to begin in the directory ``where``.

    ``width`` is that of the terminal in cells, None where lines may be as long as they like.
    """
    recipe, seeds = prepared.recipe, prepared.seeds
    text = Text()
    text.append(printable(recipe.name), "bold")
    wanted = counted(sum(prepared.quotas.values()), "row")
    text.append(f": {counted(len(seeds.rows), 'seed')} to {wanted}")
    if where is not None:
        text.append(f" in {printable(str(where))}")
    text.append(f", from {author(prepared)}\n\n")
    names = {name: printable(name) for name in recipe.fields}
    widest = max(map(cell_len, names.values()))
    for name, field in recipe.fields.items():
        rules = "; ".join(_rules(name, field, prepared))
        text.append(f"  {pad(names[name], widest) if rules else names[name]}", "cyan")
        text.append(shorten(f"  {rules}".rstrip(), None if width is None else width - widest - 3) + "\n")
    compared = ", ".join(map(printable, recipe.novelty.fields))
    text.append(f"\n  New rows are compared in {compared} by ROUGE-L.\n\n")
    text.append_text(_categories(prepared, width))
    for fault in prepared.skipped:
        text.append("\n  left out ", "yellow")
        text.append(printable(fault))
    return text


def author(prepared: Prepared) -> str:
    """Who writes the rows, in words."""
    models = prepared.recipe.authors
    if not models:
        return "the embedded imitator"
    said = [f"{printable(each.name)}{f' at {printable(each.base_url)}' if each.base_url else ''}" for each in models]
    return f"the model {said[0]}" if len(said) == 1 else f"{len(said)} models: {', '.join(said)}"


def _rules(name: str, field: Field, prepared: Prepared) -> Iterator[str]:
    categories = prepared.recipe.categories
    if categories.by == "field" and categories.field == name:
        yield "the label"
    if field.type not in ("string", "any"):
        yield field.type
    if field.appears_in is not None:
        yield _with_reason(f"a span of {printable(field.appears_in)}", prepared, f"fields.{name}.appears_in")
    if field.identifiers_in is not None:
        rule = f"its words with digits stand in {printable(field.identifiers_in)}"
        yield _with_reason(rule, prepared, f"fields.{name}.identifiers_in")


def _with_reason(rule: str, prepared: Prepared, path: str) -> str:
    """The rule, and where it was inferred the words of the reason that go beyond it."""
    reason = printable(prepared.reasons.get(path, ""))
    return f"{rule}{reason.removeprefix(rule)}" if reason.startswith(rule) else rule


def _categories(prepared: Prepared, width: int | None) -> Text:
    table = prepared.recipe.categories
    by = {
        "template": f"the templates of {printable(table.field or '')}",
        "field": f"the values of {printable(table.field or '')}",
        "none": "the whole data set",
    }[table.by]
    total = len(prepared.quotas)
    heading = f"  {counted(total, 'category', 'categories')}, {by}"
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - _COLUMN_CELLS), 12)
    shown = {name: shorten(printable(name), room) for name in list(prepared.quotas)[:_LISTED]}
    widest = max(cell_len(heading) - 4, *map(cell_len, shown.values()))
    text = Text()
    text.append(f"{pad(heading, widest + 4)}  {'rows':>8}  {'max ROUGE-L':>11}\n", "bold")
    for name, label in shown.items():
        text.append(
            f"    {pad(label, widest)}  {number(prepared.quotas[name]):>8}  {prepared.thresholds[name]:>11.4f}\n"
        )
    if total > _LISTED:
        text.append(f"    and {number(total - _LISTED)} more\n", "dim")
    return text
