"""What an endpoint does with every request: options that it refuses, and the form in which it replies.

Unlike the faults of `transport` and `content`, which befall some requests, these last, and a client has to find out.

Does not handle: which requests a manner applies to (`catalogue`).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from aiohttp import web

from selfinstruct.testing.exchange import Exchange

_Act: TypeAlias = Callable[[Exchange], Awaitable[web.StreamResponse]]
_JSON = "application/json"
_EVENTS = "text/event-stream"


def refusing(status: int, payload: Any) -> _Act:
    """Answer by an error with this payload."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        return exchange.json(payload, status)

    return act


def saying(message: str, status: int = 400, **more: Any) -> _Act:
    """Answer by an error in OpenAI's envelope."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None} | more
    return refusing(status, {"error": error})


def has(option: str) -> Callable[[Exchange], bool]:
    """Whether a request has an option."""
    return lambda exchange: option in exchange.body


def has_schema(exchange: Exchange) -> bool:
    """Whether a request asks for a JSON schema."""
    form = exchange.body.get("response_format")
    return isinstance(form, dict) and form.get("type") == "json_schema"


def has_keyword(word: str) -> Callable[[Exchange], bool]:
    """Whether a request has a JSON schema with a keyword."""
    return lambda exchange: has_schema(exchange) and f'"{word}":' in json.dumps(exchange.body["response_format"])


def has_system(exchange: Exchange) -> bool:
    """Whether a request has a system message."""
    return any(message.get("role") == "system" for message in exchange.messages)


def limit_below(least: int) -> Callable[[Exchange], bool]:
    """Whether a request has a token limit below ``least``."""
    return lambda exchange: 0 < int(exchange.body.get("max_tokens") or 0) < least


def limit_above(most: int) -> Callable[[Exchange], bool]:
    """Whether a request has a token limit above ``most``."""
    return lambda exchange: int(exchange.body.get("max_tokens") or 0) > most


def above(option: str, most: float) -> Callable[[Exchange], bool]:
    """Whether a request has a number above ``most``."""
    return lambda exchange: float(exchange.body.get(option) or 0) > most


def does_not_stream(exchange: Exchange) -> bool:
    """Whether a request asks for a whole reply."""
    return not exchange.body.get("stream")


# --- Forms of replies ------------------------------------------------------------------------------------------


def chunks(exchange: Exchange, payload: Mapping[str, Any], pieces: int = 4) -> list[dict[str, Any]]:
    """A reply in the chunks of a stream: the role, the text in pieces, the end, the usage."""
    choice = payload["choices"][0]
    text = choice["message"]["content"] or ""
    size = max(1, -(-len(text) // pieces))
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[at : at + size]} for at in range(0, len(text), size)]
    head = {"id": payload["id"], "object": "chat.completion.chunk", "model": payload["model"]}
    made: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas
    ]
    made.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    return [*made, {**head, "choices": [], "usage": payload.get("usage")}]


def _event(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _whole(values: Sequence[Mapping[str, Any]]) -> str:
    return "".join(map(_event, values)) + "data: [DONE]\n\n"


def _cumulative(values: Sequence[Mapping[str, Any]]) -> str:
    """Each event has the text so far (DashScope without incremental output)."""
    text, events = "", []
    for value in values:
        for choice in value["choices"]:
            text += choice["delta"].get("content") or ""
            message = {"role": "assistant", "content": text}
            events.append({**value, "choices": [{**choice, "message": message, "delta": None}]})
    return _whole([*events, values[-1]])


_STREAMS: dict[str, Callable[[Sequence[Mapping[str, Any]]], str]] = {
    "plain": _whole,
    "comments": lambda values: ": OPENROUTER PROCESSING\n\n" * 2 + _whole(values).replace("\n\n", "\n\n: ping\n\n"),
    "crlf": lambda values: _whole(values).replace("\n", "\r\n"),
    "named": lambda values: "".join(f"event: message\nid: {at}\n{_event(each)}" for at, each in enumerate(values)),
    "unspaced": lambda values: _whole(values).replace("data: ", "data:").replace("\n\n", "\n"),
    "cumulative": _cumulative,
    "json-lines": lambda values: "\n".join(map(json.dumps, values)),
    "list": json.dumps,
}


def _streaming(form: Callable[[Sequence[Mapping[str, Any]]], str], content_type: str = _EVENTS) -> _Act:
    """A good reply as a stream of this form."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        payload = exchange.payload(await exchange.answer())
        return web.Response(text=form(chunks(exchange, payload)), content_type=content_type)

    return act


async def stream(exchange: Exchange) -> web.StreamResponse:
    """A good reply as a stream, which was asked for."""
    return await _streaming(_whole)(exchange)


