"""The method of a recipe in words: sources, author, steps, judges, second opinions, expansions.

Does not handle: results. Names are data; the caller chooses how they are shown, as code or escaped for a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from selfinstruct.analysis.dry_run import LIST_PREFIX
from selfinstruct.growth import FIRST_TRAINING, made_by_templates
from selfinstruct.jinja_templates.tasks import TASK_FIELDS
from selfinstruct.messages import Phrase, joined
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.recipe import Attribute, Expand, Judge, Recipe, Step, Verify, shown_url
from selfinstruct.recipe.methods import Constraints
from selfinstruct.recipe.namings import OF_PASSAGES
from selfinstruct.render.text import counted, printable
from selfinstruct.text import value_text

#: The keys of constraints that look at the content of a value.
_CONTENT_KEYS = (
    "appears_in", "identifiers_in", "pattern", "refuse", "one_of", "choice_of", "differs_from", "passes", "snippets",
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
        sources.append(Phrase("{count:,} {noun}", count=count, noun=shown(noun if count == 1 else _plural(noun))))
    return sources


def source_phrase(prepared: Prepared) -> str:
    """The sources as one phrase: 50 passages and 16 task types."""
    return join_words(source_lines(prepared)) or Phrase("the recipe's prompts")


def join_words(parts: Sequence[str]) -> Phrase:
    """Join words as in: one, two and three."""
    if len(parts) < 2:
        return joined(parts)
    return Phrase("{others} and {last}", others=joined(parts[:-1]), last=parts[-1])


def writer_phrase(prepared: Prepared) -> str:
    """The author of the rows, in words."""
    recipe = prepared.recipe
    if recipe.backend is not None:
        return Phrase("the backend {name}", name=printable(recipe.backend))
    if not recipe.all_models:
        if recipe.needs_model:
            return Phrase("a model (none is set)")
        return Phrase("the embedded imitator") if recipe.imitates or recipe.asks else Phrase("templates only")
    models = [
        Phrase("{name} at {url}", name=printable(each.name), url=printable(shown_url(each.base_url)))
        if each.base_url
        else printable(each.name)
        for each in recipe.all_models
    ]
    batch = all(each.batch for each in recipe.all_models)
    if len(models) == 1:
        return Phrase("the model {name} in batch jobs" if batch else "the model {name}", name=models[0])
    several = "{count} models in batch jobs: {names}" if batch else "{count} models: {names}"
    return Phrase(several, count=len(models), names=joined(models))


def step_lines(prepared: Prepared, shown: Shown = printable) -> Iterator[tuple[str, str]]:
    """Each step with its name, in the order of the run; none where rows are imitated."""
    recipe = prepared.recipe
    for name, attribute in recipe.attributes.items():
        if attribute.prompt:
            values = counted(attribute.size, "value")
            yield f"{LIST_PREFIX}{name}", Phrase("first requests a list of {values}", values=values)
    for expand in recipe.expand:
        if expand.prompt:
            templates = counted(expand.size, "template")
            yield f"{LIST_PREFIX}{expand.name}", Phrase("first requests {templates}", templates=templates)
    for step in recipe.steps:
        asks = recipe.asks and not recipe.all_models and recipe.backend is None
        one = Phrase("asks about one passage at a time; no requests")
        yield step.name, one if asks else _requests(step, shown)
    for judge in recipe.judge:
        yield judge.name, _judges(judge, shown)
    for verify in recipe.verify:
        yield verify.name, _verifies(verify, recipe, shown)
    for expand in recipe.expand:
        yield expand.name, _expands(expand, prepared, shown)


def batch_conditions(prepared: Prepared, shown: Shown) -> list[str]:
    """The inputs of a batch: a passage, values of attributes."""
    recipe = prepared.recipe
    inputs: list[str] = [Phrase("a passage")] if recipe.documents is not None or recipe.passages is not None else []
    return inputs + [_drawn(attribute, shown(name)) for name, attribute in recipe.attributes.items()]


def field_source(recipe: Recipe, name: str, shown: Shown = printable) -> str:
    """The source of a field that no step writes, or ""."""
    source = recipe.fields[name].source
    if source in ("passage", "category") and recipe.passages is not None:
        return Phrase("the passage") if source == "passage" else Phrase("the category")
    if source is not None:
        return Phrase("taken from {source}", source=shown(source))
    if recipe.documents is not None and name in OF_PASSAGES:
        return Phrase("taken from the passage")
    return Phrase("the drawn value") if name in recipe.attributes else ""


def unchecked_phrase(recipe: Recipe, name: str) -> str:
    """What is not checked about the values of a field, or "" where a rule decides about their content."""
    field, categories = recipe.fields[name], recipe.categories
    rules: list[Constraints] = [field, *(rule for rule in recipe.rules if rule.field == name)]
    checked = any(getattr(each, key) not in (None, ()) for each in rules for key in _CONTENT_KEYS)
    referred = any(name in (each.appears_in, each.identifiers_in) for each in recipe.fields.values())
    referred = referred or any(name in relation.fields for relation in recipe.relations)
    referred = referred or any(
        name in each.reads for each in recipe.verified_by_models if recipe.is_label(each.answers)
    )
    label = categories.by in ("field", "template") and categories.field == name
    if checked or referred or label or field.unique or field.negatives or field_source(recipe, name):
        return ""
    limits = (field.min_chars, field.max_chars, field.min_words, field.max_words)
    length = any(each is not None for each in limits)
    if field.type in ("string", "any"):
        return Phrase("free text, only its length is checked") if length else Phrase("free text, not checked")
    return Phrase("only its type is checked")


def unchecked_fields(recipe: Recipe) -> list[str]:
    """The fields about whose content no rule decides, and no judge."""
    return [] if recipe.judge else [name for name in recipe.fields if unchecked_phrase(recipe, name)]


def novelty_phrase(recipe: Recipe, shown: Shown) -> str:
    """The fields that novelty compares: together, or each on its own."""
    names = [shown(name) for name in recipe.novelty.fields]
    if recipe.novelty.per_field and len(names) > 1:
        return Phrase("each of {names}", names=join_words(names))
    return joined(names)


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


def _requests(step: Step, shown: Shown) -> Phrase:
    names = join_words([shown(name) for name in step.writes])
    if step.rows == 1:
        words = Phrase("requests {fields}", fields=names)
    elif step.rows:
        words = Phrase("requests {rows:,} rows with {fields}", rows=step.rows, fields=names)
    else:
        words = Phrase("requests rows with {fields}", fields=names)
    for name, values in step.when.items():
        among = joined([shown(value_text(value)) for value in values], " or ")
        words = Phrase("{what}, where {field} is {values}", what=words, field=shown(name), values=among)
    return Phrase("{what}, from the model {name}", what=words, name=shown(step.model)) if step.model else words


def _judges(judge: Judge, shown: Shown) -> Phrase:
    words = Phrase("scores each row and rejects scores below {least:g}", least=judge.least)
    return Phrase("{what}, with the model {name}", what=words, name=shown(judge.model)) if judge.model else words


def _verifies(verify: Verify, recipe: Recipe, shown: Shown) -> Phrase:
    given = {"answer": shown(verify.answers), "fields": join_words([shown(name) for name in verify.reads])}
    if verify not in recipe.verified_by_models and verify not in recipe.verified_by_reader:
        return Phrase("skipped without a model: the embedded reader finds parts of a text, not labels")
    if verify in recipe.verified_by_reader:
        return Phrase(
            "the embedded reader must find {answer} from {fields}; it learns from the other rows, {least} at least; "
            "no requests",
            **given,
            least=FIRST_TRAINING,
        )
    if verify.model:
        words = Phrase("the model {name} must find {answer} from {fields}", **given, name=shown(verify.model))
    else:
        words = Phrase("a model must find {answer} from {fields}", **given)
    votes = counted(verify.votes, "reply", "replies")
    return Phrase("{what}: most of {votes}", what=words, votes=votes) if verify.votes > 1 else words


def _expands(expand: Expand, prepared: Prepared, shown: Shown) -> str:
    templates = prepared.inputs.templates.get(expand.name, ())
    written = [name for each in templates for name in each.texts]
    count, varies = len(templates) or expand.size, len({each.required for each in templates}) > 1
    if expand.in_jinja:
        written, varies = list(TASK_FIELDS), True
        count = max((len(made_by_templates(each, expand)) for each in prepared.inputs.passages), default=0)
    fields = [name for name in written if name in prepared.recipe.fields] or [expand.writes]
    rows = counted(count, "row")
    if varies:
        rows = Phrase("at most {rows}", rows=rows)
    if prepared.recipe.steps:
        words = Phrase("makes {rows} from each row with templates", rows=rows)
    else:
        words = Phrase("makes {rows} from each passage with templates", rows=rows)
    if any(fields):
        names = join_words([shown(name) for name in dict.fromkeys(fields)])
        words = Phrase("{what} for {fields}", what=words, fields=names)
    return Phrase("{what}; no requests", what=words)


def _drawn(attribute: Attribute, name: str) -> str:
    least, most = attribute.draw[0], attribute.draw[-1]
    if least != most:
        return Phrase("{least} to {most} values of {name}", least=least, most=most, name=name)
    return Phrase.counting("a value of {name}", "{count} values of {name}", most, name=name)


def _plural(noun: str) -> str:
    """The plural of an attribute's name; a name that is not ASCII stays as it is."""
    if not noun.isascii() or noun.endswith("s"):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("ch", "sh", "x", "z")) else f"{noun}s"
