"""A dry run: what growing would ask for, reckoned without a call and without a file.

    imitation: a request for every rows_per_request of each category's quota
    steps:     batches x the rows that go on from the steps before, a request each; judges likewise
    lists:     a request for each that the model is to write

Does not handle: how many candidates will be refused, which nobody knows before; so the figures are the least.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random

from selfinstruct.growth import BatchState, CategoryProgress, Sampler, StepCall, plan
from selfinstruct.preparation.prepare import Prepared
from selfinstruct.prompts import detect_language, estimate_tokens, row_messages, step_messages
from selfinstruct.recipe import Attribute, Expand, Judge, Recipe, Step
from selfinstruct.recipe.placeholders import lookup, names_in
from selfinstruct.records import JSON, Message
from selfinstruct.rows import to_json
from selfinstruct.text import value_text

#: What a list is called among the requests, before its name.
LISTS = "lists/"
# Tokens, where neither seeds nor rules tell how long a value is: a short paragraph, an entry of a list, a verdict.
_TEXT, _ENTRY, _VERDICT = 60, 6, 40
# OpenAI's rule of thumb for English: 100 tokens are 75 words.
_OF_A_WORD = 4 / 3


@dataclass(frozen=True, slots=True)
class DryRun:
    """The least that a run takes, every candidate being accepted; tokens by ``prompt.estimate_tokens``.

    ``requests`` counts by category where rows are imitated, else by the name of the step or judge; those of a list
    that the model is to write are called ``lists/`` and its name. ``cost`` is in the money of the recipe's prices,
    None without them. ``prompts`` has for each of these the whole of its first request, with ``{names}`` left for what
    only replies will tell.

    A step is asked once for every row that goes on from the steps before it, as if each brought all of its ``rows``;
    steps under different values of one ``when`` share these rows equally. A value that a reply will write is reckoned
    as long as the seeds' values of its field on average, else as the field's least and most allow, else as 60 tokens;
    so it is in what is written and in the later prompts that name it.
    """

    requests: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost: float | None
    prompts: Mapping[str, Sequence[Message]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One kind of request: how many, the first one, its tokens in and out, and the model that it is for ("": any)."""

    name: str
    requests: int
    prompt: Sequence[Message]
    given: float
    got: float
    model: str = ""


def dry_run(prepared: Prepared, seed: int = 0) -> DryRun:
    """What a run of ``prepared`` from nothing would ask for; ``seed`` draws what the first prompts show."""
    written = _imitated if prepared.recipe.imitates else _stepped
    asked = [*_lists(prepared.recipe), *written(prepared, seed)]
    return DryRun(
        {each.name: each.requests for each in asked},
        round(sum(each.requests * each.given for each in asked)),
        round(sum(each.requests * each.got for each in asked)),
        _cost(prepared.recipe, asked),
        {each.name: each.prompt for each in asked},
    )


def _lists(recipe: Recipe) -> Iterator[_Asked]:
    """The lists that the model is to write, each in one request."""
    owners: dict[str, Attribute | Expand] = {**recipe.attributes, **{each.name: each for each in recipe.expand}}
    for name, owner in owners.items():
        if owner.prompt:
            prompt = step_messages("", owner.prompt, {"size": owner.size}, None)
            yield _Asked(LISTS + name, 1, prompt, _tokens(prompt), owner.size * _ENTRY)


def _imitated(prepared: Prepared, seed: int) -> Iterator[_Asked]:
    """The requests for rows after the example of others, category by category."""
    recipe, rows = prepared.recipe, prepared.seeds.rows
    members, said_in = _members(prepared), detect_language(rows)
    drawing = _drawing(prepared)
    for name, quota in prepared.quotas.items():
        draws = Random(f"{seed}/1")
        batch = plan({name: CategoryProgress(quota)}, members, {}, recipe.prompt, 1, draws)
        if batch is None:  # weights may leave a category without rows
            continue
        demos = [rows[at - 1] for at in batch.demos]
        prompt = row_messages(recipe, name, batch.count, demos, said_in, given=drawing.draw(name, draws))
        requests = math.ceil(quota / recipe.prompt.rows_per_request)
        # A category without seeds of its own is reckoned as all of them are.
        known = [rows[at - 1] for at in members.get(name, ())] or rows
        length = sum(estimate_tokens(to_json(row)) for row in known) / len(known)
        yield _Asked(name, requests, prompt, _tokens(prompt), quota * length / requests)


