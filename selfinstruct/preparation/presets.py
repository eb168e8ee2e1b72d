"""Presets: the built-in recipe for bare seed rows, by the names of their fields.

    instruction, input, output -> alpaca        messages -> messages        content, summary -> phrasings

For labelled text and questions about a context the inferred recipe is used; only the name of the similar
built-in recipe is reported.

Does not handle: other field names; such rows are imitated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Language, Recipe, builtin, load_recipe

_PAIRS = (("content", "summary"), ("内容", "概要"))


@dataclass(frozen=True, slots=True)
class Preset:
    """The recipe for the seeds, the built-in recipe that it is based on, and the reason."""

    recipe: Recipe
    like: str
    why: str


def find_preset(inferred: Recipe, fields: Sequence[str], language: Language) -> Preset | None:
    """Return the recipe for seeds with these fields, based on the inferred one; None if no built-in recipe applies.

    Its prompts are in ``language``.
    """
    names = set(fields)
    if {"instruction", "output"} <= names <= {"instruction", "input", "output"}:
        return Preset(
            _for(inferred, "alpaca", fields, language), "alpaca", Phrase("rows of instruction and output are tasks")
        )
    if names == {"messages"}:
        return Preset(
            _for(inferred, "messages", fields, language), "messages", Phrase("rows of messages are conversations")
        )
    for content, summary in _PAIRS:
        if names == {content, summary}:
            recipe = _phrasings(inferred, content, summary, language)
            why = Phrase("{summary} answers what {content} asks", summary=summary, content=content)
            return Preset(recipe, "phrasings", why)
    if inferred.categories.by == "field":
        why = Phrase("{field} is a label, which is kept", field=inferred.categories.field)
        return Preset(inferred, "sentiment-augment", why)
    if inferred.categories.by == "template" and any(each.appears_in for each in inferred.fields.values()):
        return Preset(inferred, "logqa", Phrase("questions, each answered by a part of its context"))
    return None


def _for(inferred: Recipe, name: str, fields: Sequence[str], language: Language) -> Recipe:
    """A built-in recipe with the seeds of another, without the fields that these lack."""
    built = load_recipe(builtin.path(name), language=language)
    changes: dict[str, Any] = {
        "name": inferred.name,
        "seeds": inferred.seeds,
        "quota": inferred.quota,
        "fields": {field: built.fields[field] for field in fields},
        "steps": tuple(
            step.model_copy(update={"writes": tuple(each for each in step.writes if _kept(each, built, fields))})
            for step in built.steps
        ),
    }
    return built.model_copy(update=changes)


def _kept(name: str, built: Recipe, fields: Sequence[str]) -> bool:
    return name in fields or name not in built.fields


def _phrasings(inferred: Recipe, content: str, summary: str, language: Language) -> Recipe:
    """The recipe for twenty questions per pair, with the names of these fields."""
    built = load_recipe(builtin.path("phrasings"), language=language)
    question = "question" if content.isascii() else "问题"
    expand = built.expand[0]
    prompt = expand.prompt.replace("{{content}}", f"{{{{{content}}}}}")
    fields: Mapping[str, Any] = {
        question: built.fields["question"],
        content: built.fields["content"].model_copy(update={"source": f"passage.{content}"}),
        summary: built.fields["summary"].model_copy(update={"source": f"passage.{summary}"}),
    }
    read = {"files": (inferred.seeds.file,), "encoding": inferred.seeds.encoding}
    documents = built.documents.model_copy(update=read) if built.documents else None
    changes = {
        "name": inferred.name,
        "documents": documents,
        "fields": fields,
        "expand": (expand.model_copy(update={"writes": question, "prompt": prompt}),),
        "novelty": built.novelty.model_copy(update={"fields": (question, summary)}),
    }
    return built.model_copy(update=changes)
