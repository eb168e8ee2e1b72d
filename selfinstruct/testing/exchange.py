"""One request to the fault server, and the reply of a server without faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from selfinstruct.prompts import estimate_tokens
from selfinstruct.testing.author import Author, AuthorFailed
from selfinstruct.testing.behaviour import Behaviour, Billed, Ledger
from selfinstruct.testing.prefix_cache import PrefixCache

_JSON = "application/json"


@dataclass(slots=True)
class Answer:
    """The parts of a reply before they are assembled into a payload; ``content`` is the author's text.

    With ``choices`` false the payload has no choices, with ``finish_reason`` "" its choice has no reason. ``arguments``
    are those of a tool call that replaces the content.
    """

    content: str | None
    usage: dict[str, Any] | None
    finish_reason: str | None = "stop"
    reasoning: str = ""
    refusal: str = ""
    arguments: str | None = None
    choices: bool = True

    def rows(self) -> list[dict[str, Any]]:
        """The rows in the content; empty if it is not in the scripted author's format."""
        try:
            rows = json.loads(self.content or "")["rows"]
        except (ValueError, KeyError, TypeError):
            return []
        return [row for row in rows if isinstance(row, dict)]


@dataclass(slots=True)
class ServerState:
    """State shared by all requests to a server; ``started`` and ``storm_ends`` are times of the event loop."""

    author: Author
    ledger: Ledger
    slots: asyncio.Semaphore | None
    started: float
    storm_ends: float = 0.0
    held_slots: set[asyncio.Task[None]] = field(default_factory=set)
    prefixes: PrefixCache | None = None


class Exchange:
    """A completion request being answered; ``fault`` is the name of its fault, ``rng`` its random generator."""

    def __init__(
        self, request: web.Request, body: dict[str, Any], number: int, state: ServerState, behaviour: Behaviour
    ) -> None:
        self.request = request
        self.body = body
        self.number = number
        self.state = state
        self.behaviour = behaviour
        self.chat = "messages" in body
        self.fault, self.rng = behaviour.draw(number)
        self.reused = False

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The chat messages; a plain prompt becomes one user message."""
        if self.chat:
            messages: Sequence[Mapping[str, Any]] = self.body["messages"]
            return messages
        return [{"role": "user", "content": str(self.body["prompt"])}]

    async def answer(self) -> Answer:
        """Generate the reply with the usual latency and speed, and bill it."""
        async with self._slot():
            slow = self.rng.random() < self.behaviour.slow_share
            latency = self.behaviour.latency * (self.behaviour.slow_factor if slow else 1)
            if latency:
                await asyncio.sleep(latency)
            answer = self.bill()
            if self.behaviour.tokens_per_second:
                await asyncio.sleep(estimate_tokens(answer.content or "") / self.behaviour.tokens_per_second)
            return answer

    def bill(self) -> Answer:
        """Generate the reply immediately, cut to the request's token limit, and bill it."""
        try:
            content = self.state.author(self.messages, self.rng)
        except Exception as error:
            raise AuthorFailed(f"The author of the replies failed: {error!r}") from error
        limit = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        output = estimate_tokens(content)
        finish_reason = "stop"
        if limit and output > limit:
            content, finish_reason = content[: len(content) * limit // output], "length"
            output = min(limit, estimate_tokens(content))
        tokens = sum(4 + estimate_tokens(str(message.get("content") or "")) for message in self.messages)
        now = asyncio.get_running_loop().time() - self.state.started
        model, prefixes = str(self.body.get("model", "")), self.state.prefixes
        cached = 0 if prefixes is None else prefixes.cached(model, self.messages, tokens)
        self.state.ledger.billed.append(Billed(self.number, now, model, tokens, output, self.fault, cached))
        usage: dict[str, Any] = {
            "prompt_tokens": tokens,
            "completion_tokens": output,
            "total_tokens": tokens + output,
        }
        if prefixes is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        return Answer(content, self._as_reported(usage), finish_reason)

    def send(self, answer: Answer) -> web.Response:
        """The reply as an OpenAI-compatible payload."""
        return self.json(self.payload(answer))

    def payload(self, answer: Answer) -> dict[str, Any]:
        """The payload of a chat completion, or of a plain completion if that was requested."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": answer.finish_reason, "logprobs": None}
        if answer.finish_reason == "":
            del choice["finish_reason"]
        if self.chat:
            choice["message"] = _message(answer)
        else:
            choice["text"] = answer.content or ""
        payload = {
            "id": f"{'chatcmpl' if self.chat else 'cmpl'}-{self.number}",
            "object": "chat.completion" if self.chat else "text_completion",
            "created": 1_700_000_000 + self.number,
            "model": self.body.get("model", ""),
            "choices": [choice] if answer.choices else [],
        }
        return payload | ({"usage": answer.usage} if answer.usage is not None else {})

    def json(self, payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
        """A JSON reply of any status."""
        return web.Response(body=json.dumps(payload).encode(), status=status, headers=headers, content_type=_JSON)

    def error(self, status: int, message: str, code: str | None = None, kind: str = "") -> web.Response:
        """An error in OpenAI's envelope."""
        return self.json({"error": {"message": message, "type": kind or code, "param": None, "code": code}}, status)

    def hang_up(self, *, abort: bool) -> web.Response:
        """Close the connection without a reply, or reset it if ``abort``."""
        transport = self.request.transport
        if transport is not None:
            if abort:
                transport.abort()
            else:
                transport.close()
        return web.Response(status=500)

    def hold(self, seconds: float) -> asyncio.Task[None]:
        """Occupy a slot for ``seconds``, even if the client disconnects."""

        async def occupy() -> None:
            """Hold a slot for the given time."""
            async with self._slot():
                await asyncio.sleep(seconds)

        task = asyncio.create_task(occupy())
        self.state.held_slots.add(task)
        task.add_done_callback(self.state.held_slots.discard)
        return task

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self.state.slots is None:
            yield
        else:
            async with self.state.slots:
                yield

    def _as_reported(self, usage: dict[str, Any]) -> dict[str, Any] | None:
        """The usage to report: complete, partial or missing."""
        chance = self.rng.random()
        if chance < self.behaviour.no_usage:
            return None
        if chance < self.behaviour.no_usage + self.behaviour.partial_usage:
            return {"prompt_tokens": usage["prompt_tokens"]}
        return usage


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.content}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.refusal:
        message["refusal"] = answer.refusal
    if answer.arguments is not None:
        call = {"name": "rows", "arguments": answer.arguments}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": call}]
    return message
