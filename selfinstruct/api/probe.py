"""The use case of a probe: put the questions of rows to a model, without context, and compare its answers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from selfinstruct.analysis.knowledge import Answered, Knowledge
from selfinstruct.api.blocking import run_blocking
from selfinstruct.api.connect import SpendingLimits, choose_models, connect, uses_imitator
from selfinstruct.backends import Backend, BudgetSpent, ModelPool
from selfinstruct.errors import InputError
from selfinstruct.messages import Phrase
from selfinstruct.preparation import (
    Source,
    build_prepared,
    chat_roles,
    infer,
    model_command,
    read_source,
    roles_of_columns,
)
from selfinstruct.prompts import detect_language, probe_messages
from selfinstruct.recipe import Field, Novelty, Quota, Recipe, Roles, Step, bind, import_extension
from selfinstruct.records import Batch, Failure, Reply, Request, Row
from selfinstruct.rows import RowFile, read_rows
from selfinstruct.text import tokens, value_text

#: The most questions of a probe, unless it is told otherwise: their share is known to within 10 points.
DEFAULT_QUESTIONS = 100
# Answers of at most this many tokens on average are asked for in a few words.
_SHORT = 12
_ANSWER = "answer"


def probe(
    source: Source,
    *,
    model: str | None = None,
    base_url: str | None = None,
    backend: str | Backend | None = None,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    questions: int = DEFAULT_QUESTIONS,
    concurrency: int | None = None,
    budget: float | None = None,
    max_requests: int | None = None,
    max_tokens: int | None = None,
    seed: int = 0,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Knowledge:
    """Put the questions of seed rows to a model, without their context, and return how much it knows already.

    ``source`` is as for ``run``: rows, or a recipe with seeds or with documents that are rows. ``columns`` names the
    fields that ask (``user``) and answer (``assistant``), as ``[roles]`` in a recipe does; otherwise they are inferred.
    ``encoding`` is that of rows which are not UTF-8.
    At most ``questions`` are asked, drawn with ``seed``. The model and the limits are those of ``run``.
    ``watch`` is called with the number of calls that have ended, and of all.

    Raises InputError if there is no question to ask or an argument is invalid, EndpointError if the endpoint fails.
    """
    return run_blocking(
        _probe(
            source,
            columns=columns,
            encoding=encoding,
            questions=questions,
            backend=backend,
            chosen=lambda recipe: choose_models(recipe, model, base_url, backend, concurrency),
            concurrency=concurrency,
            limits=SpendingLimits(budget, max_requests, max_tokens),
            seed=seed,
            watch=watch,
        )
    )


async def _probe(
    source: Source,
    *,
    columns: Mapping[str, str] | None,
    encoding: str | None,
    questions: int,
    backend: str | Backend | None,
    chosen: Callable[[Recipe], Recipe],
    concurrency: int | None,
    limits: SpendingLimits,
    seed: int,
    watch: Callable[[int, int], None],
) -> Knowledge:
    if questions < 1:
        raise InputError(
            "`questions`: expected at least 1, got {questions}", hint="Omit it for the default.", questions=questions
        )
    if backend in ("imitator", "replay"):
        raise InputError(
            Phrase("`backend`: {backend} knows nothing to ask about", backend=backend),
            hint=model_command(source, encoding),
        )
    rows, recipe = _rows_of(source, encoding)
    roles = _roles(rows, recipe, columns)
    pairs = _pairs(rows, roles)
    if not pairs:
        message = Phrase(
            "{name}: no row has a text in {user} and in {assistant}",
            name=recipe.name,
            user=roles.user,
            assistant=roles.assistant,
        )
        raise InputError(message, hint="Probe a file with questions and answers.")
    asked = pairs if len(pairs) <= questions else Random(seed).sample(pairs, questions)
    recipe = chosen(_one_step(recipe))
    if uses_imitator(recipe, backend):
        raise InputError(
            Phrase("{name}: a probe needs a model", name=recipe.name), hint=model_command(source, encoding)
        )
    empty = RowFile(recipe.name, "jsonl", [], [], (_ANSWER,))
    connected = await connect(build_prepared(empty, recipe), backend, seed, limits, None, None)
    models = connected.online or connected.models
    most = concurrency or sum(each.concurrency for each in recipe.all_models) or 1
    short = sum(len(tokens(answer)) for _, answer in asked) <= _SHORT * len(asked)
    language = detect_language([{"question": question} for question, _ in asked])
    requests = [
        Request(_batch(at), _ANSWER, probe_messages(question, language, short=short), (), seed + at)
        for at, (question, _) in enumerate(asked, 1)
    ]
    try:
        answers, failed, stopped = await _ask(models, requests, asked, most, watch)
    finally:
        await models.close()
    return Knowledge(models.name, len(pairs), answers, failed, stopped)


def _roles(rows: Sequence[Row], recipe: Recipe, columns: Mapping[str, str] | None) -> Roles:
    """The fields that ask and answer. Raises InputError where that is not clear."""
    roles = roles_of_columns(columns, tuple(recipe.fields)) if columns else chat_roles(recipe, rows)
    if roles is None:
        hint = Phrase("Name them: `columns` with the fields of user and assistant, or [roles] in the recipe.")
        fields = ", ".join(recipe.fields)
        raise InputError(
            Phrase(
                "{name}: it is not clear which field asks and which answers: {fields}", name=recipe.name, fields=fields
            ),
            hint=hint,
        )
    return roles if columns else _with_short_answer(roles, recipe)


def _rows_of(source: Source, encoding: str | None) -> tuple[Sequence[Row], Recipe]:
    """The rows of a source, and their recipe; of a recipe about rows, the rows of its documents."""
    file, recipe = read_source(source, importer=import_extension, encoding=encoding)
    if recipe is None:
        return file.rows, infer(file).recipe if len(file.rows) > 1 else _named(file)
    if file.rows:
        return file.rows, bind(recipe, file.fields)
    if recipe.documents is not None and recipe.documents.by == "row":
        files = [read_rows(name, uniform=False, encoding=recipe.documents.encoding) for name in recipe.documents.files]
        found = RowFile(recipe.name, "jsonl", [row for each in files for row in each.rows], [], files[0].fields)
        kept = ("name", "roles", "backend", "model", "models")
        return found.rows, _named(found).model_copy(update={key: getattr(recipe, key) for key in kept})
    raise InputError(
        "{name}: the recipe has no rows with questions and answers",
        hint="Probe a file of such rows instead.",
        name=recipe.name,
    )


def _named(file: RowFile) -> Recipe:
    """A recipe with the fields of a file, and no rules."""
    return Recipe(name=Path(file.path).stem or "rows", fields={name: Field(type="any") for name in file.fields})


def _with_short_answer(roles: Roles, recipe: Recipe) -> Roles:
    """The roles with the field marked as the answer, which in a chat may end a longer text, such as a reasoning."""
    marked = next((name for name, field in recipe.fields.items() if field.answer and name != roles.user), None)
    return roles.model_copy(update={"assistant": marked}) if marked else roles


def _pairs(rows: Sequence[Row], roles: Roles) -> list[tuple[str, str]]:
    """Each question with its answer, once."""
    pairs = []
    for row in rows:
        parts = [value_text(row[name]) for name in (roles.user, roles.input) if row.get(name) not in (None, "")]
        answer = row.get(roles.assistant)
        if parts and row.get(roles.user) and answer not in (None, ""):
            pairs.append(("\n\n".join(parts), value_text(answer)))
    return list(dict(pairs).items())


def _one_step(recipe: Recipe) -> Recipe:
    """The recipe of a probe: one step with the models of ``recipe``."""
    step = Step(name=_ANSWER, prompt="{task}", writes=(_ANSWER,), reply="text")
    return Recipe(
        name=recipe.name,
        fields={_ANSWER: Field()},
        steps=(step,),
        quota=Quota(rows=1),
        novelty=Novelty(max_rouge_l=1.0),
        backend=recipe.backend,
        model=recipe.model,
        models=recipe.models,
    )


def _batch(number: int) -> Batch:
    return Batch(number, "", 1, number - 1, ())


async def _ask(
    models: ModelPool,
    requests: Sequence[Request],
    asked: Sequence[tuple[str, str]],
    most: int,
    watch: Callable[[int, int], None],
) -> tuple[list[Answered], Counter[str], str]:
    """The answers in the order of the questions, the calls that failed by reason, and why it stopped."""
    answers: dict[int, Answered] = {}
    failed: Counter[str] = Counter()
    stopped = "done"
    fatal: Exception | None = None
    watch(0, len(requests))
    async for at, outcome in _outcomes(models, requests, most):
        if isinstance(outcome, Reply):
            answers[at] = Answered(*asked[at], outcome.text.strip())
        elif isinstance(outcome, Failure) and outcome.fatal_error is None:
            failed[outcome.reason] += 1
        else:
            error = outcome.fatal_error if isinstance(outcome, Failure) else outcome
            stopped = "budget" if isinstance(error, BudgetSpent) else stopped
            fatal = None if isinstance(error, BudgetSpent) else error
        watch(len(answers) + failed.total(), len(requests))
        if fatal is not None:
            raise fatal
    return [answers[at] for at in sorted(answers)], failed, stopped


async def _outcomes(
    models: ModelPool, requests: Sequence[Request], most: int
) -> AsyncIterator[tuple[int, Reply | Failure | Exception]]:
    """The outcome of each request as it ends, with its place; at most ``most`` are in flight, none after an error."""
    waiting = iter(enumerate(requests))
    flying: dict[asyncio.Task[Reply | Failure], int] = {}
    ended = False
    try:
        while True:
            while not ended and len(flying) < most and (following := next(waiting, None)) is not None:
                flying[asyncio.create_task(models.complete(following[1]))] = following[0]
            if not flying:
                return
            done, _ = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                at, error = flying.pop(task), task.exception()
                if isinstance(error, BaseException) and not isinstance(error, Exception):
                    raise error
                outcome: Reply | Failure | Exception = error if isinstance(error, Exception) else task.result()
                ended = ended or isinstance(outcome, Exception) or getattr(outcome, "fatal_error", None) is not None
                yield at, outcome
    finally:
        for task in flying:
            task.cancel()
        if flying:
            await asyncio.wait(flying)
