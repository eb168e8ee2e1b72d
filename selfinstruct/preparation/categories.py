"""Categories: the class of a row, regardless of the class that was requested.

Does not handle: overlapping classes. A row belongs to at most one category.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rapidfuzz.distance import LCSseq

from selfinstruct.errors import ExtensionError, RecipeError
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining import TextTemplate, ValueStatistics
from selfinstruct.recipe import Categories as Table
from selfinstruct.recipe import Recipe, extension_error, import_extension
from selfinstruct.records import JSON, Row
from selfinstruct.text import canonical, caseless, tokens, value_text

#: A text that matches no template belongs to the most similar one, if it contains this share of its constant words.
LEAST_SHARED_WORDS = 0.7
ALL = "all"


class Categorizer(Protocol):
    """Assigns rows to categories."""

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct names of the categories, in the order of their first seed."""
        ...

    def of(self, row: Row) -> str:
        """Return the category of ``row``, or "" if it has none."""
        ...


@dataclass(frozen=True, slots=True)
class SingleCategory:
    """A single category for every row."""

    names: tuple[str, ...] = (ALL,)

    def of(self, row: Row) -> str:
        """Return the only category."""
        return ALL


@dataclass(frozen=True, slots=True)
class AttributeCategories:
    """The combinations of attributes' values; a row's category is known from its batch only."""

    names: tuple[str, ...]

    def of(self, row: Row) -> str:
        """Return "": the row alone does not determine the category."""
        return ""


@dataclass(frozen=True, slots=True)
class PassageCategories:
    """The templates of passages; a row's category is that of its passage, which only its batch knows."""

    names: tuple[str, ...]

    def of(self, row: Row) -> str:
        """Return "": seeds are about other texts."""
        return ""


@dataclass(frozen=True, slots=True)
class FunctionCategories:
    """What a function of the user's own returns for a row, of the values that it returns for the seeds."""

    reference: str
    function: Callable[[Row], Any]
    names: tuple[str, ...]

    @classmethod
    def over(cls, reference: str, seeds: Sequence[Row]) -> FunctionCategories:
        """The categories of these seeds.

        Raises RecipeError where the function cannot be imported or returns "" for one, ExtensionError where it fails.
        """
        function = import_extension(reference)
        names = [_call(reference, function, row) for row in seeds]
        if "" in names:
            raise RecipeError(
                "categories.by: {reference}: returned no category for seed row {number}",
                hint="Return a text that is not empty for every seed row.",
                reference=reference,
                number=names.index("") + 1,
            )
        return cls(reference, function, tuple(dict.fromkeys(names)))

    def of(self, row: Row) -> str:
        """What the function returns, where it does for some seed. Raises ExtensionError where it fails."""
        name = _call(self.reference, self.function, row)
        return name if name in self.names else ""


def _call(reference: str, function: Callable[[Row], Any], row: Row) -> str:
    try:
        name = function(copy.deepcopy(row))
    except Exception as error:
        raise extension_error(reference, error) from error
    if not isinstance(name, str):
        raise ExtensionError(
            "{reference}: expected the category as text, got {name}",
            hint='Return the name of the category, "" for none.',
            reference=reference,
            name=repr(name)[:80],
        )
    return name


@dataclass(frozen=True, slots=True)
class FieldCategories:
    """The values of one field in the seeds; rows with other values have no category.

    Values that differ only by case or blanks are one category, with the name that most seeds have.
    """

    field: str
    names: tuple[str, ...]
    #: The name of the category of each value.
    by_value: Mapping[str, str]

    @classmethod
    def over(cls, field: str, rows: Sequence[Row]) -> FieldCategories:
        """The categories of these rows, in the order of their first row."""
        return cls.of_values(field, (row.get(field) for row in rows))

    @classmethod
    def of_values(cls, field: str, given: Iterable[JSON]) -> FieldCategories:
        """The categories of rows with these values of the field."""
        by_value = {
            value: max(values, key=lambda each: (values[each], bool(each.strip() == each)))
            for values in spellings(given)
            for value in values
        }
        return cls(field, tuple(dict.fromkeys(by_value.values())), by_value)

    def of(self, row: Row) -> str:
        """Return the category of the field's value, or "" if no seed has it; labels are compared as the same text."""
        label = label_of(row.get(self.field))
        if label in self.by_value or label.isascii():
            return self.by_value.get(label, "")
        form = canonical(label)
        return next((name for value, name in self.by_value.items() if canonical(value) == form), "")


