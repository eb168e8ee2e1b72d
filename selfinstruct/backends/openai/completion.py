"""Parse a reply's payload into a Completion, or into the error that it means; pure, and trusts no part of it.

Does not handle: reading rows out of the text (``replies``), or HTTP error statuses (``call_error``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfinstruct.backends.openai.call_error import CallError, another_api, from_error, not_json
from selfinstruct.backends.openai.error_body import parse_error
from selfinstruct.backends.openai.payload import as_utf8, read_payload
from selfinstruct.records import Usage
from selfinstruct.replies import MISSING, answer_text, ending_of

#: What the replies of other APIs have: those of Anthropic, Google, OpenAI's responses, DashScope, Ollama, text
#: generation inference, and ERNIE.
_OTHER_APIS: tuple[dict[str, Any], ...] = (
    {"content": list, "stop_reason": str},
    {"candidates": list},
    {"output": list},
    {"output": dict, "request_id": str},
    {"message": dict, "done": bool},
    {"generated_text": str},
    {"result": str, "is_truncated": bool},
)


@dataclass(frozen=True, slots=True)
class Completion:
    """The text of a reply, the endpoint's ``finish_reason``, and the tokens that it counted (None: not reported).

    A reply without a reason, or with null, has the reason ``MISSING``.

    ``reasoning_length`` is the length of the reasoning beside the text, in characters. ``cached`` are the input tokens
    that came from the endpoint's cache.
    """

    text: str
    finish_reason: str
    input: int | None
    output: int | None
    reasoning_length: int = 0
    cached: int = 0


def read_completion(data: bytes, content_type: str, request: Mapping[str, Any] | None = None) -> Completion | CallError:
    """Parse the body of a reply with a status of success: a reply if it has choices, else an error.

    ``request`` is the body of the request, for errors about its options.
    """
    payload = read_payload(as_utf8(data, content_type))
    if payload is None:
        return not_json(200, data, content_type)
    reported = payload.get("usage")
    reported = reported if isinstance(reported, dict) else {}
    tokens = _tokens(reported)
    choices = payload.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        if other := _of_another_api(payload):
            return another_api(other)
        if not parse_error(payload).is_empty:
            return from_error(200, payload, {}, 0.0, request)
        return CallError("empty", "the reply has no choices", max_tries=2, billed=True, usage=_usage(reported))
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": message or choice.get("text")}
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    text, reason = _text(message.get("content")), _finish_reason(choice)
    if not text and (choice.get("error") or payload.get("error")):
        return from_error(200, choice if choice.get("error") else payload, {}, 0.0, request)
    if not text:
        text = _tool_arguments(message)
    if not text and (refusal := _text(message.get("refusal"))):
        text, reason = refusal, "refusal"
    if not text and reasoning and (text := _answer_in(reasoning)):
        reasoning = reasoning[: -len(text)] if reasoning.endswith(text) else ""
    if not text and reasoning and ending_of(reason) not in ("truncated", "filtered"):
        return CallError(
            "reasoning",
            "the reply contains only reasoning and no answer",
            hint="Raise the recipe's max_tokens, or turn the model's reasoning off.",
            billed=True,
            usage=_usage(reported),
        )
    if not text and reason in ("tool_calls", "function_call"):
        return CallError("empty", "the model called a tool without arguments", billed=True, usage=_usage(reported))
    return Completion(text, reason, *tokens, len(reasoning), _cached(reported))


def _of_another_api(payload: Mapping[str, Any]) -> str:
    """The keys by which a reply is one of another API than chat completions, or ""."""
    keys = (each for each in _OTHER_APIS if all(isinstance(payload.get(key), kind) for key, kind in each.items()))
    return ", ".join(next(keys, ()))


def _answer_in(reasoning: str) -> str:
    """The answer that an endpoint took for reasoning: what follows the end of this, or all of it if it is JSON.

    So do servers that expect a model to reason first, where its reasoning is turned off.
    """
    try:
        whole = isinstance(json.loads(reasoning), dict | list)
    except (ValueError, RecursionError):
        whole = False
    answer = answer_text(reasoning)
    return answer if whole or answer != reasoning.strip() else ""


def _finish_reason(choice: Mapping[str, Any]) -> str:
    """Why a reply ended: a word, or the first one of an object such as SGLang's ``{"type": "stop", "matched": 2}``."""
    reason = choice.get("finish_reason") or choice.get("stop_reason") or choice.get("native_finish_reason")
    if isinstance(reason, dict):
        reason = reason.get("type") or reason.get("reason")
    return reason if isinstance(reason, str) else MISSING if reason is None else str(reason)


def _text(value: Any) -> str:
    """The text of a message: a string, the text parts of a list, or JSON that a gateway has read already."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        texts = [part for part in parts if isinstance(part, str)]
        return "".join(texts) if texts or not value else json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and value:
        text = value.get("text") or value.get("parts")
        return _text(text) if text else json.dumps(value, ensure_ascii=False)
    return ""


def _tool_arguments(message: Mapping[str, Any]) -> str:
    """The arguments of the tools that the model called instead of answering."""
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    functions.append(message.get("function_call"))
    arguments = [function.get("arguments") for function in functions if isinstance(function, dict)]
    texts = [each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in arguments if each]
    return "\n".join(texts)


def _tokens(usage: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Input and output tokens, each None if it is missing, not a number, or 0 (every call has some).

    Output includes the reasoning, which some endpoints count apart, and input what was read from a cache or written
    to it, which Anthropic's counts leave out.
    """
    total = _count(usage.get("total_tokens"))
    prompt, output = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None and (read := _count(usage.get("input_tokens"))) is not None:
        apart = ("cache_read_input_tokens", "cache_creation_input_tokens")
        prompt = read + sum(_count(usage.get(name)) or 0 for name in apart)
    output = _count(usage.get("output_tokens")) if output is None else output
    if prompt is not None and output is None and total is not None and total > prompt:
        output = total - prompt
    if output is not None and prompt is None and total is not None and total > output:
        prompt = total - output
    reasoning = _detail(usage, "completion_tokens_details", "reasoning_tokens")
    if prompt and output and reasoning and total is not None and total >= prompt + output + reasoning:
        output += reasoning
    return prompt, output


def _cached(usage: Mapping[str, Any]) -> int:
    """The input tokens that came from a cache, as OpenAI, DeepSeek or Anthropic report them."""
    cached = (
        _detail(usage, "prompt_tokens_details", "cached_tokens")
        or _detail(usage, "input_tokens_details", "cached_tokens")
        or _count(usage.get("prompt_cache_hit_tokens"))
        or _count(usage.get("cache_read_input_tokens"))
        or 0
    )
    return min(cached, _tokens(usage)[0] or 0)


def _detail(usage: Mapping[str, Any], name: str, part: str) -> int | None:
    details = usage.get(name)
    return _count(details.get(part)) if isinstance(details, dict) else None


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        value = int(value)
    valid = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e15
    return int(value) if valid else None


def _usage(reported: Mapping[str, Any]) -> Usage | None:
    prompt, output = _tokens(reported)
    return None if prompt is None else Usage(prompt, output or 0, cached=_cached(reported))
