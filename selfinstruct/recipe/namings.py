"""The names that a recipe's prompts may use, and the problems of the names that they do use.

attributes, passage, demos -> names of the first step -> its writes -> names of the second ... -> the row's fields
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from selfinstruct.messages import Phrase, joined
from selfinstruct.recipe import toml
from selfinstruct.recipe.errors import Problem, nearest, no_such_field
from selfinstruct.recipe.methods import Expand, Field
from selfinstruct.recipe.placeholders import names_in
from selfinstruct.recipe.tables import Recipe

#: The names available in every prompt, and in prompts about a passage.
ALWAYS = ("task", "category", "count", "demos", "demo", "form")
OF_PASSAGES = ("passage", "document", "page", "start", "end")


def naming_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield the problems of the attributes, documents, steps, judges, second opinions and expansions of a recipe."""
    yield from _attribute_problems(recipe)
    yield from _step_problems(recipe)
    known = known_names(recipe)
    for at, judge in enumerate(recipe.judge):
        for key in ("prompt", "system"):
            names = [*known, *recipe.fields]
            yield from _unknown(("judge", at, key), names_in(getattr(judge, key)), names, recipe.fields)
        yield from _no_model(recipe, ("judge", at, "model"), judge.model)
    yield from _verify_problems(recipe)
    yield from _expansion_problems(recipe, known)
    yield from _source_problems(recipe, known)


def _reserved(recipe: Recipe) -> tuple[str, ...]:
    """Return the names that attributes and steps must not use."""
    return (*ALWAYS, *OF_PASSAGES) if recipe.documents is not None or recipe.passages is not None else ALWAYS


def known_names(recipe: Recipe) -> list[str]:
    """Return the names that have a value after the last step."""
    return [*_initial_names(recipe), *(name for step in recipe.steps for name in step.writes)]


def _initial_names(recipe: Recipe) -> list[str]:
    """Return the names that have a value before the first step."""
    return [*_reserved(recipe), *recipe.attributes]


def _attribute_problems(recipe: Recipe) -> Iterator[Problem]:
    for name, attribute in recipe.attributes.items():
        path = ("attributes", name)
        if sum((bool(attribute.values), attribute.file is not None, bool(attribute.prompt))) != 1:
            yield Problem(
                path, "requires exactly one of values, file and prompt", 'for example: values = ["good", "bad"]'
            )
        if name in _reserved(recipe):
            yield Problem(path, "is a reserved name", "choose another name")
        if (len(attribute.draw) == 2 and attribute.draw[0] > attribute.draw[1]) or not attribute.draw[-1]:
            yield Problem(
                (*path, "draw"), "must draw at least one value, and the maximum must not be below the minimum"
            )
    categories = recipe.categories
    for name in categories.attributes:
        counted = recipe.attributes.get(name)
        if counted is None:
            yield _no_name(("categories", "attributes"), name, recipe.attributes)
        elif counted.prompt or counted.draw != (1,):
            message = Phrase(
                "{name} must have values or a file, and draw one value: quotas are per value", name=toml.literal(name)
            )
            yield Problem(("categories", "attributes"), message)
    if (categories.by == "attribute") != bool(categories.attributes):
        message = Phrase('attributes and by = "attribute" require each other')
        yield Problem(("categories", "attributes"), message, 'for example: attributes = ["rating"]')


def _step_problems(recipe: Recipe) -> Iterator[Problem]:
    known = _initial_names(recipe)
    names: list[str] = []
    for at, step in enumerate(recipe.steps):
        for key in ("prompt", "system"):
            yield from _unknown(("steps", at, key), names_in(getattr(step, key)), known, recipe.fields)
        yield from _unknown(("steps", at, "when"), list(step.when), known)
        yield from _unknown(("steps", at, "replace"), list(step.replace.values()), [*known, *step.writes])
        yield from _no_model(recipe, ("steps", at, "model"), step.model)
        if not step.writes:
            yield Problem(("steps", at, "writes"), "must name at least one thing that the reply contains")
        if step.reply == "text" and len(step.writes) > 1:
            yield Problem(("steps", at, "writes"), 'must be a single name with reply = "text"', 'or use reply = "json"')
        if (step.reply == "parts") != bool(step.separator):
            yield Problem(("steps", at, "separator"), 'separator and reply = "parts" require each other')
        if step.reply != "json" and step.rows != 1:
            yield Problem(("steps", at, "rows"), 'requires reply = "json"')
        if taken := [name for name in step.writes if name in _reserved(recipe)]:
            yield Problem(("steps", at, "writes"), Phrase("{taken} is a reserved name", taken=taken[0]))
        known += step.writes
        names.append(step.name)
    names += [judge.name for judge in recipe.judge]
    names += [ballot for verify in recipe.verify for ballot in verify.ballots or (verify.name,)]
    names += [expand.name for expand in recipe.expand]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            ("steps",),
            Phrase(
                "duplicate name {twice}: steps, judges, second opinions and expansions must have distinct names",
                twice=twice[0],
            ),
        )