def _stepped(prepared: Prepared, seed: int) -> Iterator[_Asked]:
    """The requests of steps and judges, as the first batch makes them; none where templates do all."""
    recipe = prepared.recipe
    if not recipe.steps:
        return
    values = _first_values(prepared, seed)
    calls = _calls(prepared)
    open_names = {name for name, attribute in recipe.attributes.items() if attribute.prompt}
    for each in _askers(recipe):
        if isinstance(each, Judge):  # it may also name the fields of the row
            values = {**_fields(recipe, values), **values}
            open_names |= {n for n, f in recipe.fields.items() if (f.source or n).partition(".")[0] in open_names}
        prompt, filled_later = _filled(each, values, open_names, recipe)
        given = _tokens(prompt) + sum(_length(name, prepared) - estimate_tokens(f"{{{name}}}") for name in filled_later)
        yield _Asked(each.name, calls[each.name], prompt, given, _written(each, prepared), each.model)
        if isinstance(each, Step):
            open_names.update(each.writes)


def _askers(recipe: Recipe) -> list[Step | Judge]:
    """All that have a prompt about a row, in their order."""
    return [*recipe.steps, *recipe.judge]


def _first_values(prepared: Prepared, seed: int) -> Mapping[str, JSON]:
    """What the prompts of a run's first batch name before any reply is there."""
    recipe, rows, draws = prepared.recipe, prepared.seeds.rows, Random(f"{seed}/1")
    progress = {name: CategoryProgress(quota) for name, quota in prepared.quotas.items()}
    batch = plan(progress, _members(prepared), {}, recipe.prompt, 1, draws)
    if batch is None:
        return {}
    batch = replace(batch, given=_drawing(prepared).draw(batch.category, draws))
    work = BatchState(batch, recipe, prepared.inputs, [rows[at - 1] for at in batch.demos])
    asks = work.next_calls()
    return asks[0].values if asks else {}


