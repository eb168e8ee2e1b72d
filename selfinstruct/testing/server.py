"""The fault server: a real HTTP server that speaks the OpenAI-compatible API and misbehaves as it is told.

    async with FaultServer(Behaviour(faults={"rate-limit": 0.3})) as server:
        ...  # point a client at server.base_url
    server.ledger.counts["rate-limit"]

Does not handle: streaming, embeddings, TLS.
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
from selfinstruct.testing.author import Author, ScriptedAuthor
from selfinstruct.testing.behaviour import Behaviour, Ledger
from selfinstruct.testing.catalogue import find
from selfinstruct.testing.exchange import Exchange, World

_LARGEST_REQUEST = 64 * 2**20
_WELL_BEHAVED = Behaviour()


class FaultServer:
    """Serves on ``host`` and ``port`` (0: any free one) while it is open as a context.

    ``base_url`` is what a client is given. ``ledger`` counts what happens and lists what was billed; it stays
    readable afterwards. ``author`` writes the content, by default the scripted one. Raises ``InputError`` for a
    fault that there is not.
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
            find(name)
        self.behaviour = behaviour
        self.ledger = Ledger()
        self._author = author or ScriptedAuthor()
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None
        self._world: World | None = None
        self._connections: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._allowance = float(behaviour.requests_per_minute)
        self._counted = 0.0

    async def __aenter__(self) -> FaultServer:
        """Begin to serve."""
        slots = asyncio.Semaphore(self.behaviour.slots) if self.behaviour.slots else None
        now = asyncio.get_running_loop().time()
        self._world = World(self._author, self.ledger, slots, now)
        self._counted = now
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
        """Stop serving, whatever is under way."""
        if self._world is not None:
            for task in list(self._world.holding):
                task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def base_url(self) -> str:
        """The address in front of ``/chat/completions``."""
        return f"http://{self._host}:{self._port}{self.behaviour.prefix}"

    def storm(self, seconds: float) -> None:
        """Answer every request with a bare 429 for the next ``seconds``."""
        if self._world is not None:
            self._world.storm = asyncio.get_running_loop().time() + seconds

    def _app(self) -> web.Application:
        layers = [transport.careless] if self.behaviour.repeats_key else []
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=layers)
        prefix = self.behaviour.prefix
        app.router.add_post(f"{prefix}/chat/completions", self._complete)
        app.router.add_post(f"{prefix}/completions", self._complete)
        app.router.add_get(f"{prefix}/models", self._models)
        app.router.add_get("/ledger", self._show_ledger)
        app.router.add_route("*", "/{path:.*}", self._nowhere)
        return app

    async def _nowhere(self, request: web.Request) -> web.StreamResponse:
        return transport.page(404, "404 Not Found")

    async def _show_ledger(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.ledger.summary())

    async def _models(self, request: web.Request) -> web.StreamResponse:
        if not self._admits(request):
            return web.json_response(_error("Incorrect API key provided.", "invalid_api_key"), status=401)
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "test"} for name in self.behaviour.models]
        return web.json_response({"object": "list", "data": models})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        """Answer one request for completions, and count it."""
        ledger = self.ledger
        ledger.counts["requests"] += 1
        if ledger.counts["fatal"]:
            ledger.counts["after-fatal"] += 1
        number = ledger.counts["requests"]
        ledger.in_flight += 1
        ledger.peak = max(ledger.peak, ledger.in_flight)
        try:
            body = json.loads(await request.read())
            if (refusal := self._refusal(request, body)) is not None:
                ledger.counts["denied"] += 1
                return refusal
            return await self._exchange(request, body, number)
        except ValueError:
            return web.json_response(_error("The body is not valid JSON.", "invalid_json"), status=400)
        except asyncio.CancelledError:
            ledger.counts["abandoned"] += 1
            raise
        finally:
            ledger.in_flight -= 1

    def _refusal(self, request: web.Request, body: Any) -> web.Response | None:
        """The reply to a request that this server takes from nobody, or None."""
        if not self._admits(request):
            return web.json_response(_error("Incorrect API key provided.", "invalid_api_key"), status=401)
        needed = "messages" if request.path.endswith("/chat/completions") else "prompt"
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
        """Answer a request that is in order, with the fault that befalls it."""
        world, counts = self._world, self.ledger.counts
        if world is None:
            raise RuntimeError("the fault server is not open")
        exchange = Exchange(request, body, number, world, self.behaviour)
        if request.transport is not None:
            exchange.reused = request.transport in self._connections
            self._connections.add(request.transport)
        now = asyncio.get_running_loop().time()
        if now < world.storm:
            counts["storm"] += 1
            return transport.rate_limited(exchange)
        if (wait := self._over_limit(now)) > 0:
            counts["limited"] += 1
            return transport.rate_limited(exchange, {"Retry-After": f"{wait:.3f}"})
        if exchange.fault:
            fault, wanted = find(exchange.fault)
            name = wanted or exchange.rng.choice(list(fault.variants))
            variant = fault.variants[name]
            if variant.applies(exchange):
                base = exchange.fault.partition(":")[0]
                exchange.fault = f"{base}:{name}"
                counts.update({"faults": 1, base: 1, exchange.fault: 1, variant.effect: 1})
                return await variant.act(exchange)
        exchange.fault = ""
        answer = await exchange.answer()
        counts["answered"] += 1
        return exchange.send(answer)

    def _admits(self, request: web.Request) -> bool:
        """Whether the request carries the key, where one is needed."""
        carried = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        return not self.behaviour.key or hmac.compare_digest(carried, self.behaviour.key.encode())

    def _over_limit(self, now: float) -> float:
        """Seconds until the limit of requests per minute allows this one; 0 takes it. A second's worth may burst."""
        rate = self.behaviour.requests_per_minute / 60
        if not rate:
            return 0.0
        self._allowance = min(max(1.0, rate), self._allowance + (now - self._counted) * rate)
        self._counted = now
        if self._allowance < 1:
            return (1 - self._allowance) / rate
        self._allowance -= 1
        return 0.0


def _error(message: str, code: str, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
