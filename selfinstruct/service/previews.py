"""What a run would start from, before anything runs: fields, categories, what is not checked, a prompt, the cost."""

from __future__ import annotations

import asyncio
import shutil
from http import HTTPStatus

from selfinstruct.service.models import Answer, NoQuery, RowValues
from selfinstruct.service.routes import Call, Route
from selfinstruct.service.sources import Source, check_source, make_spec, name_of, names_of
from selfinstruct.service.uploads import new_id


class PreviewedField(Answer):
    """A field: its type, its rules in words, its value in the first seed row."""

    name: str
    type: str
    rules: list[str]
    example: str


class PreviewedCategory(Answer):
    """A category: its quota, the number of its seed rows, the largest ROUGE-L F1 that is allowed, an example."""

    name: str
    quota: int
    seeds: int
    max_rouge_l: float
    example: str


class Inferred(Answer):
    """A key of the recipe that was inferred, its value, and why."""

    key: str
    value: str
    reason: str


class PromptMessage(Answer):
    """A message of a prompt."""

    role: str
    content: str


class Forecast(Answer):
    """What a run takes, if every candidate is accepted: requests, and the least and the most of tokens and cost.

    The most is null where it is not known; ``tokens`` and ``cost`` are null where no model is asked, or no price known.
    """

    requests: int
    tokens: tuple[int, int | None] | None
    cost: tuple[float, float | None] | None


class Preview(Answer):
    """What a run would start from.

    ``toml`` is the recipe, to edit. ``unchecked`` lists what no check decides. ``sample`` are the first seed rows,
    ``messages`` the first prompt, null without a model.
    """

    name: str
    toml: str
    model: str
    fields: list[PreviewedField]
    categories: list[PreviewedCategory]
    relations: list[str]
    unchecked: list[str]
    inferred: list[Inferred]
    notes: list[str]
    warnings: list[str]
    seeds: int
    sample: list[RowValues]
    messages: list[PromptMessage] | None
    forecast: Forecast


async def create_preview(call: Call[NoQuery, Source]) -> Preview:
    """Infer the recipe of a source and describe its run; nothing is sent or kept."""
    service = call.service
    service.require_open()
    check_source(call.body, service.settings, service.uploads, call.user)
    folder = service.settings.own / "previews" / new_id()
    try:
        name = name_of(call.body, service.uploads, call.user)
        spec = await asyncio.to_thread(make_spec, call.body, service.settings, service.uploads, call.user, folder, name)
        names = names_of(spec, service.settings.root)
        result = await service.processes.call("preview", spec, call.language, names, folder=folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return Preview.model_validate(result)


ROUTES = (
    Route(
        "POST",
        "/v1/previews",
        create_preview,
        "Preview a run",
        errors=(HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.SERVICE_UNAVAILABLE),
    ),
)