def _fields(recipe: Recipe, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """The fields of a row that take their values from what is known."""
    known = {}
    for name, field in recipe.fields.items():
        with contextlib.suppress(KeyError):
            known[name] = lookup(values, field.source or name)
    return known


def _filled(
    each: Step | Judge, values: Mapping[str, JSON], open_names: set[str], recipe: Recipe
) -> tuple[tuple[Message, ...], list[str]]:
    """A prompt as far as it is known, and the names in it that a reply is yet to fill."""
    named = dict.fromkeys((*names_in(each.system), *names_in(each.prompt)))
    later = [name for name in named if name.partition(".")[0] in open_names]
    known = {**values, **{name: f"{{{name}}}" for name in later}}
    return StepCall(each.name, each, known).messages(recipe), later


def _calls(prepared: Prepared) -> dict[str, int]:
    """How often each step and judge is asked at least."""
    recipe, materials = prepared.recipe, prepared.inputs
    per_row = math.prod(len(materials.templates.get(each.name, ())) or each.size for each in recipe.expand)
    batches: dict[int, int] = {}
    for quota in prepared.quotas.values():
        count = min(recipe.prompt.rows_per_request, quota)
        if count:
            _, rows = _of_a_batch(recipe, count)
            batches[count] = batches.get(count, 0) + math.ceil(quota / (rows * per_row))
    left = len(materials.passages) if prepared.use_passages_once else sum(batches.values())
    calls = dict.fromkeys([each.name for each in _askers(recipe)], 0.0)
    for count, number in batches.items():
        of_steps, rows = _of_a_batch(recipe, count)
        for name, often in (*of_steps.items(), *((judge.name, rows) for judge in recipe.judge)):
            calls[name] += min(number, left) * often
        left -= min(number, left)
    return {name: math.ceil(number) for name, number in calls.items()}


def _of_a_batch(recipe: Recipe, count: int) -> tuple[dict[str, float], float]:
    """How often each step is asked in a batch for ``count`` rows, and how many rows come through all of them."""
    calls: dict[str, float] = {}
    rows = 1.0
    for _, group in groupby(recipe.steps, lambda step: tuple(step.when)):
        steps = list(group)
        conditions = [tuple(step.when.items()) for step in steps]
        through = dict.fromkeys(conditions, rows / len(set(conditions)))
        for step, condition in zip(steps, conditions, strict=True):
            calls[step.name] = through[condition]
            through[condition] *= step.rows or count
        rows = sum(through.values())
    return calls, rows


def _written(each: Step | Judge, prepared: Prepared) -> float:
    """About how many tokens a reply has."""
    if isinstance(each, Judge):
        return _VERDICT
    frame = estimate_tokens(to_json(dict.fromkeys(each.writes, ""))) if each.reply == "json" else 0
    row = frame + sum(_length(name, prepared) for name in each.writes)
    return row * (each.rows or min(prepared.recipe.prompt.rows_per_request, max(prepared.quotas.values())))


def _length(name: str, prepared: Prepared) -> float:
    """About how many tokens a value has that a reply is yet to write."""
    name = name.partition(".")[0]
    recipe = prepared.recipe
    if name in recipe.attributes:
        return _ENTRY
    for of, field in recipe.fields.items():
        if name not in (of, field.source or of):
            continue
        own = [estimate_tokens(value_text(row[of])) for row in prepared.seeds.rows if of in row]
        if own:
            return sum(own) / len(own)
        if field.min_words or field.max_words:
            return _between(field.min_words, field.max_words) * _OF_A_WORD
        if field.min_chars or field.max_chars:
            return _between(field.min_chars, field.max_chars) / 4
        if field.one_of:
            return sum(estimate_tokens(value_text(each)) for each in field.one_of) / len(field.one_of)
        if field.type in ("integer", "number", "boolean"):
            return 1
    return _TEXT


def _between(least: int | None, most: int | None) -> float:
    """The middle of a range that may be open at an end."""
    return ((least or 0) + (most if most is not None else 2 * (least or 0))) / 2


def _members(prepared: Prepared) -> dict[str, list[int]]:
    """The seeds of each category, by their numbers from 1."""
    members: dict[str, list[int]] = {name: [] for name in prepared.quotas}
    for number, row in enumerate(prepared.seeds.rows, 1):
        members.setdefault(prepared.categories.of(row), []).append(number)
    return members


def _drawing(prepared: Prepared) -> Sampler:
    """Draws as a run does; a list that is yet to be written has its own place as its one value."""
    lists = dict(prepared.inputs.lists)
    lists |= {name: [f"{{{name}}}"] for name in prepared.recipe.attributes if name not in lists}
    return Sampler(prepared.recipe, replace(prepared.inputs, lists=lists))


def _tokens(prompt: Sequence[Message]) -> int:
    return sum(estimate_tokens(message.content) for message in prompt)


def _cost(recipe: Recipe, asked: Sequence[_Asked]) -> float | None:
    """What so many tokens in and out cost, where each model writes its share of them, or the steps that name it."""
    money = 0.0
    for each in asked:
        models = [model for model in recipe.all_models if each.model in ("", model.name)]
        shares = sum(model.weight for model in models)
        for model in models:
            if model.price is None:
                return None
            price = each.given * model.price.input + each.got * model.price.output
            money += each.requests * price * model.weight / shares / 1_000_000
    return money if recipe.all_models else None
