"""The names that a recipe's prompts may use, where each comes from, and what is wrong with those that are used.

attributes, passage, demos -> names of the first step -> its writes -> names of the second ... -> the row's fields
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem, nearest
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.recipe.tables import Recipe

#: What every prompt may name, and what prompts about a passage may.
ALWAYS = ("task", "category", "count", "demos", "demo", "form")
OF_PASSAGES = ("passage", "document", "page", "start", "end")


def naming_problems(recipe: Recipe) -> Iterator[Problem]:
    """Everything that is wrong with the attributes, documents, steps, judges and expansions of a recipe."""
    yield from _attribute_mistakes(recipe)
    yield from _step_mistakes(recipe)
    known = known_names(recipe)
    for at, judge in enumerate(recipe.judge):
        for key in ("prompt", "system"):
            names = [*known, *recipe.fields]
            yield from _unknown(("judge", at, key), names_in(getattr(judge, key)), names, recipe.fields)
        yield from _no_model(recipe, ("judge", at, "model"), judge.model)
    yield from _expansion_mistakes(recipe, known)
    yield from _source_mistakes(recipe, known)


def _reserved(recipe: Recipe) -> tuple[str, ...]:
    """The names that nothing else may be called."""
    return (*ALWAYS, *OF_PASSAGES) if recipe.documents is not None else ALWAYS


def known_names(recipe: Recipe) -> list[str]:
    """The names that have a value once every step was asked."""
    return [*_given(recipe), *(name for step in recipe.steps for name in step.writes)]


def _given(recipe: Recipe) -> list[str]:
    """The names that have a value before the first step."""
    return [*_reserved(recipe), *recipe.attributes]


def _attribute_mistakes(recipe: Recipe) -> Iterator[Problem]:
    for name, attribute in recipe.attributes.items():
        path = ("attributes", name)
        if sum((bool(attribute.values), attribute.file is not None, bool(attribute.prompt))) != 1:
            yield Problem(path, "needs one of values, file and prompt", 'for example: values = ["good", "bad"]')
        if name in _reserved(recipe):
            yield Problem(path, "is a name that prompts have for something else", "choose another name")
        if (len(attribute.draw) == 2 and attribute.draw[0] > attribute.draw[1]) or not attribute.draw[-1]:
            yield Problem((*path, "draw"), "draws nothing: the most is below the least, or is 0")
    categories = recipe.categories
    for name in categories.attributes:
        counted = recipe.attributes.get(name)
        if counted is None:
            yield _no_name(("categories", "attributes"), name, recipe.attributes)
        elif counted.prompt or counted.draw != (1,):
            message = f"{toml.literal(name)} must have values or a file, and draw one: quotas are counted in its values"
            yield Problem(("categories", "attributes"), message)
    if (categories.by == "attribute") != bool(categories.attributes):
        message = 'go with by = "attribute": the attributes whose values, each with each, are the categories'
        yield Problem(("categories", "attributes"), message, 'for example: attributes = ["rating"]')


def _step_mistakes(recipe: Recipe) -> Iterator[Problem]:
    known = _given(recipe)
    names: list[str] = []
    for at, step in enumerate(recipe.steps):
        for key in ("prompt", "system"):
            yield from _unknown(("steps", at, key), names_in(getattr(step, key)), known, recipe.fields)
        yield from _unknown(("steps", at, "when"), list(step.when), known)
        yield from _unknown(("steps", at, "replace"), list(step.replace.values()), [*known, *step.writes])
        yield from _no_model(recipe, ("steps", at, "model"), step.model)
        if not step.writes:
            yield Problem(("steps", at, "writes"), "names nothing: what is the reply for?")
        if step.reply == "text" and len(step.writes) > 1:
            yield Problem(
                ("steps", at, "writes"), 'is one name where reply = "text": all of it', 'or say reply = "json"'
            )
        if (step.reply == "parts") != bool(step.separator):
            yield Problem(("steps", at, "separator"), 'goes with reply = "parts": the text between the parts')
        if step.reply != "json" and step.rows != 1:
            yield Problem(("steps", at, "rows"), 'goes with reply = "json"')
        if taken := [name for name in step.writes if name in _reserved(recipe)]:
            yield Problem(("steps", at, "writes"), f"{taken[0]} is a name that prompts have for something else")
        known += step.writes
        names.append(step.name)
    names += [judge.name for judge in recipe.judge]
    names += [expand.name for expand in recipe.expand]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield Problem(("steps",), f"steps, judges and expansions need names of their own: {twice[0]} is there twice")


def _expansion_mistakes(recipe: Recipe, known: Sequence[str]) -> Iterator[Problem]:
    known = [*known, *recipe.fields]
    for at, expand in enumerate(recipe.expand):
        path = ("expand", at)
        if sum((bool(expand.templates), expand.file is not None, bool(expand.prompt))) != 1:
            yield Problem(
                path, "needs one of templates, file and prompt", 'for example: templates = ["What is {term}?"]'
            )
        if expand.writes and expand.writes not in recipe.fields:
            yield _no_name((*path, "writes"), expand.writes, recipe.fields)
        if not expand.writes and expand.file is None:
            yield Problem((*path, "writes"), "missing: which field do the templates write?")
        for template in expand.templates:
            yield from _unknown((*path, "templates"), names_in(template), known)


def _source_mistakes(recipe: Recipe, known: Sequence[str]) -> Iterator[Problem]:
    """Fields that nothing writes, and seeds that are missing."""
    written = [*known, *(expand.writes for expand in recipe.expand)]
    # The texts of a file of templates may be of several fields.
    open_ended = any(expand.file is not None and not expand.writes for expand in recipe.expand)
    for name, field in recipe.fields.items():
        if field.source is not None:
            yield from _unknown(("fields", name, "source"), [field.source], known)
        elif not recipe.imitates and not open_ended and name not in written:
            message = "is written by nothing: no step, attribute or expansion is called that"
            yield Problem(("fields", name), message, f"have a step write it, or say where it is from: {'source = ...'}")
    if recipe.imitates and recipe.documents is not None:
        yield Problem(("documents",), "are read by no one: add [[steps]] that ask about {passage}")
    if recipe.seeds.file:
        return
    if recipe.imitates:
        yield Problem(("seeds",), "missing: there is nothing to imitate", 'name the rows: [seeds] file = "rows.jsonl"')
    if recipe.categories.by in ("field", "template") or recipe.categories.function is not None:
        yield Problem(("categories", "by"), "needs seeds; none are configured", 'say by = "attribute" or by = "none"')
    if recipe.novelty.max_rouge_l == "seeds":
        yield Problem(("novelty", "max_rouge_l"), "is measured on seeds, and there are none", "say max_rouge_l = 0.7")
    if recipe.quota.rows is None and recipe.quota.per_category is None and recipe.documents is None:
        yield Problem(("quota",), "says neither rows nor per_category", "for example: rows = 1000")


def _unknown(
    path: toml.KeyPath, names: Sequence[str], known: Collection[str], fields: Collection[str] = ()
) -> Iterator[Problem]:
    """The names that are not known; of demonstrations, those that are no ``fields``."""
    for name in names:
        first, _, key = name.partition(".")
        if name not in known and first not in known:
            yield _no_name(path, name, known)
        elif first in ("demo", "demos") and key and key not in fields:
            yield _no_name(path, key, fields)


def _no_name(path: toml.KeyPath, name: str, known: Collection[str]) -> Problem:
    near = nearest(name, known)
    message = f"there is no {toml.literal(name)} here{f'; did you mean {toml.literal(near)}?' if near else ''}"
    return Problem(path, message, f"the names are: {', '.join(known)}")


def _no_model(recipe: Recipe, path: toml.KeyPath, name: str) -> Iterator[Problem]:
    if name and name not in [model.name for model in recipe.all_models]:
        yield _no_name(path, name, [model.name for model in recipe.all_models])
