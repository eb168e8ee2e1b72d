"""The method of a recipe in words: sources, author, steps, judges, second opinions, expansions.

Does not handle: results. Names are data; the caller chooses how they are shown, as code or escaped for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from selfinstruct.analysis.dry_run import LIST_PREFIX
from selfinstruct.growth import FIRST_TRAINING
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Attribute, Expand, Judge, Recipe, Step, Verify
from selfinstruct.recipe.methods import Constraints
from selfinstruct.recipe.namings import OF_PASSAGES
from selfinstruct.render.text import counted, format_number, printable
from selfinstruct.text import value_text

#: The keys of constraints that look at the content of a value.
_CONTENT_KEYS = (
    "appears_in", "identifiers_in", "pattern", "refuse", "one_of", "choice_of", "differs_from", "snippets",
)  # fmt: skip
#: Turns a name from outside into text to show.
Shown = Callable[[str], str]


def source_lines(prepared: Prepared, shown: Shown = printable) -> list[str]:
    """The sources of the rows, each with its number: seeds, passages, values of attributes."""
    recipe, inputs = prepared.recipe, prepared.inputs
    sources: list[str] = [counted(len(prepared.seeds.rows), "seed")] if prepared.seeds.rows else []
    if recipe.documents is not None or recipe.passages is not None:
        sources.append(counted(len(inputs.passages), "passage"))
    for name, attribute in recipe.attributes.items():
        values = inputs.lists.get(name)
        # In a dry run the model has not written its lists yet.
        count = len(values) if values is not None else attribute.size
        noun = name.replace("_", " ").replace("-", " ")
        sources.append(counted(count, shown(noun), shown(_plural(noun))))
    return sources


def source_phrase(prepared: Prepared) -> str:
    """The sources as one phrase: 50 passages and 16 task types."""
    return join_words(source_lines(prepared)) or "the recipe's prompts"


def join_words(parts: Sequence[str]) -> str:
    """Join words as in: one, two and three."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def writer_phrase(prepared: Prepared) -> str:
    """The author of the rows, in words."""
    recipe = prepared.recipe
    if recipe.backend is not None:
        return f"the backend {printable(recipe.backend)}"
    if not recipe.all_models:
        if recipe.needs_model:
            return "a model (none is set)"
        return "the embedded imitator" if recipe.imitates or recipe.asks else "templates only"
    models = [
        f"{printable(each.name)}{f' at {printable(each.base_url)}' if each.base_url else ''}"
        for each in recipe.all_models
    ]
    return f"the model {models[0]}" if len(models) == 1 else f"{len(models)} models: {', '.join(models)}"


def step_lines(prepared: Prepared, shown: Shown = printable) -> Iterator[tuple[str, str]]:
    """Each step with its name, in the order of the run; none where rows are imitated."""
    recipe = prepared.recipe
    for name, attribute in recipe.attributes.items():
        if attribute.prompt:
            yield f"{LIST_PREFIX}{name}", f"first requests a list of {counted(attribute.size, 'value')}"
    for expand in recipe.expand:
        if expand.prompt:
            yield f"{LIST_PREFIX}{expand.name}", f"first requests {counted(expand.size, 'template')}"
    for step in recipe.steps:
        asks = recipe.asks and not recipe.all_models and recipe.backend is None
        yield step.name, "asks about one passage at a time; no requests" if asks else _requests(step, shown)
    for judge in recipe.judge:
        yield judge.name, _judges(judge, shown)
    for verify in recipe.verify:
        yield verify.name, _verifies(verify, recipe, shown)
    for expand in recipe.expand:
        yield expand.name, _expands(expand, prepared, shown)


def batch_conditions(prepared: Prepared, shown: Shown) -> list[str]:
    """The inputs of a batch: a passage, values of attributes."""
    recipe = prepared.recipe
    inputs = ["a passage"] if recipe.documents is not None or recipe.passages is not None else []
    return inputs + [_drawn(attribute, shown(name)) for name, attribute in recipe.attributes.items()]


def field_source(recipe: Recipe, name: str, shown: Shown = printable) -> str:
    """The source of a field that no step writes, or ""."""
    source = recipe.fields[name].source
    if source in ("passage", "category") and recipe.passages is not None:
        return f"the {source}"
    if source is not None:
        return f"taken from {shown(source)}"
    if recipe.documents is not None and name in OF_PASSAGES:
        return "taken from the passage"
    return "the drawn value" if name in recipe.attributes else ""


