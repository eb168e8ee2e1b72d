"""How a recipe makes its rows, in words: what they grow from, what each step asks, who judges, what templates make.

Does not handle: the run itself. Names are data: whoever shows them says how, as code or escaped for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from selfinstruct.analysis.dry_run import LIST_PREFIX
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Attribute, Expand, Judge, Recipe, Step
from selfinstruct.recipe.namings import OF_PASSAGES
from selfinstruct.render.text import counted, format_number, printable
from selfinstruct.text import value_text

#: How a name from outside is written.
Shown = Callable[[str], str]


def source_lines(prepared: Prepared, shown: Shown = printable) -> list[str]:
    """What the rows grow from, each with its number: seeds, passages, values of attributes."""
    recipe, materials = prepared.recipe, prepared.inputs
    said = [counted(len(prepared.seeds.rows), "seed")] if prepared.seeds.rows else []
    if recipe.documents is not None:
        said.append(counted(len(materials.passages), "passage"))
    for name, attribute in recipe.attributes.items():
        values = materials.lists.get(name)
        # In a dry run a list that the model is to write is not there yet.
        count = len(values) if values is not None else attribute.size
        noun = name.replace("_", " ").replace("-", " ")
        said.append(counted(count, shown(noun), shown(_plural(noun))))
    return said


def source_phrase(prepared: Prepared) -> str:
    """The same in a row: 50 passages and 16 task types."""
    return join_words(source_lines(prepared)) or "the recipe's prompts"


def join_words(parts: Sequence[str]) -> str:
    """One, two and three."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def writer_phrase(prepared: Prepared) -> str:
    """Who writes the rows, in words."""
    recipe = prepared.recipe
    if recipe.backend is not None:
        return f"the backend {printable(recipe.backend)}"
    if not recipe.all_models:
        if recipe.needs_model:
            return "a model that is yet to be named"
        return "the embedded imitator" if recipe.imitates else "templates alone"
    said = [
        f"{printable(each.name)}{f' at {printable(each.base_url)}' if each.base_url else ''}"
        for each in recipe.all_models
    ]
    return f"the model {said[0]}" if len(said) == 1 else f"{len(said)} models: {', '.join(said)}"


def step_lines(prepared: Prepared, shown: Shown = printable) -> Iterator[tuple[str, str]]:
    """A name and what is done under it, in the order in which it is done; nothing where rows are imitated."""
    recipe = prepared.recipe
    for name, attribute in recipe.attributes.items():
        if attribute.prompt:
            yield f"{LIST_PREFIX}{name}", f"asks first for a list of {format_number(attribute.size)}"
    for expand in recipe.expand:
        if expand.prompt:
            yield f"{LIST_PREFIX}{expand.name}", f"asks first for {counted(expand.size, 'template')}"
    for step in recipe.steps:
        yield step.name, _asks(step, shown)
    for judge in recipe.judge:
        yield judge.name, _judges(judge, shown)
    for expand in recipe.expand:
        yield expand.name, _expands(expand, prepared, shown)


def batch_conditions(prepared: Prepared, shown: Shown) -> list[str]:
    """What a batch is given: a passage, the values of attributes."""
    recipe = prepared.recipe
    said = ["a passage"] if recipe.documents is not None else []
    return said + [_drawn(attribute, shown(name)) for name, attribute in recipe.attributes.items()]


def field_source(recipe: Recipe, name: str, shown: Shown = printable) -> str:
    """Where the value of a field is from that no step writes, or ""."""
    source = recipe.fields[name].source
    if source is not None:
        return f"taken from {shown(source)}"
    if recipe.documents is not None and name in OF_PASSAGES:
        return "taken from the passage"
    return "as it was drawn" if name in recipe.attributes else ""


def novelty_phrase(recipe: Recipe, shown: Shown) -> str:
    """The fields that new rows are compared in, and how."""
    names = [shown(name) for name in recipe.novelty.fields]
    if recipe.novelty.per_field and len(names) > 1:
        return f"each of {join_words(names)}"
    return ", ".join(names)


def shares_origin(recipe: Recipe) -> bool:
    """Whether rows of one batch may be alike: they come of one row by later steps, or by templates."""
    if recipe.expand:
        return True
    compared = {(recipe.fields[name].source or name).partition(".")[0] for name in recipe.novelty.fields}
    known = {*recipe.attributes, *OF_PASSAGES}
    for at, step in enumerate(recipe.steps):
        if at and compared <= known and step.rows != 1:
            return True
        known.update(step.writes)
    return False


def _asks(step: Step, shown: Shown) -> str:
    said = f"asks for {join_words([shown(name) for name in step.writes])}"
    if step.rows != 1:
        said += f", {step.rows} of them" if step.rows else ", as many as are wanted"
    for name, values in step.when.items():
        said += f", where {shown(name)} is {' or '.join(shown(value_text(value)) for value in values)}"
    return said + (f", of the model {shown(step.model)}" if step.model else "")


def _judges(judge: Judge, shown: Shown) -> str:
    said = f"judges each row, and refuses it below {judge.least:g}"
    return said + (f", by the model {shown(judge.model)}" if judge.model else "")


def _expands(expand: Expand, prepared: Prepared, shown: Shown) -> str:
    templates = prepared.inputs.templates.get(expand.name, ())
    fields = [name for each in templates for name in each.texts if name in prepared.recipe.fields] or [expand.writes]
    most = "at most " if len({each.required for each in templates}) > 1 else ""
    rows = counted(len(templates) or expand.size, "row")
    of = "row" if prepared.recipe.steps else "passage"
    made = f", which write {join_words([shown(name) for name in dict.fromkeys(fields)])}" if any(fields) else ""
    return f"makes {most}{rows} of each {of} by templates{made}; without a request"


def _drawn(attribute: Attribute, name: str) -> str:
    least, most = attribute.draw[0], attribute.draw[-1]
    how = f"{least} to {most}" if least != most else str(most)
    return f"a value of {name}" if (least, most) == (1, 1) else f"{how} values of {name}"


def _plural(noun: str) -> str:
    """An attribute's name for several of its values; what is no English word stays as it is."""
    if not noun.isascii() or noun.endswith("s"):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("ch", "sh", "x", "z")) else f"{noun}s"
