"""What a request asks of a model besides its prompt, and what is left of that when an endpoint refuses parts of it.

    json_schema -> json_object -> plain text        max_tokens -> max_completion_tokens -> no limit

Each is stepped down once and stays so: one refused call an option, not one a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.recipe import Model
from selfinstruct.records import Message, ReplyFormat

_FORMATS = ("json_schema", "json_object", "")
_LIMITS = ("max_tokens", "max_completion_tokens", "")
_PLAIN_TYPES = ("string", "integer", "number", "boolean")
_AT_MOST = re.compile(r"(?:at most|less than or equal to|<=|maximum (?:value )?(?:is|of)|up to) *([0-9]{2,7})\b")


class Options:
    """The options of one model; ``max_tokens`` bounds a reply, None is no bound. ``notes`` says what was given up."""

    def __init__(self, model: Model, form: ReplyFormat | None, max_tokens: int | None) -> None:
        """``form`` is what the first call is tried with; each request says its own."""
        self.max_tokens = max_tokens
        self.notes: list[str] = []
        self._model = model
        self._form = form
        self._formats = list(_FORMATS)
        self._limits = list(_LIMITS)
        sampling = {
            "temperature": model.temperature,
            "top_p": model.top_p,
            "presence_penalty": model.presence_penalty,
        }
        self._sampling: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
        self._seeded = True

    def trial(self, model: str, messages: Sequence[Message]) -> dict[str, Any]:
        """The body of the first request, which shows what the endpoint takes."""
        return self.body(model, messages, 0, self._form)

    def body(
        self, model: str, messages: Sequence[Message], seed: int, form: ReplyFormat | None = None
    ) -> dict[str, Any]:
        """The body of a request; ``form`` is that of its reply, None is text."""
        body: dict[str, Any] = {"model": model, **self._said(messages), **self._sampling}
        if self._seeded:
            body["seed"] = seed
        if self.max_tokens is not None and self._limits[0]:
            body[self._limits[0]] = self.max_tokens
        if form is None or self._model.api == "completions":
            return body
        if self._formats[0] == "json_schema":
            body["response_format"] = {"type": "json_schema", "json_schema": reply_schema(form)}
        elif self._formats[0]:
            body["response_format"] = {"type": self._formats[0]}
        return body

    def _said(self, messages: Sequence[Message]) -> dict[str, Any]:
        if self._model.api == "completions":
            return {"prompt": "\n\n".join(message.content for message in messages)}
        return {"messages": [{"role": message.role, "content": message.content} for message in messages]}

    @property
    def limit_name(self) -> str:
        """How this endpoint calls the bound of a reply; "" where it takes none."""
        return self._limits[0]

    def refused(self, option: str, body: Mapping[str, Any], message: str) -> bool:
        """Take back an option that a request with this ``body`` was refused for; whether another try makes sense.

        Calls that were sent before the first refusal was known change nothing more.
        """
        if option == "response_format" and option in body:
            if body[option]["type"] == self._formats[0]:
                self._formats.pop(0)
                self._note(option, message, f"replies are asked for as {self._formats[0] or 'plain text'}")
        elif option in _LIMITS and option in body:
            if option == self._limits[0] and body[option] == self.max_tokens:
                self._lower(option, message)
        elif option == "seed" and option in body:
            self._seeded = False
        elif option not in body:
            return False
        elif self._sampling.pop(option, None) is not None:
            self._note(option, message, "the model's own is used")
        return True

    def plainest(self) -> bool:
        """Take back all that can be, for an endpoint that does not say what it refuses; whether there was anything."""
        before = self.trial("", ())
        self._formats, self._sampling, self._seeded = [""], {}, False
        return self.trial("", ()) != before

    def _lower(self, option: str, message: str) -> None:
        allowed = _AT_MOST.search(message)
        if allowed and self.max_tokens is not None and 0 < int(allowed[1]) < self.max_tokens:
            self.max_tokens = int(allowed[1])
            self._note(option, message, f"{self.max_tokens:,} are asked for")
        else:
            self._limits.pop(0)
            self._note(option, message, f"{self._limits[0] or 'no limit'} is sent")

    def _note(self, option: str, message: str, instead: str) -> None:
        self.notes.append(f"the endpoint refuses {option} ({message}): {instead}")


def reply_schema(form: ReplyFormat) -> dict[str, Any]:
    """The JSON schema of a reply, as ``response_format`` takes it: one object, or ``{"rows": [...]}`` of many.

    Strict where every name has a plain type; the strict form allows no open lists, objects or values of any type.
    """
    properties: dict[str, Any] = {
        name: {} if kind == "any" else {"type": kind, **({"items": {}} if kind == "array" else {})}
        for name, kind in form.types.items()
    }
    schema = {"type": "object", "properties": properties, "required": list(form.types), "additionalProperties": False}
    if form.many:
        schema = {
            "type": "object",
            "properties": {"rows": {"type": "array", "items": schema}},
            "required": ["rows"],
            "additionalProperties": False,
        }
    strict = all(kind in _PLAIN_TYPES for kind in form.types.values())
    return {"name": "rows", "strict": strict, "schema": schema}