async def error_in_stream(exchange: Exchange) -> web.StreamResponse:
    """A stream that ends with an error after half of the text."""
    values = chunks(exchange, exchange.payload(await exchange.answer()))
    error = {"error": {"code": 502, "message": "Upstream error from provider: connection reset"}}
    return web.Response(text=_whole([*values[: len(values) // 2], error]), content_type=_EVENTS)


#: Refusals of a limit that leaves the prompt no room in the context, and what is told of them.
NO_ROOM: dict[str, tuple[_Act, str]] = {
    "context": (
        saying(
            "This model's maximum context length is 1600 tokens. However, you requested 2396 tokens (396 in the "
            "messages, 2000 in the completion). Please reduce the length of the messages or completion.",
            code="context_length_exceeded",
        ),
        "using 1,054",
    ),
    "context-unstated": (saying("The prompt and max_tokens exceed the context window of the model."), "using 1,000"),
}

STREAMS: dict[str, _Act] = {
    **{name: _streaming(form) for name, form in _STREAMS.items()},
    "mislabelled": _streaming(_whole, _JSON),
    "text": _streaming(_whole, "text/plain"),
}


def _dressing(
    dress: Callable[[dict[str, Any]], str], status: int = 200, content_type: str = _JSON, charset: str = "utf-8"
) -> _Act:
    """A good reply whose body is more or other than its payload."""

    async def act(exchange: Exchange) -> web.StreamResponse:
        payload = exchange.payload(await exchange.answer())
        return web.Response(text=dress(payload), status=status, content_type=content_type, charset=charset)

    return act


WRAPPERS: dict[str, _Act] = {
    "comment-before": _dressing(lambda payload: f": PROCESSING\n\n: PROCESSING\n\n{json.dumps(payload)}"),
    "blank-lines": _dressing(lambda payload: "\n \n" * 40 + json.dumps(payload)),
    "done-after": _dressing(lambda payload: f"{json.dumps(payload)}\n\ndata: [DONE]\n\n"),
    "tail": _dressing(lambda payload: f"{json.dumps(payload)}\n<!-- served by node 7 -->"),
    "guard": _dressing(lambda payload: f")]}}',\n{json.dumps(payload)}"),
    "bom": _dressing(lambda payload: f"\ufeff{json.dumps(payload)}"),
    "in-data": _dressing(lambda payload: json.dumps({"code": 0, "msg": "success", "data": payload})),
    "in-result": _dressing(lambda payload: json.dumps({"success": True, "errors": [], "result": payload})),
    "in-body": _dressing(lambda payload: json.dumps({"statusCode": 200, "body": json.dumps(payload)})),
    "in-list": _dressing(lambda payload: json.dumps([payload])),
    "in-string": _dressing(lambda payload: json.dumps(json.dumps(payload))),
    "code-beside": _dressing(lambda payload: json.dumps({"code": 0, "message": "Success", "sid": "x"} | payload)),
    "null-error": _dressing(lambda payload: json.dumps({"error": None, "base_resp": {"status_code": 0}} | payload)),
    "created": _dressing(json.dumps, 201),
    "accepted": _dressing(json.dumps, 202),
    "gb18030": _dressing(lambda payload: json.dumps(payload, ensure_ascii=False), charset="gb18030"),
    "octets": _dressing(json.dumps, content_type="application/octet-stream"),
}

# --- Lists of models -------------------------------------------------------------------------------------------

#: Forms of the reply to GET /models: the names of the models -> the payload.
LISTS: dict[str, Callable[[Sequence[str]], Any]] = {
    "openai": lambda names: {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in names],
    },
    "ollama": lambda names: {"models": [{"name": name, "model": name, "size": 1} for name in names]},
    "bare": lambda names: [{"id": name, "object": "model"} for name in names],
    "names": lambda names: {"data": list(names)},
    "bare-names": list,
    "by-name": lambda names: {"models": {name: {"loaded": True} for name in names}},
    "nested": lambda names: {"code": 0, "data": {"models": [{"model_name": name} for name in names]}},
    "cloudflare": lambda names: {
        "success": True,
        "result": [{"id": f"{at:08x}-0000-4000-8000-000000000000", "name": name} for at, name in enumerate(names)],
    },
    "typed": lambda names: {
        "data": [{"id": "a", "type": "embeddings"}, {"id": "b", "task": "reranking"}]
        + [{"id": name, "type": "llm", "state": "loaded"} for name in names]
    },
    "capable": lambda names: {
        "data": [{"id": "a", "capabilities": {"completion_chat": False, "ocr": True}}]
        + [{"id": name, "capabilities": {"completion_chat": True, "vision": False}} for name in names]
    },
    "embedding-first": lambda names: {
        "data": [{"id": each} for each in ("BAAI/bge-m3", "text-embedding-3-small", "jina-reranker-v2", *names)]
    },
}
