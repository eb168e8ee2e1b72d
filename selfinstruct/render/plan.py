"""The plan of a run as text: sources, rules of the fields, steps, categories with quotas and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from selfinstruct.messages import Phrase, _, joined, translated
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
from selfinstruct.render.text import counted, format_duration, format_number, pad, pad_left, printable, shorten
from selfinstruct.text import value_text

#: At most this many categories are listed.
_LISTED = 24
_NAME_CELLS = 64
#: Rows that one process judges in a second on one core (benchmarks/results/many-hands.txt).
_JUDGED_A_SECOND = 3000
_COLUMN_CELLS = 28  # the quota and the threshold beside a name


def plan_text(prepared: Prepared, where: Path | None, width: int | None, parts: int = 0) -> Text:
    """The plan of a run in the directory ``where`` (None in a dry run).

    ``width`` is that of the terminal in cells; None leaves lines uncut. ``parts`` is the number of workers that grow
    the run, 0 for an ordinary one.
    """
    recipe = prepared.recipe
    text = Text()
    text.append_text(_heading(prepared, where, width))
    names = {name: printable(name) for name in recipe.fields}
    widest = max(map(cell_len, names.values()))
    for name, field in recipe.fields.items():
        rules = printable(translated(joined(field_rules(name, field, prepared), "; ")))
        text.append(f"  {pad(names[name], widest) if rules else names[name]}", "cyan")
        text.append(shorten(f"  {rules}".rstrip(), None if width is None else width - widest - 3) + "\n")
    text.append_text(_relations(prepared, width))
    text.append_text(_method(prepared, width))
    if (roles := chat_roles(recipe, prepared.seeds.rows)) is not None:
        said = ", ".join(f"{role} = {printable(name)}" for role, name in roles.names.items())
        text.append("\n" + shorten(f"  {_('Chat: {roles}', roles=said)}", width))
    compared = _("Novelty: ROUGE-L F1 over {fields}", fields=novelty_phrase(recipe, printable))
    text.append(f"\n  {compared}\n\n")
    text.append_text(_categories(prepared, width))
    for label, lines in (
        (_("note"), (*prepared.seeds.notes, *prepared.notes, *_workers(prepared, parts))),
        (_("skipped"), prepared.skipped),
        (_("warning"), prepared.warnings),
    ):
        for line in lines[:_LISTED]:
            text.append(f"\n  {label} ", "yellow")
            text.append(printable(translated(line)))
        if len(lines) > _LISTED:
            text.append(f"\n  {_('and {count:,} more', count=len(lines) - _LISTED)}", "dim")
    return text


def _workers(prepared: Prepared, parts: int) -> Iterator[str]:
    """What one process can do, for a run that several workers grow."""
    if not parts:
        return
    rows = sum(prepared.quotas.values())
    if prepared.recipe.all_models:
        yield Phrase(
            "{parts} workers share the calls; one process judges every reply again, in about {time} for {rows}. "
            "If the models need longer than that for these rows, one process is enough: leave out --engine",
            parts=parts,
            time=format_duration(rows / _JUDGED_A_SECOND),
            rows=counted(rows, "row"),
        )
    else:
        yield Phrase(
            "one process is at least as fast as {parts} workers here: the imitator writes rows as fast as they are "
            "judged",
            parts=parts,
        )


def _heading(prepared: Prepared, where: Path | None, width: int | None) -> Text:
    """The recipe's name, the number of rows, their sources, the directory and the author."""
    rows: Phrase = counted(sum(prepared.quotas.values()), "row")
    if prepared.use_passages_once:
        rows = Phrase("at most {rows}", rows=rows)
    given = {"rows": rows, "sources": source_phrase(prepared), "writer": writer_phrase(prepared)}
    if where is None:
        line = _("{rows} from {sources}, written by {writer}", **given)
    else:
        line = _("{rows} from {sources} in {directory}, written by {writer}", **given, directory=printable(str(where)))
    name = printable(prepared.recipe.name)
    text = Text(f"{name}:", "bold")
    at = cell_len(name) + 1
    for word in line.split(" "):
        if width is not None and not prepared.recipe.imitates and at + 1 + cell_len(word) > width:
            text.append("\n ")
            at = 1
        text.append(f" {word}", "not bold")
        at += 1 + cell_len(word)
    if prepared.preset:
        preset = printable(_("like the built-in recipe {preset}", preset=prepared.preset))
        text.append(f"\n{shorten(f'  {preset}', width)}", "dim not bold")
    return text.append("\n\n")


