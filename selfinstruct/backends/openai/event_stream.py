"""One reply out of the chunks of a stream; pure, and trusts no part of them.

Does not handle: finding the chunks in a body (``payload``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Parts of a message that come in pieces.
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def is_chunk(payload: Mapping[str, Any]) -> bool:
    """Whether a payload is a piece of a stream."""
    choices = payload.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and ("delta" in first or str(payload.get("object", "")).endswith(".chunk"))


def assemble(chunks: Iterable[Mapping[str, Any]], *, ended: bool) -> dict[str, Any]:
    """Return the chunks as the payload of one reply.

    ``ended`` is whether the end of the stream was marked; without that and without a ``finish_reason``, the reply may
    be cut, and has none. An error between the chunks is the payload. A chunk with a whole ``message`` replaces what
    came before it: some servers repeat the text so far in each.
    """
    message: dict[str, Any] = {}
    calls: dict[Any, dict[str, Any]] = {}
    text: str | None = None
    seen, reason, usage = False, None, None
    for chunk in chunks:
        choices = chunk.get("choices")
        if not choices and any(chunk.get(key) for key in ("error", "code", "base_resp")):
            return dict(chunk)
        usage = chunk.get("usage") or usage
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index"):
            continue
        seen = True
        reason = choice.get("finish_reason") or reason
        if isinstance(choice.get("text"), str):
            text = (text or "") + choice["text"]
        if isinstance(choice.get("message"), dict):
            message = dict(choice["message"])
        if isinstance(choice.get("delta"), dict):
            _add(message, calls, choice["delta"])
    if calls:
        message["tool_calls"] = list(calls.values())
    content = {"text": text} if text is not None and not message else {"message": message}
    choice = {"index": 0, "finish_reason": reason or ("stop" if ended else None), **content}
    return {"choices": [choice] if seen else [], "usage": usage}


def _add(message: dict[str, Any], calls: dict[Any, dict[str, Any]], delta: Mapping[str, Any]) -> None:
    """Add a piece to a message: texts are joined, the arguments of tools by their index."""
    for key in _TEXTS:
        piece = delta.get(key)
        if isinstance(piece, list):
            piece = "".join(str(part.get("text") or "") for part in piece if isinstance(part, dict))
        if isinstance(piece, str):
            message[key] = (message.get(key) or "") + piece
    tools = delta.get("tool_calls")
    pieces = [each for each in tools if isinstance(each, dict)] if isinstance(tools, list) else []
    if isinstance(delta.get("function_call"), dict):
        pieces.append({"index": "function_call", "function": delta["function_call"]})
    for at, piece in enumerate(pieces):
        function = piece.get("function")
        arguments = function.get("arguments") if isinstance(function, dict) else None
        call = calls.setdefault(piece.get("index", at), {"type": "function", "function": {"arguments": ""}})
        if isinstance(arguments, str):
            call["function"]["arguments"] += arguments
