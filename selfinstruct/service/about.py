"""What the service is and can do: its version, limits, endpoints, export formats, and whether it is well."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import Field

from selfinstruct._version import __version__
from selfinstruct.exports.formats import FORMATS
from selfinstruct.messages import Phrase, speaking, translated
from selfinstruct.recipe import Price
from selfinstruct.render.summary import MEANINGS
from selfinstruct.service.models import Answer, NoBody, NoQuery
from selfinstruct.service.problems import Problem
from selfinstruct.service.routes import Call, Route

_FORMATS: Mapping[str, Phrase] = {
    "jsonl": Phrase("rows as they are, one JSON object a line"),
    "csv": Phrase("rows as a table for spreadsheets"),
    "parquet": Phrase("rows as a typed table for data frames"),
    "messages": Phrase("chats of OpenAI's fine-tuning"),
    "alpaca": Phrase("instruction, input and output"),
    "sharegpt": Phrase("conversations of human and gpt"),
    "chatml": Phrase("chats as one text with ChatML marks"),
    "llama-factory": Phrase("a folder for LLaMA-Factory"),
    "axolotl": Phrase("a folder for Axolotl"),
    "prompt-completion": Phrase("prompt and completion, for TRL"),
    "conversational": Phrase("prompt and completion as messages, for TRL"),
    "text": Phrase("one text a row, for TRL"),
    "preference": Phrase("prompt, chosen and rejected, for DPO"),
    "squad": Phrase("questions and answer spans, nested as SQuAD"),
    "squad-flat": Phrase("questions and answer spans, one a line"),
    "triplets": Phrase("query, positive and negatives, for embeddings"),
    "label-studio": Phrase("tasks for Label Studio"),
}


class LimitsShown(Answer):
    """The limits of the service: bytes of an upload, rows of a run, waiting and growing runs, bytes on disk."""

    upload_bytes: int
    rows: int
    jobs: int
    running: int
    disk_bytes: int


class EndpointShown(Answer):
    """An endpoint that runs may call; ``models`` is null if any may be named."""

    id: str
    models: list[str] | None
    price: Price | None


class FormatShown(Answer):
    """An export format: its ``extension`` is "zip" if it is a folder."""

    name: str
    description: str
    extension: str


class ServiceShown(Answer):
    """The service as one of its users sees it; ``reasons`` are the meanings of rejection reasons."""

    version: str = Field(examples=[__version__])
    user: str
    language: str
    limits: LimitsShown
    endpoints: list[EndpointShown]
    formats: list[FormatShown]
    reasons: dict[str, str]


class Health(Answer):
    """Whether the service is well."""

    status: str = Field(examples=["ok"])


async def show_service(call: Call[NoQuery, NoBody]) -> ServiceShown:
    """The version, the user, the limits, the endpoints and the export formats."""
    settings = call.service.settings
    with speaking(call.language):
        formats = [
            FormatShown(
                name=name,
                description=translated(_FORMATS.get(name, "")),
                extension="zip" if each.is_folder else each.suffix,
            )
            for name, each in FORMATS.items()
        ]
        reasons = {reason: translated(meaning) for reason, meaning in MEANINGS.items()}
    return ServiceShown(
        version=__version__,
        user=call.user,
        language=call.language,
        limits=LimitsShown(**settings.limits.model_dump(include=set(LimitsShown.model_fields))),
        endpoints=[
            EndpointShown(id=name, models=each.models, price=each.price) for name, each in settings.endpoints.items()
        ],
        formats=formats,
        reasons=reasons,
    )


async def is_alive(call: Call[NoQuery, NoBody]) -> Health:
    """Answers as long as the process does."""
    return Health(status="ok")


async def is_ready(call: Call[NoQuery, NoBody]) -> Health:
    """Answers 503 while the service is ending, or cannot write its directory."""
    if call.service.draining:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, Phrase("the service is ending"))
    if not await asyncio.to_thread(os.access, call.service.settings.own, os.W_OK):
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, Phrase("the directory of the service cannot be written"))
    return Health(status="ok")


ROUTES = (
    Route("GET", "/v1/service", show_service, "What the service offers"),
    Route("GET", "/healthz", is_alive, "Whether the service is alive", open=True),
    Route(
        "GET",
        "/readyz",
        is_ready,
        "Whether the service accepts work",
        open=True,
        errors=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
)
