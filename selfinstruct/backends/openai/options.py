"""The options of a request, and the fallbacks for those that an endpoint rejects.

    json_schema -> json_object -> plain text        max_tokens -> max_completion_tokens -> no limit

A fallback is permanent: a rejected option costs one call, not one per request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.messages import Phrase
from selfinstruct.recipe import Model
from selfinstruct.records import Message, ReplyFormat

_FORMATS = ("json_schema", "json_object", "")
_LIMITS = ("max_tokens", "max_completion_tokens", "")
_PLAIN_TYPES = ("string", "integer", "number", "boolean")
_AT_MOST = re.compile(r"(?:at most|less than or equal to|<=|maximum (?:value )?(?:is|of)|up to) *([0-9]{2,7})\b")


class Options:
    """The request options of one model; ``max_tokens`` limits a reply, None is unlimited.

    ``notes`` lists the fallbacks taken, for the summary.
    """

    def __init__(self, model: Model, reply_format: ReplyFormat | None, max_tokens: int | None) -> None:
        """``reply_format`` is that of the probe; each request has its own."""
        self.max_tokens = max_tokens
        self.notes: list[str] = []
        self._model = model
        self._reply_format = reply_format
        self._formats = list(_FORMATS)
        self._limits = list(_LIMITS)
        sampling = {
            "temperature": model.temperature,
            "top_p": model.top_p,
            "presence_penalty": model.presence_penalty,
        }
        self._sampling: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
        self._send_seed = True

    def probe(self, model: str, messages: Sequence[Message]) -> dict[str, Any]:
        """The body of the first request, which shows what the endpoint accepts."""
        return self.body(model, messages, 0, self._reply_format)

    def body(
        self, model: str, messages: Sequence[Message], seed: int, reply_format: ReplyFormat | None = None
    ) -> dict[str, Any]:
        """The body of a request; ``reply_format`` None is plain text."""
        body: dict[str, Any] = {"model": model, **self._prompt(messages), **self._sampling}
        if self._send_seed:
            body["seed"] = seed
        if self.max_tokens is not None and self._limits[0]:
            body[self._limits[0]] = self.max_tokens
        if reply_format is None or self._model.api == "completions":
            return body
        if self._formats[0] == "json_schema":
            body["response_format"] = {"type": "json_schema", "json_schema": reply_schema(reply_format)}
        elif self._formats[0]:
            body["response_format"] = {"type": self._formats[0]}
        return body

    def _prompt(self, messages: Sequence[Message]) -> dict[str, Any]:
        if self._model.api == "completions":
            return {"prompt": "\n\n".join(message.content for message in messages)}
        return {"messages": [{"role": message.role, "content": message.content} for message in messages]}

    @property
    def token_limit_name(self) -> str:
        """The name of the endpoint's option for the token limit of a reply; "" if it accepts none."""
        return self._limits[0]

    def reject(self, option: str, body: Mapping[str, Any], message: str) -> bool:
        """Fall back from an ``option`` that was rejected in a request with this ``body``; whether to try again.

        Rejections of requests that were sent before an earlier fallback change nothing.
        """
        if option == "response_format" and option in body:
            if body[option]["type"] == self._formats[0]:
                self._formats.pop(0)
                self._note(option, message, _as_format(self._formats[0]))
        elif option in _LIMITS and option in body:
            if option == self._limits[0] and body[option] == self.max_tokens:
                self._lower_limit(option, message)
        elif option == "seed" and option in body:
            self._send_seed = False
        elif option not in body:
            return False
        elif self._sampling.pop(option, None) is not None:
            self._note(option, message, Phrase("using the model's default"))
        return True

    def drop_optional(self) -> bool:
        """Drop every optional part, for an endpoint that does not name what it rejects; whether there was any."""
        before = self.probe("", ())
        self._formats, self._sampling, self._send_seed = [""], {}, False
        return self.probe("", ()) != before

    def _lower_limit(self, option: str, message: str) -> None:
        allowed = _AT_MOST.search(message)
        if allowed and self.max_tokens is not None and 0 < int(allowed[1]) < self.max_tokens:
            self.max_tokens = int(allowed[1])
            self._note(option, message, Phrase("using {limit:,}", limit=self.max_tokens))
        else:
            self._limits.pop(0)
            self._note(option, message, _sending(self._limits[0]))

    def _note(self, option: str, message: str, fallback: str) -> None:
        note = "the endpoint rejects {option} ({message}): {fallback}"
        self.notes.append(Phrase(note, option=option, message=message, fallback=fallback))


def _as_format(name: str) -> Phrase:
    return Phrase("requesting replies as {format}", format=name or Phrase("plain text"))


def _sending(option: str) -> Phrase:
    return Phrase("sending {option}", option=option) if option else Phrase("sending no token limit")


def reply_schema(reply_format: ReplyFormat) -> dict[str, Any]:
    """The JSON schema of a reply for ``response_format``: one object, or ``{"rows": [...]}`` for many.

    It is strict if every name has a plain type and is required: strict mode allows no open lists or objects, untyped
    values or optional names.
    """
    properties: dict[str, Any] = {
        name: {} if kind == "any" else {"type": kind, **({"items": {}} if kind == "array" else {})}
        for name, kind in reply_format.types.items()
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": [name for name in reply_format.types if name not in reply_format.optional],
        "additionalProperties": False,
    }
    if reply_format.is_list:
        schema = {
            "type": "object",
            "properties": {"rows": {"type": "array", "items": schema}},
            "required": ["rows"],
            "additionalProperties": False,
        }
    strict = not reply_format.optional and all(kind in _PLAIN_TYPES for kind in reply_format.types.values())
    return {"name": "rows", "strict": strict, "schema": schema}
