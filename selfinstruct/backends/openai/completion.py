"""A reply's payload -> what the model said, or what is wrong with it; pure, and without trust in any part of it.

Does not handle: reading rows out of what was said (``parse``), or HTTP statuses other than success (``failures``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfinstruct.backends.openai.call_error import CallError, from_error, page
from selfinstruct.records import Usage


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said: ``text``, the endpoint's ``finish_reason``, the tokens it counted (None: it did not say).

    ``reasoning`` is the length of what it thought beside it, in characters.
    """

    text: str
    finish_reason: str
    input: int | None
    output: int | None
    reasoning: int = 0


def read_completion(data: bytes, content_type: str) -> Completion | CallError:
    """What a reply with status 200 says."""
    payload = _payload(data)
    if payload is None:
        return page(200, data, content_type)
    if payload.get("error"):
        return from_error(200, payload, {}, 0.0)
    counted = _usage(payload.get("usage"))
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return CallError(
            "empty", "the endpoint answered without a choice", tries=2, billed=True, usage=_billed(counted)
        )
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    text, reason = _text(message.get("content")), str(choice.get("finish_reason") or "stop")
    if not text:
        text = _arguments(message)
    if not text and (refusal := _text(message.get("refusal"))):
        text, reason = refusal, "refusal"
    if not text and reasoning and reason not in ("length", "content_filter"):
        return CallError(
            "reasoning",
            "the reply is reasoning alone, without an answer",
            hint="Raise max_tokens, or switch the model's reasoning off.",
            billed=True,
            usage=_billed(counted),
        )
    if not text and reason in ("tool_calls", "function_call"):
        return CallError("empty", "the model called a tool without arguments", billed=True, usage=_billed(counted))
    return Completion(text, reason, *counted, len(reasoning))


def _payload(data: bytes) -> dict[str, Any] | None:
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(payload, list) and payload:
        payload = payload[0]
    return payload if isinstance(payload, dict) else None


def _text(value: Any) -> str:
    """A message's text: a string, or a list of parts of which some are text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return "".join(part for part in parts if isinstance(part, str))
    return ""


def _arguments(message: Mapping[str, Any]) -> str:
    """The arguments of the tools that the model called in place of an answer."""
    calls = message.get("tool_calls")
    called = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    called.append(message.get("function_call"))
    found = [call.get("arguments") for call in called if isinstance(call, dict)]
    texts = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in found if each]
    return "\n".join(texts)


def _usage(usage: Any) -> tuple[int | None, int | None]:
    """Tokens in and out, each None where it is missing, no number, or nought (a call costs something)."""
    if not isinstance(usage, dict):
        return None, None
    given, total = _count(usage.get("prompt_tokens")), _count(usage.get("total_tokens"))
    written = _count(usage.get("completion_tokens"))
    if given is not None and written is None and total is not None and total > given:
        written = total - given
    if written is not None and given is None and total is not None and total > written:
        given = total - written
    return given, written


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15
    return int(value) if good else None


def _billed(counted: tuple[int | None, int | None]) -> Usage | None:
    given, written = counted
    return None if given is None else Usage(given, written or 0)