def _relations(prepared: Prepared, width: int | None) -> Text:
    """A line for each relation between the values of a row; nothing without relations."""
    text = Text()
    for at, relation in enumerate(prepared.recipe.relations):
        if not at:
            text.append(f"\n  {_('Relations')}", "bold")
            # When a relation is inferred; see docs/recipes.md.
            test = f"  {_('in 9 of 10 seeds, and less than 1 in 1,000 by chance')}"
            text.append(f"{test if 'relations.0' in prepared.reasons else ''}\n", "dim")
        line = printable(translated(prepared.reasons.get(f"relations.{at}", "") or relation.describe()))
        text.append(shorten(f"    {line}", width) + "\n")
    return text


def _method(prepared: Prepared, width: int | None) -> Text:
    """A line for each list, step, judge and expansion; none where rows are imitated."""
    lines = [(printable(name), translated(words)) for name, words in step_lines(prepared)]
    if not lines:
        return Text()
    widest = max(cell_len(name) for name, _ in lines)
    text = Text("\n")
    for name, words in lines:
        text.append(f"  {pad(name, widest)}", "cyan")
        text.append(f"{shorten(f'  {words}', None if width is None else width - widest - 3)}\n")
    return text


def field_rules(name: str, field: Field, prepared: Prepared) -> Iterator[str]:
    """The rules of a field, and what is not checked about it, each in words."""
    categories = prepared.recipe.categories
    if source := field_source(prepared.recipe, name):
        yield source
    if categories.by == "field" and categories.field == name:
        yield Phrase("the label")
    if field.unique:
        yield Phrase("another value in every row")
    if field.optional:
        yield _with_reason(Phrase("optional"), prepared, f"fields.{name}.optional")
    if field.type not in ("string", "any"):
        yield field.type
    if field.negatives is not None:
        negatives = counted(field.negatives.count, "hard negative")
        yield Phrase("up to {negatives} of {field}", negatives=negatives, field=printable(field.negatives.of))
    if field.type == "any" and field.min_chars == 0:
        yield Phrase("may be null")
    for key, words in _references(field):
        yield _with_reason(words, prepared, f"fields.{name}.{key}")
    yield from _limits(field)
    for rule in (rule for rule in prepared.recipe.rules if rule.field == name):
        where = [Phrase("{field} is {values}", field=key, values=_listed(values)) for key, values in rule.when.items()]
        rules = [*(words for _key, words in _references(rule)), *_limits(rule)]
        yield Phrase("where {conditions}: {rules}", conditions=joined(where, " and "), rules=joined(rules))
    if remark := unchecked_phrase(prepared.recipe, name):
        yield remark


def _references(rules: Constraints) -> Iterator[tuple[str, str]]:
    """The rules that inference may set, each with its key."""
    if rules.appears_in is not None:
        field = printable(rules.appears_in)
        inflected = rules.match == "inflected"
        yield "appears_in", Phrase("a form of a word of {field}" if inflected else "a span of {field}", field=field)
    if rules.identifiers_in is not None:
        field = printable(rules.identifiers_in)
        yield "identifiers_in", Phrase("numbers and ids must occur in {field}", field=field)


