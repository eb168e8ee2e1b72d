"""Errors as problem details for HTTP APIs (RFC 9457), in the words of the library.

Does not handle: unexpected exceptions, which ``app`` logs and reports without their text, since it may contain rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import Field, ValidationError

from selfinstruct.errors import EndpointError, InputError, SelfInstructError
from selfinstruct.messages import Phrase, speaking, translated
from selfinstruct.service.models import Answer

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:selfinstruct:problem:"


class Fault(Answer):
    """One of several faults: its ``line`` in a recipe, or its ``key`` in a request."""

    message: str
    line: int | None = None
    key: str | None = None
    hint: str = ""


class ProblemDetails(Answer):
    """What is wrong with a request.

    ``type`` identifies the kind of problem. ``detail`` says what is wrong, ``hint`` what to do, ``where`` the file and
    line, if there is one.
    """

    type: str = Field(examples=[f"{_TYPE}not-found"])
    title: str
    status: int
    detail: str
    hint: str = ""
    where: str | None = None
    errors: list[Fault] = Field(default=[])


class Problem(Exception):
    """A request that is answered with an error; ``slug`` is the last part of the problem's type."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        hint: str = "",
        *,
        slug: str = "",
        where: str | None = None,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail, self.hint = Phrase(detail), Phrase(hint)
        self.slug = slug or status.phrase.lower().replace(" ", "-")
        self.where = where
        self.errors = errors
        self.headers = dict(headers or {})

    def details(self, language: str) -> ProblemDetails:
        """The body of the answer in a language of messages."""
        with speaking(language):
            return ProblemDetails(
                type=f"{_TYPE}{self.slug}",
                title=self.status.phrase,
                status=int(self.status),
                detail=translated(self.detail),
                hint=translated(self.hint),
                where=self.where,
                errors=list(self.errors),
            )


def not_found(what: str, hint: str = "") -> Problem:
    """The problem of an id that nothing has."""
    return Problem(HTTPStatus.NOT_FOUND, what, hint)


def problem_of(error: SelfInstructError) -> Problem:
    """The problem of an error of the library."""
    if isinstance(error, InputError):
        where = getattr(error, "where", None)
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, error.message, error.hint, slug="invalid-input", where=where)
    if isinstance(error, EndpointError):
        return Problem(HTTPStatus.BAD_GATEWAY, error.message, error.hint, slug="endpoint")
    return Problem(HTTPStatus.CONFLICT, error.message, error.hint, slug="storage")


def invalid_request(part: str, error: ValidationError) -> Problem:
    """The problem of a query or a body that its model refuses; values are not repeated."""
    faults = [
        Fault(key=".".join(map(str, each["loc"])) or None, message=_message(each))
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Phrase("{part}: {problem}", part=part, problem=_of_first(faults[0])),
        Phrase("See /docs for the keys and values."),
        slug="invalid-request",
        errors=faults,
    )


def _of_first(fault: Fault) -> str:
    return f"{fault.key}: {fault.message}" if fault.key else fault.message


def _message(fault: Mapping[str, Any]) -> str:
    return "unknown key" if fault["type"] == "extra_forbidden" else str(fault["msg"]).removeprefix("Value error, ")