@dataclass(frozen=True, slots=True)
class TemplateCategories:
    """The template of one field's text.

    A text that matches several belongs to the one with the longest constant text; a text that matches none belongs to
    the most similar one (``LEAST_SHARED_WORDS``), since a model may rephrase a question slightly.
    """

    field: str
    names: tuple[str, ...]
    templates: tuple[TextTemplate, ...]
    words: tuple[tuple[str, ...], ...]

    def of(self, row: Row) -> str:
        """Return the template of the row's text."""
        text = row.get(self.field)
        if not isinstance(text, str):
            return ""
        fitting = [at for at, template in enumerate(self.templates) if template.match(text) is not None]
        if fitting:
            return self.names[max(fitting, key=lambda at: sum(map(len, self.templates[at].parts)))]
        own = tokens(text)
        shares = [2 * LCSseq.similarity(own, words) / (len(words) + len(own) or 1) for words in self.words]
        kept = [LCSseq.similarity(own, words) / (len(words) or 1) for words in self.words]
        best = max(range(len(shares)), key=shares.__getitem__, default=0)
        return self.names[best] if kept and kept[best] >= LEAST_SHARED_WORDS else ""


def label_of(value: JSON) -> str:
    """Return a label as text: a string unchanged, any other value as JSON."""
    return value_text(value)


def folded(value: JSON) -> str:
    """Return a label as text without its letter case, outer blanks and runs of blanks."""
    return " ".join(caseless(value).split())


def spellings(values: Iterable[JSON]) -> list[dict[str, int]]:
    """Group labels that differ only by case or blanks: for each, its spellings with the number of rows.

    >>> spellings(["good", "bad", "Good ", "good"])
    [{'good': 2, 'Good ': 1}, {'bad': 1}]
    """
    groups: dict[str, dict[str, int]] = {}
    for value in values:
        label = label_of(value)
        counts = groups.setdefault(folded(value), {})
        counts[label] = counts.get(label, 0) + 1
    return list(groups.values())


def with_labels(recipe: Recipe, rows: Sequence[Row]) -> Recipe:
    """Return the recipe with the labels of ``rows`` as the values of the field that is their category.

    Only where a second opinion answers this field: its reader must know what there is to choose from.
    """
    name = recipe.categories.field
    if recipe.categories.by != "field" or name not in [each.answers for each in recipe.verify] or name is None:
        return recipe
    field = recipe.fields[name]
    if field.one_of or not rows:
        return recipe
    labels = FieldCategories.over(name, rows).names
    return recipe.model_copy(
        update={"fields": {**recipe.fields, name: field.model_copy(update={"one_of": labels})}},
    )


def spelling_notes(categories: Categorizer) -> list[str]:
    """A sentence for each category whose values have several spellings."""
    if not isinstance(categories, FieldCategories):
        return []
    others: dict[str, list[str]] = {}
    for value, name in categories.by_value.items():
        if value != name:
            others.setdefault(name, []).append(json.dumps(value, ensure_ascii=False))
    return [
        Phrase.counting(
            "{field}: {values} counts as {name}, which differs only by case or blanks",
            "{field}: {values} count as {name}, which differs only by case or blanks",
            len(values),
            field=categories.field,
            values=joined(values),
            name=json.dumps(name, ensure_ascii=False),
        )
        for name, values in others.items()
    ]


def build_categorizer(table: Table, others: Sequence[str] | None, statistics: ValueStatistics) -> Categorizer:
    """The categories that a recipe's ``[categories]`` makes of the rows in ``statistics``.

    ``others`` are the fields that show whether a word of the template's field is a value, None where no other
    field refers to it (see ``mine_templates``).
    """
    if table.function is not None:
        return FunctionCategories.over(table.function, statistics.rows)
    if table.by == "none" or table.field is None:
        return SingleCategory()
    if table.by == "field":
        return FieldCategories.over(table.field, statistics.rows)
    templates = statistics.templates(table.field, others).templates
    words = tuple(tuple(tokens(" ".join(template.parts))) for template in templates)
    return TemplateCategories(table.field, tuple(template.name for template in templates), templates, words)
