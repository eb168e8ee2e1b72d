"""The words and codes of an error, found in any envelope; pure.

OpenAI's ``{"error": {"message", "type", "param", "code"}}``, flat ones, FastAPI's ``detail``, ``{"code", "msg"}``,
MiniMax's ``base_resp``, cloud gateways that nest an ``Error`` twice, plain text, any of these in a list or as JSON in
a string (a gateway that passes on what a provider said). Keys are compared without case, hyphens and underscores.

>>> parse_error({"base_resp": {"status_code": 1004, "status_msg": "login fail"}})
ErrorBody(message='login fail', code='1004', kind='', param='', salvage=None)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MESSAGES = ("message", "msg", "errormessage", "errormsg", "errmsg", "statusmsg", "errordescription", "title", "reason")
_CODES = ("code", "errorcode", "errcode", "statuscode", "status", "errno", "retcode")
_KINDS = ("type", "errortype", "status")
_PARAMS = ("param", "parameter", "field", "loc")
#: Keys of an envelope whose values are errors, or contain them.
_INSIDE = (
    *("error", "errors", "detail", "details", "baseresp", "header", "response", "responsemetadata"),
    *("result", "output", "data", "metadata", "raw", "body", "fieldviolations"),
)
_SUCCESS = ("", "0", "200", "ok", "success", "none", "true", "false")
_DEEPEST = 6
_EXCERPT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The parts of an error; ``param`` is a path such as ``body.messages.0.role``.

    ``salvage`` is text of the model that came with it.
    """

    message: str
    code: str = ""
    kind: str = ""
    param: str = ""
    salvage: str | None = None

    @property
    def text(self) -> str:
        """All that describes the error, to be searched."""
        return f"{self.code} {self.kind} {self.message}"

    @property
    def is_empty(self) -> bool:
        """Whether the payload says nothing about an error."""
        return not (self.message or self.code)


def parse_error(payload: Any) -> ErrorBody:
    """Find the parts of an error in any envelope; the outermost of each, and the messages of all levels."""
    levels = list(_levels(payload, 0))
    messages = list(dict.fromkeys(level.message for level in levels if level.message))

    def first(part: str) -> str:
        """The outermost value of a part."""
        return next((value for level in levels if (value := getattr(level, part))), "")

    codes = list(dict.fromkeys(level.code for level in levels if level.code))
    kinds = dict.fromkeys((*codes[1:], *(level.kind for level in levels if level.kind)))
    return ErrorBody(
        excerpt(": ".join(messages)) if messages else "",
        codes[0] if codes else "",
        " ".join(kinds),
        first("param"),
        next((level.salvage for level in levels if level.salvage is not None), None),
    )


def _levels(value: Any, depth: int) -> Iterator[ErrorBody]:
    """The error at each level of an envelope, from the outermost inwards."""
    while isinstance(value, list) and value:
        value = value[0]
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        inner = _json_in(value)
        yield from _levels(inner, depth + 1) if inner is not None else [ErrorBody(" ".join(value.split()))]
    if not isinstance(value, Mapping):
        return
    parts = {str(key).replace("_", "").replace("-", "").casefold(): each for key, each in value.items()}
    message = next((parts[key] for key in _MESSAGES if parts.get(key)), "")
    inner = _json_in(message) if isinstance(message, str) else None
    failed = parts.get("failedgeneration")
    yield ErrorBody(
        "" if inner is not None else message if isinstance(message, str) else json.dumps(message),
        _scalar(parts, _CODES),
        _scalar(parts, _KINDS),
        next((_path(parts[key]) for key in _PARAMS if parts.get(key)), ""),
        failed if isinstance(failed, str) and failed.strip() else None,
    )
    if inner is not None:
        yield from _levels(inner, depth + 1)
    for key in _INSIDE:
        if parts.get(key):
            yield from _levels(parts[key], depth + 1)


def _json_in(text: str) -> Any:
    """The object or list that a string contains as JSON; None if it is not JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _scalar(parts: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of these parts that is a text or a number other than those of success."""
    values = (str(parts[name]) for name in names if isinstance(parts.get(name), str | int | float))
    return next((value for value in values if value.casefold() not in _SUCCESS), "")


def _path(value: Any) -> str:
    return ".".join(map(str, value)) if isinstance(value, list) else str(value)


def excerpt(text: str | bytes) -> str:
    """The beginning of a text on one line, with control characters escaped."""
    if isinstance(text, bytes):
        text = text[: 4 * _EXCERPT_LENGTH].decode("utf-8", "replace")
    text = " ".join(text[: 4 * _EXCERPT_LENGTH].split())
    return repr(text[:_EXCERPT_LENGTH])[1:-1] if text else "an empty reply"
