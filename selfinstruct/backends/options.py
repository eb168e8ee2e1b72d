"""What a request asks of a model besides its prompt, and what is left of that when an endpoint refuses parts of it.

    json_schema -> json_object -> plain text        max_tokens -> max_completion_tokens -> no limit

Each is stepped down once and stays so: one refused call an option, not one a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from selfinstruct.recipe import Field, Model
from selfinstruct.records import Message

_FORMATS = ("json_schema", "json_object", "")
_LIMITS = ("max_tokens", "max_completion_tokens", "")
_PLAIN_TYPES = ("string", "integer", "number", "boolean")
_AT_MOST = re.compile(r"(?:at most|less than or equal to|<=|maximum (?:value )?(?:is|of)|up to) *([0-9]{2,7})\b")


class Options:
    """The options of one model; ``max_tokens`` bounds a reply, None is no bound. ``notes`` says what was given up."""

    def __init__(self, model: Model, fields: Mapping[str, Field] | None, max_tokens: int | None) -> None:
        self.max_tokens = max_tokens
        self.notes: list[str] = []
        self._schema = row_schema(fields) if fields else None
        self._formats = list(_FORMATS if self._schema else ("",))
        self._limits = list(_LIMITS)
        sampling = {"temperature": model.temperature, "top_p": model.top_p}
        self._sampling: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
        self._seeded = True

    def body(self, model: str, messages: Sequence[Message], seed: int) -> dict[str, Any]:
        """The body of a request."""
        said = [{"role": message.role, "content": message.content} for message in messages]
        body: dict[str, Any] = {"model": model, "messages": said, **self._sampling}
        if self._seeded:
            body["seed"] = seed
        if self.max_tokens is not None and self._limits[0]:
            body[self._limits[0]] = self.max_tokens
        if self._formats[0] == "json_schema":
            body["response_format"] = {"type": "json_schema", "json_schema": self._schema}
        elif self._formats[0]:
            body["response_format"] = {"type": self._formats[0]}
        return body

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
        before = self.body("", (), 0)
        self._formats, self._sampling, self._seeded = [""], {}, False
        return self.body("", (), 0) != before

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


def row_schema(fields: Mapping[str, Field]) -> dict[str, Any]:
    """The JSON schema of ``{"rows": [...]}`` with these fields, as ``response_format`` takes it.

    Strict where every field has a plain type; the strict form allows no open lists, objects or values of any type.
    """
    properties: dict[str, Any] = {
        name: {} if field.type == "any" else {"type": field.type, **({"items": {}} if field.type == "array" else {})}
        for name, field in fields.items()
    }
    row = {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": row}},
        "required": ["rows"],
        "additionalProperties": False,
    }
    strict = all(field.type in _PLAIN_TYPES for field in fields.values())
    return {"name": "rows", "strict": strict, "schema": schema}
