"""Which fields of a row are the question, the answer and the context that a reader gets.

Where a field is grounded in another one, the reader finds it there (``span``): the answer is the grounded field, the
context the field that it is a span of, the question the field that asks. Otherwise it predicts the label that the
categories are counted by (``label``) from the other texts.

Does not handle: answers inside lists and objects, several answers of one row, answers in the writer's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase, joined
from selfinstruct.mining.questions import asking_paths
from selfinstruct.readers import Example
from selfinstruct.recipe import Recipe
from selfinstruct.records import Row
from selfinstruct.rows.leaves import Path
from selfinstruct.text import value_text


@dataclass(frozen=True, slots=True)
class Roles:
    """The fields of a task; ``question`` is "" where no field asks, and of labels the contexts may be several."""

    task: Literal["span", "label"]
    question: str
    answer: str
    contexts: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a row must have."""
        return (*([self.question] if self.question else []), *self.contexts, self.answer)

    def example(self, row: Row) -> Example | None:
        """Return a row as an example; None if a value is missing, empty, or a list or object."""
        values = [row.get(name) for name in self.fields]
        texts = ["" if value is None or isinstance(value, dict | list) else value_text(value) for value in values]
        if not all(text.strip() for text in texts):
            return None
        asked = texts[0] if self.question else ""
        return Example(asked, "\n".join(texts[bool(self.question) : -1]), texts[-1])

    @property
    def words(self) -> Phrase:
        """The roles in words, for messages."""
        fields = {"answer": self.answer, "context": joined(self.contexts)}
        if self.task == "span":
            task = Phrase("{answer} is found in {context}", **fields)
        else:
            task = Phrase("{answer} is predicted from {context}", **fields)
        return Phrase("{question} asks, {task}", question=self.question, task=task) if self.question else task


def infer_roles(recipe: Recipe, seeds: Sequence[Row]) -> Roles:
    """Return the roles of the fields of a recipe. Raises InputError if no field can be scored as an answer."""
    label = _label(recipe)
    grounded = {
        name: field.appears_in
        for name, field in recipe.fields.items()
        if field.appears_in is not None and name != label and field.type != "object" and field.type != "array"
    }
    texts = [
        name
        for name, field in recipe.fields.items()
        if field.type == "string" and name not in grounded and name != label and not field.unique
    ]
    for answer, context in grounded.items():
        question = _question(recipe, seeds, [name for name in texts if name not in grounded.values()], context)
        if question or label is None:
            return Roles("span", question, answer, (context,))
    if label is not None and texts:
        return Roles("label", "", label, tuple(texts))
    raise InputError(
        "{name}: no field can be scored as an answer",
        hint="Evaluation needs a field that is a span of another one (`appears_in`), or a label that the categories "
        "are counted by. The fields are {fields}.",
        name=recipe.name,
        fields=joined(recipe.fields),
    )


def _label(recipe: Recipe) -> str | None:
    if recipe.categories.by == "field":
        return recipe.categories.field
    if recipe.categories.by == "attribute":
        drawn = recipe.categories.attributes
        return next((name for name, field in recipe.fields.items() if (field.source or name) in drawn), None)
    return None


def _question(recipe: Recipe, seeds: Sequence[Row], names: Sequence[str], context: str) -> str:
    """The field that asks about a context: by its question marks, by the identifiers it takes, or the first text."""
    texts: list[dict[Path, str]] = [
        {(name,): row[name] for name in names if isinstance(row.get(name), str)} for row in seeds
    ]
    asking = asking_paths(texts)
    by_marks = [name for name in names if (name,) in asking]
    by_identifiers = [name for name in names if recipe.fields[name].identifiers_in == context]
    return next(iter([*by_marks, *by_identifiers, *names]), "")