def _limits(rules: Constraints) -> Iterator[str]:
    """The other rules of a field."""
    if bounds := _bounds(rules.min_chars or 0, rules.max_chars, lambda count: counted(count, "character")):
        yield bounds
    if bounds := _bounds(rules.min_words or 0, rules.max_words, lambda count: counted(count, "word")):
        yield bounds
    if rules.pattern is not None:
        yield Phrase("must match {pattern}", pattern=printable(rules.pattern))
    if rules.refuse:
        yield Phrase("must not contain {values}", values=_listed(rules.refuse))
    if rules.one_of:
        yield _listed(rules.one_of)
    if rules.choice_of is not None:
        yield Phrase("one of the choices in {field}", field=printable(rules.choice_of))
    if rules.differs_from is not None:
        field = printable(rules.differs_from)
        if rules.differs_by is None:
            yield Phrase("must differ from {field}", field=field)
        else:
            yield Phrase(
                "must differ from {field} in at least {share:.0%} of its words", field=field, share=rules.differs_by
            )
    if rules.passes is not None:
        yield Phrase("must pass {field} when run", field=printable(rules.passes))
    if rules.snippets is not None:
        yield from _code(rules.snippets)


def _code(snippets: Snippets) -> Iterator[str]:
    if bounds := _bounds(snippets.least, snippets.most, lambda count: counted(count, "code block")):
        yield bounds
    if snippets.max_lines is not None:
        yield Phrase("at most {lines} per code block", lines=counted(snippets.max_lines, "line"))
    if snippets.python:
        yield Phrase("code blocks must parse as Python")
    if snippets.last:
        yield Phrase("must end with a code block")


def _bounds(least: int, most: int | None, units: Callable[[int], Phrase]) -> str:
    """A range in words, or "" for no limit; ``units`` counts its units."""
    if most is None:
        return Phrase("at least {limit}", limit=units(least)) if least else ""
    if least == most:
        return units(least)
    if not least:
        return Phrase("at most {limit}", limit=units(most))
    return Phrase("{least:,} to {most}", least=least, most=units(most))


def _listed(values: Sequence[Scalar]) -> str:
    return joined([printable(value_text(value)) for value in values], " or ")


def _with_reason(rule: str, prepared: Prepared, path: str) -> str:
    """The rule, or the reason in its place, which is the rule with the evidence in the seeds, where it was inferred."""
    reason = prepared.reasons.get(path, "")
    return reason if printable(reason).startswith(rule) else rule


def _categories(prepared: Prepared, width: int | None) -> Text:
    table = prepared.recipe.categories
    combined = join_words(list(map(printable, table.attributes)))
    by = {
        "template": Phrase("by template of {field}", field=printable(table.field or "")),
        "field": Phrase("by value of {field}", field=printable(table.field or "")),
        "passage": Phrase("by template of the passages"),
        "attribute": Phrase(
            "by combination of {fields}" if len(table.attributes) > 1 else "by value of {fields}", fields=combined
        ),
    }.get(table.by, Phrase("returned by {function}", function=printable(table.by)))
    quotas = {name: quota for name, quota in prepared.quotas.items() if quota or table.by != "passage"}
    total = len(quotas)
    count = counted(total, "category", "categories")
    if table.by == "none":
        heading = f"  {_('{categories}, the whole data set', categories=count)}"
    else:
        heading = f"  {_('{categories} {how}', categories=count, how=by)}"
    room = _NAME_CELLS if width is None else max(min(_NAME_CELLS, width - _COLUMN_CELLS), 12)
    shown = {name: shorten(printable(name), room) for name in list(quotas)[:_LISTED]}
    widest = max(cell_len(heading) - 4, *map(cell_len, shown.values()))
    text = Text()
    columns = f"{pad_left(_('rows'), 8)}  {pad_left(_('max ROUGE-L'), 11)}"
    text.append(f"{pad(heading, widest + 4)}  {columns}\n", "bold")
    for name, label in shown.items():
        text.append(f"    {pad(label, widest)}  {format_number(quotas[name]):>8}  {prepared.thresholds[name]:>11.4f}\n")
    if total > _LISTED:
        text.append(f"    {_('and {count:,} more', count=total - _LISTED)}\n", "dim")
    return text
