"""What a run is grown from, as a request names it: uploads, a built-in recipe, the text of a recipe, an endpoint.

A source becomes a *spec*, which a child process plans from (``planning``), and a folder of its own with links to the
uploads that it names. A recipe finds files there under ``upload:ID``, and nowhere else.

Does not handle: reading any of these, which only the child does.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from selfinstruct.messages import Phrase
from selfinstruct.recipe import builtin
from selfinstruct.service.models import Asked, FileId
from selfinstruct.service.problems import Problem
from selfinstruct.service.settings import Settings
from selfinstruct.service.uploads import Uploads

#: How recipes name an uploaded file.
UPLOAD = "upload:"
_NAMED = re.compile(r"upload:([a-z2-7]{16})(?![a-z0-9])")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}$")
_MOST = 10**9


class Source(Asked):
    """What a run is grown from; at least one of ``file``, ``recipe``, ``toml`` and ``passages``.

    ``file`` is an upload with seed rows, or a recipe; ``recipe`` a built-in recipe, ``toml`` the text of one, whose
    files are ``upload:ID``. ``passages`` are uploads with texts that the rows are about. ``rows`` or ``per_category``
    replaces the quota. ``endpoint`` is one of the service's, without which the embedded imitator writes the rows;
    ``budget`` is in the currency of its prices. ``seed`` is the random seed.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"recipe": "logqa", "rows": 100}, {"recipe": "logqa", "per_category": 5}]}
    )

    file: FileId | None = None
    recipe: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    toml: Annotated[str, Field(min_length=1, max_length=400_000)] | None = None
    passages: Annotated[list[FileId], Field(max_length=1000)] = Field(default=[])
    rows: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    per_category: Annotated[int, Field(ge=1, le=_MOST)] | None = None
    endpoint: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    language: Literal["en", "zh"] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    budget: Annotated[float, Field(gt=0, le=10**9)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    max_requests: Annotated[int, Field(ge=1, le=_MOST)] | None = None

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if not (self.file or self.recipe or self.toml or self.passages):
            raise ValueError("name a file, a recipe or passages")
        if self.recipe and self.toml:
            raise ValueError("recipe and toml exclude each other")
        if self.rows and self.per_category:
            raise ValueError("rows and per_category exclude each other")
        return self


def check_source(source: Source, settings: Settings, uploads: Uploads, user: str) -> None:
    """Raise Problem for a source that names what this user or this service does not have, or exceeds a limit."""
    for at in _uploads_of(source):
        try:
            uploads.find(at, user)
        except Problem:
            raise _invalid(Phrase("{id}: no such file", id=at), Phrase("Upload it: POST /v1/files.")) from None
    if source.recipe is not None and source.recipe not in builtin.names():
        raise _invalid(Phrase("recipe: no such recipe"), Phrase("List the recipes: GET /v1/recipes."))
    most = settings.limits.rows
    if max(source.rows or 0, source.per_category or 0) > most:
        raise too_many_rows(most)
    if source.endpoint is None:
        if source.model is not None:
            raise _invalid(Phrase("model: names a model without an endpoint"), Phrase("Choose an endpoint."))
        if source.budget is not None or source.max_requests is not None:
            message = Phrase("budget and max_requests have no effect without an endpoint")
            raise _invalid(message, Phrase("Choose an endpoint, or leave them out."))
        return
    endpoint = settings.endpoints.get(source.endpoint)
    if endpoint is None:
        raise _invalid(Phrase("endpoint: no such endpoint"), Phrase("List the endpoints: GET /v1/service."))
    if source.model is not None and endpoint.models is not None and source.model not in endpoint.models:
        models = ", ".join(endpoint.models)
        raise _invalid(Phrase("model: not a model of this endpoint"), Phrase("Choose one of {models}.", models=models))


def too_many_rows(most: int) -> Problem:
    """The problem of a run with more rows than the service allows."""
    return _invalid(Phrase("rows: more than {most:,}", most=most), Phrase("Ask for fewer rows."), slug="too-many-rows")


def make_spec(
    source: Source, settings: Settings, uploads: Uploads, user: str, folder: Path, name: str | None
) -> dict[str, Any]:
    """Link the uploads of a checked source into ``folder``, and return what a child plans from."""
    folder.mkdir(mode=0o700, parents=True)
    shown: dict[str, str] = {}
    files: dict[str, str] = {}
    for at in _uploads_of(source):
        name_given = uploads.find(at, user).name
        suffix = _SUFFIX.search(name_given.lower())
        # Some readers are chosen by the suffix; a recipe may write the id with or without it.
        files[at] = f"{UPLOAD}{at}{suffix[0] if suffix else ''}"
        for link in {files[at], f"{UPLOAD}{at}"}:
            os.link(uploads.path(at, user), folder / link)
        shown |= {files[at]: name_given, f"{UPLOAD}{at}": name_given}
    (folder / builtin.INPUTS).symlink_to(builtin.path("logqa").parent / builtin.INPUTS)
    endpoint = None if source.endpoint is None else settings.endpoints[source.endpoint]
    return {
        **source.model_dump(exclude={"endpoint", "toml", "file", "passages"}),
        "folder": str(folder),
        "toml": source.toml,
        "file": None if source.file is None else files[source.file],
        "passages": [files[at] for at in source.passages],
        "shown": shown,
        "name": name,
        "endpoint": None if endpoint is None else {"id": source.endpoint, **endpoint.model_dump()},
        "most_rows": settings.limits.rows,
    }


def names_of(spec: Mapping[str, Any], root: Path) -> dict[str, str]:
    """The paths that messages of a child may contain, with what its users know them by."""
    return {**spec.get("shown", {}), f"{spec.get('folder', root)}/": "", f"{root}/": ""}


def name_of(source: Source, uploads: Uploads, user: str) -> str:
    """What a run of this source is called without a name of its own."""
    if source.toml is not None:
        try:
            name = tomllib.loads(source.toml).get("name")
        except tomllib.TOMLDecodeError:
            name = None
        if isinstance(name, str):
            return name
    if source.recipe is not None:
        return source.recipe
    at = source.file or next(iter(source.passages), None)
    return "run" if at is None else uploads.find(at, user).name.split(".")[0] or "run"


def _uploads_of(source: Source) -> list[str]:
    named = [*([source.file] if source.file else []), *source.passages, *_NAMED.findall(source.toml or "")]
    return list(dict.fromkeys(named))


def _invalid(message: str, hint: str, slug: str = "invalid-request") -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, message, hint, slug=slug)
