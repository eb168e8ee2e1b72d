"""The fault server: a real HTTP server with an OpenAI-compatible API that injects faults.

    async with FaultServer(Behaviour(faults={"rate-limit": 0.3})) as server:
        ...  # point a client at server.base_url
    server.ledger.counts["rate-limit"]

Does not handle: streaming of plain completions, embeddings, TLS.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from types import TracebackType
from typing import Any
from weakref import WeakSet

from aiohttp import web

from selfinstruct.testing import transport
from selfinstruct.testing.author import Author, AuthorFailed, ScriptedAuthor
from selfinstruct.testing.batch_service import BatchService, require_known_faults
from selfinstruct.testing.behaviour import Behaviour, Ledger
from selfinstruct.testing.catalogue import find_fault
from selfinstruct.testing.exchange import Exchange, ServerState
from selfinstruct.testing.manners import LISTS, stream
from selfinstruct.testing.prefix_cache import PrefixCache

_LARGEST_REQUEST = 256 * 2**20
_WELL_BEHAVED = Behaviour()


class FaultServer:
    """Serves on ``host`` and ``port`` (0: any free port) while it is open as a context manager.

    ``base_url`` is its address, and ``ledger`` its record, which remains readable afterwards. ``author`` generates the
    content, by default a ``ScriptedAuthor``. ``behaviour`` may be replaced while the server is open, except for its
    ``slots``, ``keep_alive`` and ``prefix``. Raises ``InputError`` for an unknown fault.
    """

    def __init__(
        self,
        behaviour: Behaviour = _WELL_BEHAVED,
        *,
        author: Author | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        for name in behaviour.faults:
            find_fault(name)
        require_known_faults(behaviour.batches.faults)
        self.behaviour = behaviour
        self.ledger = Ledger()
        self._author = author or ScriptedAuthor()
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._state: ServerState | None = None
        self._batches: BatchService | None = None
        self._connections: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._allowance = float(behaviour.requests_per_minute)
        self._allowance_at = 0.0

    async def __aenter__(self) -> FaultServer:
        """Start the server."""
        slots = asyncio.Semaphore(self.behaviour.slots) if self.behaviour.slots else None
        now = asyncio.get_running_loop().time()
        cache = self.behaviour.prefix_cache
        prefixes = None if cache is None else PrefixCache(*cache)
        self._state = ServerState(self._author, self.ledger, slots, now, prefixes=prefixes)
        self._allowance_at = now
        runner = web.AppRunner(
            self._app(),
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=self.behaviour.keep_alive,
            shutdown_timeout=0.1,
        )
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port, backlog=4_096)
        await site.start()
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and abort the requests in flight."""
        if self._state is not None:
            for task in list(self._state.held_slots):
                task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """The URL before ``/chat/completions``."""
        return f"http://{self._host}:{self._port}{self.behaviour.prefix}"

    def storm(self, seconds: float) -> None:
        """Answer every request by a 429 without retry headers for the next ``seconds``."""
        if self._state is not None:
            self._state.storm_ends = asyncio.get_running_loop().time() + seconds

    def _app(self) -> web.Application:
        layers = [transport.echo_key] if self.behaviour.repeats_key else []
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=layers)
        prefix = self.behaviour.prefix
        app.router.add_post(f"{prefix}/chat/completions", self._complete)
        app.router.add_post(f"{prefix}/completions", self._complete)
        app.router.add_get(f"{prefix}/models", self._models)
        if self._state is not None:
            self._batches = BatchService(self._state, lambda: self.behaviour, self._rejection)
            self._batches.add_routes(app.router, prefix)
        app.router.add_get("/ledger", self._show_ledger)
        app.router.add_route("*", "/{path:.*}", self._not_found)
        return app

    async def _not_found(self, request: web.Request) -> web.StreamResponse:
        return transport.page(404, "404 Not Found")

    async def _show_ledger(self, request: web.Request) -> web.StreamResponse:
        if self._batches is not None:
            self._batches.advance()
        now = asyncio.get_running_loop().time() - (self._state.started if self._state is not None else 0.0)
        last = max((request.at for request in self.ledger.billed), default=0.0)
        return web.json_response(self.ledger.summary() | {"idle": now - last})

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if not self._has_key(request):
            return web.json_response(_error("Incorrect API key provided.", "invalid_api_key"), status=401)
        return web.json_response(LISTS[self.behaviour.model_list](self.behaviour.models))

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one completion request, and count it."""
        ledger = self.ledger
        ledger.counts["requests"] += 1
        if ledger.counts["fatal"]:
            ledger.counts["after-fatal"] += 1
        number = ledger.counts["requests"]
        ledger.in_flight += 1
        ledger.peak = max(ledger.peak, ledger.in_flight)
        try:
            try:
                body = json.loads(await request.read())
            except ValueError:
                return web.json_response(_error("The body is not valid JSON.", "invalid_json"), status=400)
            if (rejection := self._rejection(request, body)) is not None:
                ledger.counts["denied"] += 1
                return rejection
            return await self._exchange(request, body, number)
        except AuthorFailed as error:
            # Not as a status that clients retry for minutes: the author would fail again.
            return web.json_response(_error(str(error), "author_failed"), status=400)
        except asyncio.CancelledError:
            ledger.counts["abandoned"] += 1
            raise
        finally:
            ledger.in_flight -= 1

    def _rejection(self, request: web.Request, body: Any, path: str = "") -> web.Response | None:
        """The error for a wrong key, model, option or body; None for a valid request.

        ``path`` is that of the completion, by default that of the request.
        """
        if not self._has_key(request):
            return web.json_response(_error("Incorrect API key provided.", "invalid_api_key"), status=401)
        needed = "messages" if (path or request.path).endswith("/chat/completions") else "prompt"
        if not isinstance(body, dict) or not body.get(needed):
            return web.json_response(_error(f"{needed!r} is a required property.", "invalid_request"), status=400)
        model = body.get("model")
        if not self.behaviour.any_model and model not in self.behaviour.models:
            return web.json_response(_error(f"The model {model!r} does not exist.", "model_not_found"), status=404)
        form = body.get("response_format") or {}
        asked = {*body, form.get("type") if isinstance(form, dict) else ""}
        for option in sorted(self.behaviour.refuses & asked):
            message = f"Unsupported parameter: {option!r} is not supported with this model."
            return web.json_response(_error(message, "unsupported_parameter", option), status=400)
        return None

    async def _exchange(self, request: web.Request, body: dict[str, Any], number: int) -> web.StreamResponse:
        """Answer a valid request, with its fault if it has one."""
        state, counts = self._state, self.ledger.counts
        if state is None:
            raise RuntimeError("the fault server is not open")
        exchange = Exchange(request, body, number, state, self.behaviour)
        if request.transport is not None:
            exchange.reused = request.transport in self._connections
            self._connections.add(request.transport)
        now = asyncio.get_running_loop().time()
        if now < state.storm_ends:
            counts["storm"] += 1
            return transport.rate_limited(exchange)
        if (wait := self._over_limit(now)) > 0:
            counts["limited"] += 1
            return transport.rate_limited(exchange, {"Retry-After": f"{max(wait, 0.001):.3f}"})
        if exchange.fault:
            fault, wanted = find_fault(exchange.fault)
            name = wanted or exchange.rng.choice(list(fault.variants))
            variant = fault.variants[name]
            if variant.applies(exchange):
                base = exchange.fault.partition(":")[0]
                exchange.fault = f"{base}:{name}"
                counts.update({"faults": 1, base: 1, exchange.fault: 1, variant.effect: 1})
                return await variant.act(exchange)
        exchange.fault = ""
        counts["answered"] += 1
        if exchange.chat and exchange.body.get("stream"):
            return await stream(exchange)
        return exchange.send(await exchange.answer())

    def _has_key(self, request: web.Request) -> bool:
        """Whether the request has the right API key, if one is needed."""
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        return not self.behaviour.key or hmac.compare_digest(sent, self.behaviour.key.encode())

    def _over_limit(self, now: float) -> float:
        """Seconds until the rate limit allows this request; 0 admits it. Bursts of one second's worth are allowed."""
        rate = self.behaviour.requests_per_minute / 60
        if not rate:
            return 0.0
        self._allowance = min(max(1.0, rate), self._allowance + (now - self._allowance_at) * rate)
        self._allowance_at = now
        if self._allowance < 1:
            return (1 - self._allowance) / rate
        self._allowance -= 1
        return 0.0


def _error(message: str, code: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
