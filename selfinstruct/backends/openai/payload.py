"""The JSON object of a reply's body, however it is wrapped; pure, and trusts no part of it.

Takes plain JSON, JSON in a list or in a gateway's wrapper, JSON after comments or before a tail, and events
(``event_stream``), whether or not a stream was asked for.

Does not handle: what the object means (``completion``, ``call_error``), or repairing broken JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

from selfinstruct.backends.openai.event_stream import assemble, is_chunk

#: A line of events, or of the keep-alive comments between them.
_EVENT = re.compile(r"^(?:data|event|id|retry):|^:", re.MULTILINE)
_DATA = re.compile(r"^data:", re.MULTILINE)
#: What may stand before JSON: comments, and the guard against its inclusion as a script.
_BEFORE = re.compile(r"\s+|\ufeff|:[^\n]*|#[^\n]*|//[^\n]*|/\*.*?\*/|\)\]\}'[^\n]*", re.DOTALL)
#: Keys of a gateway that wraps the whole reply of its provider.
_WRAPPERS = ("data", "result", "output", "response", "body")
_KNOWN = ("choices", "error", "code", "message", "msg", "base_resp", "detail")


def read_payload(data: bytes) -> dict[str, Any] | None:
    r"""Return the object of a body; None if there is none.

    >>> read_payload(b': PROCESSING\n\n{"choices": []}\n[DONE]')
    {'choices': []}
    """
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return _wrapped(data)
    if isinstance(payload, list):
        chunks = [each for each in payload if isinstance(each, dict)]
        if chunks and is_chunk(chunks[0]):
            return assemble(chunks, ended=True)
        payload = payload[0] if payload else None
    if isinstance(payload, str):
        payload = _object_in(payload)
    if isinstance(payload, dict) and is_chunk(payload):
        return assemble([payload], ended=True)
    return _unwrapped(payload) if isinstance(payload, dict) else None


def as_utf8(data: bytes, content_type: str) -> bytes:
    """Return a body in UTF-8, which JSON must be in (RFC 8259, 8.1): one that is not is decoded as its type says."""
    try:
        data.decode()
    except UnicodeDecodeError:
        try:
            return data.decode(_charset(content_type)).encode()
        except (LookupError, UnicodeError):
            pass
    return data


def _charset(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_content_charset("utf-8"))


def _unwrapped(payload: dict[str, Any]) -> dict[str, Any]:
    """The reply inside a gateway's wrapper, or the payload itself."""
    if payload.get("choices"):
        return payload
    for key in _WRAPPERS:
        inner = payload.get(key)
        if isinstance(inner, str):
            inner = _object_in(inner)
        if isinstance(inner, dict) and inner.get("choices"):
            return inner
    return payload


def _object_in(text: str) -> dict[str, Any] | None:
    """The object that a string contains as JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _wrapped(data: bytes) -> dict[str, Any] | None:
    """The object in a body that is more than one JSON value."""
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if _EVENT.match(text.lstrip()) and _DATA.search(text):
        events = list(_events(text))
        chunks = [each for each in map(_object_in, events) if each is not None]
        return assemble(chunks, ended="[DONE]" in events) if chunks else None
    values = list(_values(text))
    if len(values) > 1 and is_chunk(values[0]):
        return assemble(values, ended=True)
    known = bool(values) and any(key in values[0] for key in _KNOWN)
    return _unwrapped(values[0]) if known else None


def _events(text: str) -> Iterator[str]:
    """The data of each event: its ``data`` lines, up to a blank line (WHATWG HTML, 9.2.6).

    Servers are seen that leave out the blank line, so a line that begins another object ends an event, too.
    """
    lines: list[str] = []
    for line in (*text.split("\n"), ""):
        if line.startswith("data:"):
            value = line[5:].removeprefix(" ")
            if lines and (value.startswith("[DONE]") or _is_whole("\n".join(lines))):
                yield "\n".join(lines)
                lines = []
            lines.append(value.strip() if value.startswith("[DONE]") else value)
        elif not line.strip() and lines:
            yield "\n".join(lines)
            lines = []


def _is_whole(text: str) -> bool:
    return _object_in(text) is not None


def _values(text: str) -> Iterator[dict[str, Any]]:
    """The objects at the beginning of a text, one after another, with comments between them."""
    decoder = json.JSONDecoder()
    at = 0
    while True:
        while (skipped := _BEFORE.match(text, at)) is not None:
            at = skipped.end()
        if text[at : at + 1] != "{":
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value