def _verify_problems(recipe: Recipe) -> Iterator[Problem]:
    for at, verify in enumerate(recipe.verify):
        path = ("verify", at)
        if not verify.reads:
            hint = Phrase('for example: reads = ["Passage", "Question"]')
            yield Problem((*path, "reads"), "must name at least one field that the reader sees", hint)
        for name in verify.reads:
            if name not in recipe.fields:
                yield no_such_field((*path, "reads"), name, recipe.fields)
        if verify.answers not in recipe.fields:
            yield no_such_field((*path, "answers"), verify.answers, recipe.fields)
        elif verify.answers in verify.reads:
            yield Problem((*path, "answers"), "must not be one of the fields that the reader sees")
        yield from _no_model(recipe, (*path, "model"), verify.model)
        if verify.votes and recipe.expand:
            yield Problem(path, "cannot be combined with [[expand]]", "use the embedded reader: votes = 0")


def _expansion_problems(recipe: Recipe, known: Sequence[str]) -> Iterator[Problem]:
    known = [*known, *recipe.fields]
    for at, expand in enumerate(recipe.expand):
        path = ("expand", at)
        if sum((bool(expand.templates), expand.file is not None, bool(expand.prompt))) != 1:
            yield Problem(
                path,
                "requires exactly one of templates, file and prompt",
                'for example: templates = ["What is {term}?"]',
            )
        if expand.writes and expand.writes not in recipe.fields:
            yield _no_name((*path, "writes"), expand.writes, recipe.fields)
        if not expand.writes and expand.file is None:
            yield Problem((*path, "writes"), "missing; expected the field that the templates write")
        for template in expand.templates:
            yield from _unknown((*path, "templates"), names_in(template), known)
        yield from _jinja_problems(recipe, path, expand)


def _jinja_problems(recipe: Recipe, path: toml.KeyPath, expand: Expand) -> Iterator[Problem]:
    """Yield the problems of templates in Jinja, and of the keys that only these have."""
    if not expand.in_jinja:
        for key in ("context", "task_types"):
            if getattr(expand, key):
                yield Problem((*path, key), "has no effect: the templates are not in Jinja", "remove it")
        return
    if recipe.documents is None or recipe.documents.by != "row" or recipe.steps:
        hint = 'name the rows: [documents] files = ["rows.jsonl"], by = "row"'
        yield Problem((*path, "file"), "templates in Jinja need rows, and cannot be combined with [[steps]]", hint)
    if expand.writes:
        yield Problem(
            (*path, "writes"), "has no effect: templates in Jinja write instruction and response", "remove it"
        )
    if len(recipe.expand) > 1:
        yield Problem(path, "templates in Jinja cannot be combined with other templates", "write two recipes")
    if expand.context and not names_in(expand.context):
        yield Problem((*path, "context"), "names no field of the rows", 'for example: context = "{text}"')