def unchecked_phrase(recipe: Recipe, name: str) -> str:
    """What is not checked about the values of a field, or "" where a rule decides about their content."""
    field, categories = recipe.fields[name], recipe.categories
    rules: list[Constraints] = [field, *(rule for rule in recipe.rules if rule.field == name)]
    checked = any(getattr(each, key) not in (None, ()) for each in rules for key in _CONTENT_KEYS)
    referred = any(name in (each.appears_in, each.identifiers_in) for each in recipe.fields.values())
    referred = referred or any(name in relation.fields for relation in recipe.relations)
    label = categories.by in ("field", "template") and categories.field == name
    if checked or referred or label or field.unique or field.negatives or field_source(recipe, name):
        return ""
    limits = (field.min_chars, field.max_chars, field.min_words, field.max_words)
    length = any(each is not None for each in limits)
    if field.type in ("string", "any"):
        return f"free text, {'only its length is' if length else 'not'} checked"
    return "only its type is checked"


def unchecked_fields(recipe: Recipe) -> list[str]:
    """The fields about whose content no rule decides, and no judge."""
    return [] if recipe.judge else [name for name in recipe.fields if unchecked_phrase(recipe, name)]


def novelty_phrase(recipe: Recipe, shown: Shown) -> str:
    """The fields that novelty compares: together, or each on its own."""
    names = [shown(name) for name in recipe.novelty.fields]
    if recipe.novelty.per_field and len(names) > 1:
        return f"each of {join_words(names)}"
    return ", ".join(names)


def shares_origin(recipe: Recipe) -> bool:
    """Whether rows of one batch may be similar because later steps or templates make them from one row."""
    if recipe.expand:
        return True
    compared = {(recipe.fields[name].source or name).partition(".")[0] for name in recipe.novelty.fields}
    known = {*recipe.attributes, *OF_PASSAGES}
    for at, step in enumerate(recipe.steps):
        if at and compared <= known and step.rows != 1:
            return True
        known.update(step.writes)
    return False


def _requests(step: Step, shown: Shown) -> str:
    rows = {0: "rows with ", 1: ""}.get(step.rows, f"{format_number(step.rows)} rows with ")
    words = f"requests {rows}{join_words([shown(name) for name in step.writes])}"
    for name, values in step.when.items():
        words += f", where {shown(name)} is {' or '.join(shown(value_text(value)) for value in values)}"
    return words + (f", from the model {shown(step.model)}" if step.model else "")


def _judges(judge: Judge, shown: Shown) -> str:
    words = f"scores each row and rejects scores below {judge.least:g}"
    return words + (f", with the model {shown(judge.model)}" if judge.model else "")


def _verifies(verify: Verify, recipe: Recipe, shown: Shown) -> str:
    goal = f"must find {shown(verify.answers)} from {join_words([shown(name) for name in verify.reads])}"
    if verify in recipe.verified_by_reader:
        return f"the embedded reader {goal}; it learns from the other rows, {FIRST_TRAINING} at least; no requests"
    votes = counted(verify.votes, "reply", "replies")
    who = f"the model {shown(verify.model)}" if verify.model else "a model"
    return f"{who} {goal}: most of {votes}" if verify.votes > 1 else f"{who} {goal}"


def _expands(expand: Expand, prepared: Prepared, shown: Shown) -> str:
    templates = prepared.inputs.templates.get(expand.name, ())
    fields = [name for each in templates for name in each.texts if name in prepared.recipe.fields] or [expand.writes]
    most = "at most " if len({each.required for each in templates}) > 1 else ""
    rows = counted(len(templates) or expand.size, "row")
    source = "row" if prepared.recipe.steps else "passage"
    written = f" for {join_words([shown(name) for name in dict.fromkeys(fields)])}" if any(fields) else ""
    return f"makes {most}{rows} from each {source} with templates{written}; no requests"


def _drawn(attribute: Attribute, name: str) -> str:
    least, most = attribute.draw[0], attribute.draw[-1]
    how = f"{least} to {most}" if least != most else str(most)
    return f"a value of {name}" if (least, most) == (1, 1) else f"{how} values of {name}"


def _plural(noun: str) -> str:
    """The plural of an attribute's name; a name that is not ASCII stays as it is."""
    if not noun.isascii() or noun.endswith("s"):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("ch", "sh", "x", "z")) else f"{noun}s"
