"""The options of a request, and the fallbacks for those that an endpoint refuses.

    json_schema -> without a keyword -> json_object -> plain text        system message -> in front of the user's
    max_tokens -> within the bounds -> max_completion_tokens -> none     no stream -> stream        others -> none

One refusal changes one option. A fallback is permanent: it costs one call, not one per request.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from selfinstruct.backends.openai.error_words import CONTEXT_LENGTH
from selfinstruct.backends.openai.numeric_bounds import asks_for_more, stated_bounds, stated_room
from selfinstruct.backends.openai.refused_option import (
    REQUIRED,
    RESPONSE_FORMAT,
    STREAM,
    SYSTEM,
    TOKEN_LIMITS,
    has_system,
    refused_keyword,
)
from selfinstruct.messages import Phrase
from selfinstruct.recipe import Model
from selfinstruct.records import Message, ReplyFormat, Request

_FORMATS = ("json_schema", "json_object", "")
_PLAIN_TYPES = ("string", "integer", "number", "boolean")
#: A limit that is too low, by the words of the endpoint, is raised by this factor, up to this many tokens.
_RAISE, _MOST_RAISED = 8, 32_768
#: A lower limit than this leaves no room for a row: the prompt is too long.
_LEAST_LIMIT = 64
_STREAM_OPTIONS, _STOP, _TEMPERATURE = "stream_options", "stop", "temperature"


class Options:
    """The request options of one model; ``max_tokens`` limits a reply, None is unlimited.

    ``notes`` lists the fallbacks taken, for progress and summary.
    """

    def __init__(self, model: Model, reply_format: ReplyFormat | None, max_tokens: int | None) -> None:
        """``reply_format`` is that of the probe; each request has its own."""
        self.max_tokens = max_tokens
        self.notes: list[str] = []
        self._model = model
        self._reply_format = reply_format
        self._formats = list(_FORMATS)
        self._limits = [*TOKEN_LIMITS, ""]
        self._least_tokens = 0
        sampling = {
            "temperature": model.temperature,
            "top_p": model.top_p,
            "presence_penalty": model.presence_penalty,
        }
        self._sampling: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
        self._send_seed = self._send_stop = True
        # Not even where the endpoint refuses the recipe's.
        self._send_temperature = model.temperature is None
        self._send_system = True
        self._extra: dict[str, Any] = dict(model.extra_body)
        self._stream = model.stream
        self._stream_options = True
        self._keywords_left_out: set[str] = set()
        self._aside: frozenset[str] = frozenset()

    def probe(self, model: str, messages: Sequence[Message], limit: int | None = None) -> dict[str, Any]:
        """The body of the first request, which shows what the endpoint accepts."""
        return self.body(model, messages, 0, self._reply_format, limit)

    def body_of(self, model: str, request: Request, limit: int | None) -> dict[str, Any]:
        """The body of a request, with the token ``limit`` of its reply."""
        form, stop = request.reply_format, request.stop
        return self.body(model, request.messages, request.seed, form, limit, stop, request.temperature)

    def body(
        self,
        model: str,
        messages: Sequence[Message],
        seed: int,
        reply_format: ReplyFormat | None = None,
        limit: int | None = None,
        stop: Sequence[str] = (),
        temperature: float | None = None,
    ) -> dict[str, Any]:
        """The body of a request.

        ``reply_format`` None is plain text. ``limit`` is the token limit of this reply, if it is to be below that of
        the model. The reply ends before one of the texts in ``stop``. ``temperature`` is that of this request, where
        the recipe has none.
        """
        body: dict[str, Any] = {"model": model, **self._prompt(messages), **self._sampling}
        if temperature is not None and self._send_temperature:
            body[_TEMPERATURE] = temperature
        if self._send_seed:
            body["seed"] = seed
        tokens = self._token_limit(limit)
        if tokens is not None and self._limits[0]:
            body[self._limits[0]] = tokens
        if stop and self._send_stop:
            body[_STOP] = list(stop)
        if self._stream:
            body[STREAM] = True
            if self._stream_options:
                body[_STREAM_OPTIONS] = {"include_usage": True}
        if reply_format is not None and self._model.api != "completions" and self._formats[0]:
            body[RESPONSE_FORMAT] = self._format(reply_format)
        body.update(self._extra)
        return {name: value for name, value in body.items() if name not in self._aside} if self._aside else body

    def _token_limit(self, limit: int | None) -> int | None:
        """The limit of a reply: the lower of both, but not below the least that the endpoint takes."""
        limits = [each for each in (limit, self.max_tokens) if each is not None]
        return max(min(limits), self._least_tokens) if limits else None

    def _format(self, reply_format: ReplyFormat) -> dict[str, Any]:
        if self._formats[0] != "json_schema":
            return {"type": self._formats[0]}
        schema = reply_schema(reply_format)
        return {"type": "json_schema", "json_schema": _without(schema, self._keywords_left_out)}

    def _prompt(self, messages: Sequence[Message]) -> dict[str, Any]:
        if self._model.api == "completions":
            return {"prompt": "\n\n".join(message.content for message in messages)}
        if not self._send_system or SYSTEM in self._aside:
            messages = _merged(messages)
        return {"messages": [{"role": message.role, "content": message.content} for message in messages]}

    @property
    def token_limit_name(self) -> str:
        """The name of the endpoint's option for the token limit of a reply; "" if it accepts none."""
        return self._limits[0]

    def optional(self, body: Mapping[str, Any]) -> list[str]:
        """What a request can do without, the reply format first; a token limit is always sent."""
        kept = (*REQUIRED, *TOKEN_LIMITS, STREAM, _STREAM_OPTIONS, RESPONSE_FORMAT)
        others = [name for name in body if name not in kept]
        return [RESPONSE_FORMAT] * (RESPONSE_FORMAT in body) + [SYSTEM] * has_system(body) + others

    def set_aside(self, names: Collection[str]) -> None:
        """Leave out some options until further notice, to find out which of them an endpoint refuses."""
        self._aside = frozenset(names)

    def reject(self, option: str, body: Mapping[str, Any], message: str) -> bool:
        """Fall back from an ``option`` that was refused in a request with this ``body``; whether to try again.

        Refusals of requests that were sent before an earlier fallback change nothing.
        """
        if option == SYSTEM:
            return self._reject_system(body, message)
        if option == STREAM:
            return self._reject_stream(body, message)
        if option not in body:
            return False
        if option in self._extra:
            del self._extra[option]
            self._note(option, message, Phrase("sending none"))
            return True
        if option == RESPONSE_FORMAT:
            self._reject_format(body[option], message)
        elif option in TOKEN_LIMITS:
            if body[option] <= _LEAST_LIMIT and CONTEXT_LENGTH.search(message):
                return False
            if option == self._limits[0] and body[option] == self._token_limit(body[option]):
                self._fit_limit(option, body[option], message)
        elif option == _STOP and self._send_stop:
            self._send_stop = False
            self._note(option, message, Phrase("sending none"))
        elif option == _TEMPERATURE and self._send_temperature:
            self._send_temperature = False
            self._note(option, message, Phrase("using the model's default"))
        elif option == "seed" and self._send_seed:
            self._send_seed = False
            self._note(option, message, Phrase("sending none"))
        elif option == _STREAM_OPTIONS and self._stream_options:
            self._stream_options = False
            self._note(option, message, Phrase("sending none"))
        elif option in self._sampling and self._sampling[option] == body[option]:
            self._fit_sampling(option, message)
        return True

    def _reject_system(self, body: Mapping[str, Any], message: str) -> bool:
        if not has_system(body):
            return False
        if self._send_system:
            self._send_system = False
            self._note(Phrase("system messages"), message, Phrase("putting their text in front of the user's"))
        return True

    def _reject_stream(self, body: Mapping[str, Any], message: str) -> bool:
        """Stream replies, if the endpoint takes nothing else; an endpoint that refuses both fails."""
        if STREAM in body:
            return False
        if not self._stream:
            self._stream = True
            self._note(Phrase("requests without a stream"), message, Phrase("streaming replies"))
        return True

    def _reject_format(self, refused: Mapping[str, Any], message: str) -> None:
        if refused["type"] != self._formats[0]:
            return
        word = refused_keyword(message, refused) if refused["type"] == "json_schema" else ""
        if word and word not in self._keywords_left_out:
            self._keywords_left_out.add(word)
            what = Phrase("{word} in {option}", word=word, option=RESPONSE_FORMAT)
            self._note(what, message, Phrase("leaving it out of the schema"))
        elif not word:
            self._formats.pop(0)
            self._note(RESPONSE_FORMAT, message, _as_format(self._formats[0]))

    def _fit_limit(self, option: str, sent: int, message: str) -> None:
        """Move a token limit into the bounds that the endpoint states, or send it by another name."""
        if CONTEXT_LENGTH.search(message):
            self._fit_context(option, sent, message)
            return
        low, high = stated_bounds(message)
        if high is not None and 0 < high < sent:
            self.max_tokens = int(high)
            self._note(option, message, _using(high))
            return
        if low is not None and sent < low:
            wanted = int(low) + 1  # "greater than" may exclude the bound
        elif asks_for_more(message) and sent < _MOST_RAISED:
            wanted = min(_RAISE * sent, _MOST_RAISED)
        else:
            self._limits.pop(0)
            self._note(option, message, _sending(self._limits[0]))
            return
        self._least_tokens = wanted
        if self.max_tokens is not None and self.max_tokens < wanted:
            self.max_tokens = wanted
            self._note(option, message, _using(wanted))

    def _fit_context(self, option: str, sent: int, message: str) -> None:
        """Lower a token limit to what a prompt leaves of the model's context, and a little more, as prompts differ."""
        room = stated_room(message)
        if room is not None and 0 < room < sent:
            self.max_tokens = room - room // 8
        else:
            self.max_tokens = sent // 2
        self._note(option, message, _using(self.max_tokens))

    def _fit_sampling(self, option: str, message: str) -> None:
        """Move a number into the bounds that the endpoint states, or leave it out."""
        low, high = stated_bounds(message)
        value = self._sampling[option]
        if high is not None and high < value:
            self._sampling[option] = high
        elif low is not None and value < low:
            self._sampling[option] = low
        else:
            del self._sampling[option]
            self._note(option, message, Phrase("using the model's default"))
            return
        self._note(option, message, _using(self._sampling[option]))

    def _note(self, option: str, message: str, fallback: str) -> None:
        note = "the endpoint rejects {option} ({message}): {fallback}"
        self.notes.append(Phrase(note, option=option, message=message, fallback=fallback))


