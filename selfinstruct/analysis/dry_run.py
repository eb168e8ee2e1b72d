"""A dry run: the requests, tokens and cost of a run, estimated without a call and without writing a file.

    imitation: one request per rows_per_request rows of each category's quota
    steps:     one request per row of the previous steps, in each batch; judges likewise
    votes:     as many per row as can confirm it
    lists:     one request per list that the model has to write

Does not handle: rejections, which cannot be predicted. So the figures are lower bounds.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from random import Random

from selfinstruct.analysis.passages_found import PassagesFound, find_passages
from selfinstruct.analysis.token_range import TokenRange
from selfinstruct.analysis.value_lengths import ENTRY, UNKNOWN, VERDICT, unknown_lengths, value_length
from selfinstruct.growth import BatchState, CategoryProgress, Sampler, StepCall, plan
from selfinstruct.preparation import Prepared
from selfinstruct.prompts import detect_language, estimate_tokens, row_messages, step_messages
from selfinstruct.recipe import Attribute, Expand, Judge, Recipe, Step, Verify
from selfinstruct.recipe.placeholders import lookup, names_in
from selfinstruct.records import JSON, Message
from selfinstruct.rows import to_json

#: The prefix of the names of lists among the requests.
LIST_PREFIX = "lists/"


@dataclass(frozen=True, slots=True)
class DryRun:
    """The least that a run takes, if every candidate is accepted; tokens by ``prompt.estimate_tokens``.

    ``requests`` counts by category if rows are imitated, else by the name of the step or judge; the key of a list that
    the model has to write is ``lists/NAME``. ``cost`` is in the currency of the recipe's prices, None without prices.
    ``prompts`` has the complete first request of each, with ``{names}`` in place of values that replies will write.
    ``passages`` are those that were found, if rows are about passages.

    Every step is assumed to yield all of its ``rows``, each of which goes through the later steps; steps under
    different values of one ``when`` share the rows equally. The length of a value that a reply will write is the
    average of its field in the seeds, else between the field's limits, usually in the middle. Nothing else is known
    of the values in ``unknown``: their tokens are counted as 60, but ``input_range``, ``output_range`` and
    ``cost_range``, the least and the most, are open then (None). ``rounds`` is the least number of rounds in which
    batch jobs are sent, 0 without such jobs.
    """

    requests: Mapping[str, int]
    input_tokens: int
    output_tokens: int
    cost: float | None
    prompts: Mapping[str, Sequence[Message]]
    passages: PassagesFound | None = None
    input_range: tuple[int, int | None] = (0, None)
    output_range: tuple[int, int | None] = (0, None)
    cost_range: tuple[float, float | None] | None = None
    unknown: Sequence[str] = ()
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class _PlannedRequests:
    """The requests of one kind: their number, the first prompt, tokens per request, and the model ("" is any)."""

    name: str
    requests: int
    prompt: Sequence[Message]
    input: TokenRange
    output: TokenRange
    model: str = ""


def dry_run(prepared: Prepared, seed: int = 0) -> DryRun:
    """Estimate a new run of ``prepared``; ``seed`` is the random seed of the first prompts."""
    written = _imitation_requests if prepared.recipe.imitates else _step_requests
    verdicts = _verdict_requests(prepared) if prepared.recipe.imitates else ()
    planned = [*_list_requests(prepared.recipe), *written(prepared, seed), *verdicts, *_vote_requests(prepared)]
    given = sum((each.input * each.requests for each in planned), TokenRange())
    replied = sum((each.output * each.requests for each in planned), TokenRange())
    return DryRun(
        {each.name: each.requests for each in planned},
        round(given.usual),
        round(replied.usual),
        _cost(prepared.recipe, [(each, each.input.usual, each.output.usual) for each in planned]),
        {each.name: each.prompt for each in planned},
        find_passages(prepared.inputs.passages),
        _whole(given),
        _whole(replied),
        _cost_range(prepared.recipe, planned),
        unknown_lengths((name for step in prepared.recipe.steps for name in step.writes), prepared),
        _rounds(prepared.recipe),
    )


def _rounds(recipe: Recipe) -> int:
    """The least number of rounds of batch jobs: one for each step, judge and vote that a row goes through in turn."""
    if not any(model.batch for model in recipe.all_models):
        return 0
    rounds = int(recipe.imitates)
    for _, group in groupby(recipe.steps, lambda step: tuple(step.when)):
        rounds += max(Counter(tuple(step.when.items()) for step in group).values())
    return rounds + len(recipe.judge) + len(recipe.verified_by_models)


def _whole(tokens: TokenRange) -> tuple[int, int | None]:
    return round(tokens.least), None if tokens.most is None else round(tokens.most)


def _cost_range(recipe: Recipe, planned: Sequence[_PlannedRequests]) -> tuple[float, float | None] | None:
    """The least and the most that the requests cost; the most is None if it is not known, both without prices."""
    least = _cost(recipe, [(each, each.input.least, each.output.least) for each in planned])
    if least is None:
        return None
    if any(each.input.most is None or each.output.most is None for each in planned):
        return least, None
    return least, _cost(recipe, [(each, each.input.most or 0, each.output.most or 0) for each in planned])


def _list_requests(recipe: Recipe) -> Iterator[_PlannedRequests]:
    """The lists that the model has to write, each in one request."""
    owners: dict[str, Attribute | Expand] = {**recipe.attributes, **{each.name: each for each in recipe.expand}}
    for name, owner in owners.items():
        if owner.prompt:
            prompt = step_messages("", owner.prompt, {"size": owner.size}, None)
            yield _PlannedRequests(LIST_PREFIX + name, 1, prompt, _tokens(prompt), ENTRY * owner.size)


def _imitation_requests(prepared: Prepared, seed: int) -> Iterator[_PlannedRequests]:
    """The requests for imitated rows, by category."""
    recipe, rows = prepared.recipe, prepared.seeds.rows
    members, prompt_language = _seeds_by_category(prepared), detect_language(rows)
    sampler = _make_sampler(prepared)
    for name, quota in prepared.quotas.items():
        draws = Random(f"{seed}/1")
        batch = plan({name: CategoryProgress(quota)}, members, {}, recipe.prompt, 1, draws)
        if batch is None:  # a category may have a quota of 0
            continue
        demos = [rows[at - 1] for at in batch.demos]
        prompt = row_messages(recipe, name, batch.count, demos, prompt_language, given=sampler.draw(name, draws))
        requests = math.ceil(quota / recipe.prompt.rows_per_request)
        # A category without seeds is assumed to have rows of the average length.
        known = [rows[at - 1] for at in members.get(name, ())] or rows
        length = sum(estimate_tokens(to_json(row)) for row in known) / len(known)
        reply = TokenRange.exactly(quota * length / requests)
        yield _PlannedRequests(name, requests, prompt, _tokens(prompt), reply)


def _step_requests(prepared: Prepared, seed: int) -> Iterator[_PlannedRequests]:
    """The requests of steps and judges, as the first batch makes them; none if there are only templates."""
    recipe = prepared.recipe
    if not recipe.steps:
        return
    values = _first_values(prepared, seed)
    calls = _count_requests(prepared)
    open_names = {name for name, attribute in recipe.attributes.items() if attribute.prompt}
    for each in _prompt_owners(recipe):
        if isinstance(each, Judge):  # its prompt may also name the fields of the row
            values = {**_fields(recipe, values), **values}
            open_names |= {n for n, f in recipe.fields.items() if (f.source or n).partition(".")[0] in open_names}
        prompt, open_values = _fill_prompt(each, values, open_names, recipe)
        given = _filled(prompt, open_values, prepared)
        yield _PlannedRequests(each.name, calls[each.name], prompt, given, _reply_tokens(each, prepared), each.model)
        if isinstance(each, Step):
            open_names.update(each.writes)


def _prompt_owners(recipe: Recipe) -> list[Step | Judge]:
    """The steps and judges, in order."""
    return [*recipe.steps, *recipe.judge]


def _verdict_requests(prepared: Prepared) -> Iterator[_PlannedRequests]:
    """The verdicts of judges on imitated rows, one a row."""
    recipe = prepared.recipe
    for judge in recipe.judge:
        named = [name for name in dict.fromkeys((*names_in(judge.system), *names_in(judge.prompt)))]
        values = {name: f"{{{name}}}" for name in named if name != "form"} | {"task": recipe.task}
        prompt = StepCall(judge.name, judge, values).messages(recipe)
        given = _filled(prompt, [name for name in named if name in recipe.fields], prepared)
        requests = sum(prepared.quotas.values())
        yield _PlannedRequests(judge.name, requests, prompt, given, VERDICT, judge.model)


def _vote_requests(prepared: Prepared) -> Iterator[_PlannedRequests]:
    """The votes of models on the rows, the fewest that confirm all of them."""
    recipe = prepared.recipe
    for verify in recipe.verified_by_models:
        values = {name: f"{{{name}}}" for name in verify.reads}
        prompt = StepCall(verify.name, verify, values).messages(recipe)
        given = _filled(prompt, list(values), prepared)
        requests = sum(prepared.quotas.values()) * (verify.votes // 2 + 1)
        yield _PlannedRequests(verify.name, requests, prompt, given, _reply_tokens(verify, prepared), verify.model)


def _first_values(prepared: Prepared, seed: int) -> Mapping[str, JSON]:
    """The values for the prompts of the first batch, before any reply."""
    recipe, rows, draws = prepared.recipe, prepared.seeds.rows, Random(f"{seed}/1")
    progress = {name: CategoryProgress(quota) for name, quota in prepared.quotas.items()}
    batch = plan(progress, _seeds_by_category(prepared), {}, recipe.prompt, 1, draws)
    if batch is None:
        return {}
    batch = replace(batch, conditions=_make_sampler(prepared).draw(batch.category, draws))
    work = BatchState(batch, recipe, prepared.inputs, [rows[at - 1] for at in batch.demos])
    calls = work.next_calls()
    return calls[0].values if calls else {}


def _fields(recipe: Recipe, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """The fields of a row that take their values from what is known."""
    known = {}
    for name, field in recipe.fields.items():
        with contextlib.suppress(KeyError):
            known[name] = lookup(values, field.source or name)
    return known


def _fill_prompt(
    each: Step | Judge, values: Mapping[str, JSON], open_names: set[str], recipe: Recipe
) -> tuple[tuple[Message, ...], list[str]]:
    """A prompt as far as it is known, and the names in it that a reply is yet to fill."""
    named = dict.fromkeys((*names_in(each.system), *names_in(each.prompt)))
    later = [name for name in named if name.partition(".")[0] in open_names]
    known = {**values, **{name: f"{{{name}}}" for name in later}}
    return StepCall(each.name, each, known).messages(recipe), later


def _count_requests(prepared: Prepared) -> dict[str, int]:
    """The least number of requests of each step and judge."""
    recipe, inputs = prepared.recipe, prepared.inputs
    per_row = math.prod(len(inputs.templates.get(each.name, ())) or each.size for each in recipe.expand)
    batches: dict[int, int] = {}
    for quota in prepared.quotas.values():
        count = min(recipe.prompt.rows_per_request, quota)
        if count:
            _, rows = _count_in_batch(recipe, count)
            batches[count] = batches.get(count, 0) + math.ceil(quota / (rows * per_row))
    left = len(inputs.passages) if prepared.use_passages_once else sum(batches.values())
    calls = dict.fromkeys([each.name for each in _prompt_owners(recipe)], 0.0)
    for count, number in batches.items():
        of_steps, rows = _count_in_batch(recipe, count)
        for name, requests in (*of_steps.items(), *((judge.name, rows) for judge in recipe.judge)):
            calls[name] += min(number, left) * requests
        left -= min(number, left)
    return {name: math.ceil(number) for name, number in calls.items()}


def _count_in_batch(recipe: Recipe, count: int) -> tuple[dict[str, float], float]:
    """The number of requests of each step in a batch for ``count`` rows, and of rows after the last step."""
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


def _filled(prompt: Sequence[Message], names: Sequence[str], prepared: Prepared) -> TokenRange:
    """The tokens of a prompt once replies have filled its names in braces."""
    braces = sum(estimate_tokens(f"{{{name}}}") for name in names)
    return sum((value_length(name, prepared) for name in names), _tokens(prompt) + TokenRange.exactly(-braces))


def _reply_tokens(each: Step | Judge | Verify, prepared: Prepared) -> TokenRange:
    """The estimated tokens of a reply."""
    if isinstance(each, Judge):
        return VERDICT
    if isinstance(each, Verify):
        steps = TokenRange(20, UNKNOWN.usual, None) if each.reasons else TokenRange()
        return ENTRY + value_length(each.answers, prepared) + steps
    frame = estimate_tokens(to_json(dict.fromkeys(each.writes, ""))) if each.reply == "json" else 0
    row = sum((value_length(name, prepared) for name in each.writes), TokenRange.exactly(frame))
    return row * (each.rows or min(prepared.recipe.prompt.rows_per_request, max(prepared.quotas.values())))


def _seeds_by_category(prepared: Prepared) -> dict[str, list[int]]:
    """The seeds of each category, by their numbers from 1; of categories of passages, all seeds."""
    if prepared.recipe.categories.by == "passage":
        return {name: list(range(1, len(prepared.seeds.rows) + 1)) for name in prepared.quotas}
    members: dict[str, list[int]] = {name: [] for name in prepared.quotas}
    for number, row in enumerate(prepared.seeds.rows, 1):
        members.setdefault(prepared.categories.of(row), []).append(number)
    return members


def _make_sampler(prepared: Prepared) -> Sampler:
    """The sampler of a run; a list that is not written yet has its placeholder as its only value."""
    lists = dict(prepared.inputs.lists)
    lists |= {name: [f"{{{name}}}"] for name in prepared.recipe.attributes if name not in lists}
    return Sampler(prepared.recipe, replace(prepared.inputs, lists=lists))


def _tokens(prompt: Sequence[Message]) -> TokenRange:
    return TokenRange.exactly(sum(estimate_tokens(message.content) for message in prompt))


def _cost(recipe: Recipe, planned: Sequence[tuple[_PlannedRequests, float, float]]) -> float | None:
    """The cost of requests with these tokens, shared by the models by weight, or of the model that a step names."""
    money = 0.0
    for each, given, replied in planned:
        models = [model for model in recipe.all_models if each.model in ("", model.name)]
        shares = sum(model.weight for model in models)
        for model in models:
            price = model.usual_price
            if price is None:
                return None
            each_costs = given * price.input + replied * price.output
            money += each.requests * each_costs * model.weight / shares / 1_000_000
    return money if recipe.all_models else None
