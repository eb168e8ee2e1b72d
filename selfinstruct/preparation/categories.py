"""Categories: which class a row belongs to, whatever class it was asked for.

Does not handle: classes that overlap. A row belongs to one category or to none.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rapidfuzz.distance import LCSseq

from selfinstruct.errors import ExtensionError, RecipeError
from selfinstruct.mining.text_template import TextTemplate
from selfinstruct.mining.value_statistics import ValueStatistics
from selfinstruct.recipe import Categories as Table
from selfinstruct.recipe import extension_error, import_extension
from selfinstruct.records import JSON, Row
from selfinstruct.text import tokens, value_text

#: A text of no template goes to the one that it shares most constant words with, if it has this share of them.
KINSHIP = 0.7
ALL = "all"


class Categorizer(Protocol):
    """The known categories, in the order of their first seed."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, each once."""
        ...

    def of(self, row: Row) -> str:
        """The category that ``row`` belongs to, or "" for none."""
        ...


@dataclass(frozen=True, slots=True)
class SingleCategory:
    """A single category for every row."""

    names: tuple[str, ...] = (ALL,)

    def of(self, row: Row) -> str:
        """Always the one."""
        return ALL


@dataclass(frozen=True, slots=True)
class AttributeCategories:
    """The combinations of attributes' values; which one a row is of, its batch says and not the row."""

    names: tuple[str, ...]

    def of(self, row: Row) -> str:
        """None that could be told by the row alone."""
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
                f"categories.by: {reference}: returned no category for seed row {names.index('') + 1}",
                hint="Return a text that is not empty for every seed row.",
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
            f"{reference}: expected the category as text, got {repr(name)[:80]}",
            hint='Return the name of the category, "" for none.',
        )
    return name


@dataclass(frozen=True, slots=True)
class FieldCategories:
    """The value of one field, as the seeds have it; other values belong to no category."""

    field: str
    names: tuple[str, ...]

    def of(self, row: Row) -> str:
        """The field's value, where some seed has it."""
        label = label_of(row.get(self.field))
        return label if label in self.names else ""


@dataclass(frozen=True, slots=True)
class TemplateCategories:
    """The template of one field's text.

    A text that fits several belongs to the one with most constant text; a text that fits none belongs to the
    nearest in words (``KINSHIP``), since a model may ask the same question in slightly other words.
    """

    field: str
    names: tuple[str, ...]
    templates: tuple[TextTemplate, ...]
    words: tuple[tuple[str, ...], ...]

    def of(self, row: Row) -> str:
        """The template of the row's text."""
        text = row.get(self.field)
        if not isinstance(text, str):
            return ""
        fitting = [at for at, template in enumerate(self.templates) if template.match(text) is not None]
        if fitting:
            return self.names[max(fitting, key=lambda at: sum(map(len, self.templates[at].parts)))]
        said = tokens(text)
        shares = [2 * LCSseq.similarity(said, words) / (len(words) + len(said) or 1) for words in self.words]
        kept = [LCSseq.similarity(said, words) / (len(words) or 1) for words in self.words]
        best = max(range(len(shares)), key=shares.__getitem__, default=0)
        return self.names[best] if kept and kept[best] >= KINSHIP else ""


def label_of(value: JSON) -> str:
    """A label's text: a string as it is, any other JSON value as JSON writes it."""
    return value_text(value)


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
        labels = dict.fromkeys(label_of(row.get(table.field)) for row in statistics.rows)
        return FieldCategories(table.field, tuple(labels))
    templates = statistics.templates(table.field, others).templates
    words = tuple(tuple(tokens(" ".join(template.parts))) for template in templates)
    return TemplateCategories(table.field, tuple(template.name for template in templates), templates, words)