def _as_format(name: str) -> Phrase:
    return Phrase("requesting replies as {format}", format=name or Phrase("plain text"))


def _sending(option: str) -> Phrase:
    return Phrase("sending {option}", option=option) if option else Phrase("sending no token limit")


def _using(number: float) -> Phrase:
    return Phrase("using {limit:,}", limit=int(number) if number == int(number) else number)


def _merged(messages: Sequence[Message]) -> list[Message]:
    """The messages without system ones, whose text is put in front of the first of the user's."""
    system = "\n\n".join(message.content for message in messages if message.role == SYSTEM)
    others = [message for message in messages if message.role != SYSTEM]
    if not system or not others:
        return [Message("user", message.content) for message in messages]
    return [Message(others[0].role, f"{system}\n\n{others[0].content}"), *others[1:]]


def _without(schema: Any, words: Collection[str]) -> Any:
    """A JSON schema without some keywords; names of properties are no keywords."""
    if not words or not isinstance(schema, dict):
        return schema
    return {
        key: {name: _without(each, words) for name, each in value.items()}
        if key == "properties"
        else _without(value, words)
        for key, value in schema.items()
        if key not in words
    }


def reply_schema(reply_format: ReplyFormat) -> dict[str, Any]:
    """The JSON schema of a reply for ``response_format``: one object, or ``{"rows": [...]}`` for many.

    The members are in the order of the fields, which a grammar made of the schema keeps, and labels have their values.
    It is strict if every name has a plain type and is required: strict mode allows no open lists or objects, untyped
    values or optional names.
    """
    properties: dict[str, Any] = {
        name: {} if kind == "any" else {"type": kind, **({"items": {}} if kind == "array" else {})}
        for name, kind in reply_format.types.items()
    }
    for name, values in reply_format.choices.items():
        properties[name]["enum"] = list(values)
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
