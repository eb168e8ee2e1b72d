"""Rows that must not be parted by a split: near-duplicates, rows about one context, and what the user names besides.

Two rows are near-duplicates if their ROUGE-L F1 is above the threshold of either. Near-duplicates of near-duplicates
stay together, too, and so do rows that are linked by any chain of these. The thresholds of a run may be so high that
rows of one template differ in a value alone: to keep templates together, they are at most 0.7, above which two texts
share most of their constant words.

Does not handle: assigning the groups (``splits``).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from selfinstruct.errors import InputError
from selfinstruct.mining.line_templates import line_templates
from selfinstruct.preparation import Prepared, chat_roles
from selfinstruct.preparation.infer import make_categories
from selfinstruct.preparation.thresholds import FLOOR
from selfinstruct.recipe import Categories, Recipe
from selfinstruct.records import Row
from selfinstruct.similarity import Groups, RowIndex, compared_text
from selfinstruct.text import canonical, value_text

#: What rows may be kept together by besides near-duplicates; any other name is a field.
CONTEXT, TEMPLATE, CATEGORY = "context", "template", "category"


def group_rows(
    rows: Sequence[Row],
    categories: Sequence[str],
    passages: Sequence[int | None],
    limits: Sequence[float],
    prepared: Prepared,
    by: str,
) -> list[list[int]]:
    """Return the groups of rows that stay together, as positions.

    ``categories`` are those of the rows, ``passages`` the numbers of the passages that they are about, ``limits`` the
    F1 above which another row is a near-duplicate of each. ``by`` is one of the constants of this module or a field.

    Raises InputError if no row has the field ``by``.
    """
    groups = Groups(len(rows))
    groups.join_equal(passages)
    for name in context_names(prepared.recipe):
        groups.join_equal(_key(row.get(name)) for row in rows)
    if by == CATEGORY:
        groups.join_equal(category or None for category in categories)
    elif by == TEMPLATE:
        groups.join_equal(templates_of(rows, categories, prepared))
    elif by != CONTEXT:
        if not any(by in row for row in rows):
            raise InputError(
                "`split_by`: no field {field!r}",
                hint="Name context, template, category, or one of the fields {fields}.",
                field=by,
                fields=", ".join(prepared.recipe.fields),
            )
        groups.join_equal(_key(row.get(by)) for row in rows)
    join_near(groups, rows, prepared.recipe, limits)
    return groups.members()


def join_near(groups: Groups, rows: Sequence[Row], recipe: Recipe, limits: Sequence[float]) -> None:
    """Join each row with every row whose ROUGE-L F1 with it is above its limit, and rows that compare as the same."""
    groups.join_equal(canonical(compared_text(row, recipe.novelty.fields)) for row in rows)
    index = RowIndex(recipe.novelty, min_threshold=min(limits, default=1.0))
    index.add_all(rows)
    for at, (row, limit) in enumerate(zip(rows, limits, strict=True)):
        if limit < 1:
            for other in index.near(row, limit, groups.labels):
                groups.join(at, other)


def near_limits(categories: Sequence[str], prepared: Prepared, by: str) -> list[float]:
    """Return the ROUGE-L F1 above which another row is a near-duplicate of a row, for rows of these categories."""
    known = prepared.thresholds
    most = FLOOR if by == TEMPLATE else 1.0
    least = min(known.values(), default=1.0)
    return [min(known.get(each, least), most) for each in categories]


def context_names(recipe: Recipe) -> list[str]:
    """Return the fields that others are about: those that answers appear in, passages, and the context of chats."""
    roles = chat_roles(recipe)
    named = [field.appears_in or field.identifiers_in for field in recipe.fields.values()]
    named += [] if roles is None else [roles.context]
    named += [name for name, field in recipe.fields.items() if field.source == "passage"]
    return [name for name in dict.fromkeys(named) if name and name in recipe.fields]


def templates_of(rows: Sequence[Row], categories: Sequence[str], prepared: Prepared) -> list[Hashable]:
    """Return the template of each row: the category where that is one, else the template of its question.

    The templates are those of the seeds; rows that fit none of them, or were grown from no seeds, are grouped by what
    they have in common apart from words with digits and words that vary.
    """
    recipe = prepared.recipe
    if recipe.categories.by in ("template", "passage"):
        return list(categories)
    name = _asking(recipe)
    found = [""] * len(rows)
    if prepared.seeds.rows and name in recipe.fields:
        changed = recipe.model_copy(update={"categories": Categories(by="template", field=name)})
        of_seeds = make_categories(changed, prepared.statistics)
        found = [of_seeds.of(row) for row in rows]
    left = [at for at, template in enumerate(found) if not template]
    texts = {at: " ".join(compared_text(rows[at], recipe.novelty.fields).split()) for at in left}
    ordered = sorted(set(texts.values()))  # templates depend on the order of texts
    numbers = dict(zip(ordered, line_templates(ordered)[1], strict=True))
    return [template or numbers[texts[at]] for at, template in enumerate(found)]


def _asking(recipe: Recipe) -> str:
    """The field that tells what a row is: what the user says, else the first that is compared."""
    roles = chat_roles(recipe)
    return roles.user if roles is not None else next(iter(recipe.novelty.fields), "")


def _key(value: object) -> str | None:
    """A value as text in canonical form; None where there is none."""
    return None if value in (None, "") else canonical(value_text(value))