def _source_problems(recipe: Recipe, known: Sequence[str]) -> Iterator[Problem]:
    """Yield the fields that nothing writes, and what is missing without seeds."""
    written = [*known, *(expand.writes for expand in recipe.expand)]
    # A file of templates may write several fields.
    open_ended = any(expand.file is not None and not expand.writes for expand in recipe.expand)
    for name, field in recipe.fields.items():
        if field.negatives is not None:
            yield from _negatives_problems(recipe, name, field)
        elif field.source is not None:
            yield from _unknown(("fields", name, "source"), [field.source], known)
        elif not recipe.imitates and not open_ended and name not in written and not (recipe.asks and field.unique):
            message = Phrase("is never written: no step, attribute or expansion has this name")
            yield Problem(("fields", name), message, "have a step write it, or set its source: source = ...")
    if recipe.imitates and recipe.documents is not None:
        yield Problem(("documents",), "has no effect without [[steps]]", "add [[steps]] whose prompts name {passage}")
    yield from _passage_problems(recipe)
    if recipe.seeds.file:
        return
    if recipe.imitates and recipe.passages is None:
        yield Problem(("seeds",), "missing; imitation needs seed rows", 'name the rows: [seeds] file = "rows.jsonl"')
    if recipe.categories.by in ("field", "template") or recipe.categories.function is not None:
        yield Problem(("categories", "by"), "needs seeds; none are configured", 'use by = "attribute" or by = "none"')
    if recipe.novelty.max_rouge_l == "seeds" and recipe.passages is None:
        yield Problem(("novelty", "max_rouge_l"), "needs seeds; none are configured", "set max_rouge_l = 0.7")
    if (
        recipe.quota.rows is None
        and recipe.quota.per_category is None
        and recipe.documents is None
        and recipe.passages is None
    ):
        yield Problem(("quota",), "must have rows or per_category", "for example: rows = 1000")


def _negatives_problems(recipe: Recipe, name: str, field: Field) -> Iterator[Problem]:
    """Yield the problems of a field whose values are found among the passages."""
    path = ("fields", name, "negatives")
    assert field.negatives is not None
    if not recipe.steps or (recipe.documents is None and recipe.passages is None):
        yield Problem(path, "needs [[steps]] about the passages of [documents]", 'add [documents] files = ["*.md"]')
    if field.type != "array":
        yield Problem(("fields", name, "type"), 'must be "array": the negatives are a list', 'write type = "array"')
    if field.source is not None:
        yield Problem(("fields", name, "source"), "cannot be combined with negatives", "remove one of them")
    of = recipe.fields.get(field.negatives.of)
    if of is not None and (of.source or field.negatives.of).partition(".")[0] != "passage":
        message = Phrase("{of} must be a passage", of=toml.literal(field.negatives.of))
        yield Problem((*path, "of"), message, 'give that field source = "passage"')


def _passage_problems(recipe: Recipe) -> Iterator[Problem]:
    """Yield the problems of a recipe whose rows are about passages."""
    if recipe.passages is None:
        if recipe.categories.by == "passage":
            yield Problem(("categories", "by"), "needs passages; none are configured", 'add [passages] files = ["..."]')
        if recipe.questions.weights:
            yield Problem(("questions",), "has no effect without [passages]", 'add [passages] files = ["..."]')
        return
    for table in ("documents", "expand", "judge"):
        if getattr(recipe, table):
            yield Problem((table,), "cannot be combined with [passages]", "remove one of them")
    if not recipe.passages.files:
        yield Problem(("passages", "files"), "must name at least one file", 'for example: files = ["app.log"]')
    if recipe.quota.weights and recipe.categories.by == "passage":
        hint = Phrase(
            "remove it: the shares follow from the lines; [questions] weights has those of the kinds of question"
        )
        yield Problem(("quota", "weights"), "cannot be combined with categories by passage", hint)


def _unknown(
    path: toml.KeyPath, names: Sequence[str], known: Collection[str], fields: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield the unknown names; for demonstrations, the names that are not in ``fields``."""
    for name in names:
        first, _, key = name.partition(".")
        if name not in known and first not in known:
            yield _no_name(path, name, known)
        elif first in ("demo", "demos") and key and key not in fields:
            yield _no_name(path, key, fields)


def _no_name(path: toml.KeyPath, name: str, known: Collection[str]) -> Problem:
    near = nearest(name, known)
    message = Phrase("unknown name {name}", name=toml.literal(name))
    if near:
        message = Phrase("{problem}; did you mean {near}?", problem=message, near=toml.literal(near))
    return Problem(path, message, Phrase("the names are: {known}", known=joined(known)))


def _no_model(recipe: Recipe, path: toml.KeyPath, name: str) -> Iterator[Problem]:
    if name and name not in [model.name for model in recipe.all_models]:
        yield _no_name(path, name, [model.name for model in recipe.all_models])
