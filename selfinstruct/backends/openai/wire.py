"""HTTP: send one chat completion with the openai package's client over aiohttp, and return the bytes of the reply.

Every exception of the package, its HTTP library or its transport becomes a CallError here, and nowhere else. A reply is
read up to a maximum size, and decompressed according to its bytes, because its headers are not always right.

Does not handle: the meaning of a status or a body (``call_error``, ``completion``), or when to send (``pacing``).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from openai import DEFAULT_CONNECTION_LIMITS, APIStatusError, AsyncOpenAI, DefaultAioHttpClient, Timeout

from selfinstruct._version import __version__
from selfinstruct.backends.openai.call_error import CallError, exception_chain, from_exception
from selfinstruct.backends.openai.secret import Secret
from selfinstruct.backends.openai.settings import Deadlines, EndpointSettings
from selfinstruct.messages import Phrase

#: Servers close idle connections after about 5 s; the client closes them earlier, so that none is reused as it dies.
KEEP_ALIVE = 4.0
#: Sent instead of a missing key: the package requires one, and local servers ignore it.
NO_KEY = "no-key-needed"
_GZIP = b"\x1f\x8b"
# A new deadline is applied to calls in flight if it differs by more than this share.
_SAME_DEADLINE = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP reply: ``headers`` by lower-case name, ``data`` decompressed."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _BadBody(Exception):
    """The body of a reply is unusable, because of ``error``."""

    def __init__(self, error: CallError) -> None:
        super().__init__(error.reason)
        self.error = error


class _Client(DefaultAioHttpClient):
    """The package's aiohttp client, reading at most ``max_reply_bytes`` of any reply."""

    max_reply_bytes = EndpointSettings().max_reply_bytes

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request and read the whole reply."""
        streamed = await super().send(request, **{**options, "stream": True})
        try:
            length = streamed.headers.get("content-length", "")
            if (
                length.isdecimal()
                and int(length) <= self.max_reply_bytes
                and "content-encoding" not in streamed.headers
            ):
                if (await streamed.aread())[:2] != _GZIP:
                    return streamed
                chunks = [streamed.content]
            else:
                chunks = await _chunks(streamed, self.max_reply_bytes)
        finally:
            await streamed.aclose()
        encoding = streamed.headers.pop("content-encoding", "")
        data = _decompress(b"".join(chunks), encoding, self.max_reply_bytes)
        return type(streamed)(
            streamed.status_code,
            headers=streamed.headers,
            content=data,
            request=request,
            extensions=streamed.extensions,
        )


class Wire:
    """A client for one base URL; ``base_url`` None is the package's default."""

    def __init__(
        self, base_url: str | None, key: str, deadlines: Deadlines, connections: int, max_reply_bytes: int
    ) -> None:
        limits = type(DEFAULT_CONNECTION_LIMITS)(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP_ALIVE
        )
        timeout = Timeout(deadlines.idle, connect=deadlines.connect, pool=None)
        self._deadlines = deadlines
        self._secret = Secret(key)
        self._in_flight: dict[asyncio.Timeout, float] = {}
        self._deadline = deadlines.total
        # A key is sent only to the origin that it was set for, never to the target of a redirect.
        self._http = _Client(limits=limits, timeout=timeout, follow_redirects=False)
        self._http.max_reply_bytes = max_reply_bytes
        self._client = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=base_url,
            max_retries=0,
            timeout=timeout,
            http_client=self._http,
            # Compression gains nothing for small replies, and some servers get it wrong.
            default_headers={"Accept-Encoding": "identity"},
        )
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {key or NO_KEY}",
            "Content-Type": "application/json",
            "User-Agent": f"selfinstruct/{__version__}",
        }

    @property
    def base_url(self) -> str:
        """The URL that requests are sent to, without a trailing slash."""
        return str(self._client.base_url).rstrip("/")

    async def complete(self, body: Mapping[str, Any], total: float | None = None) -> Answer | CallError:
        """POST a chat completion, or a completion if the body has a prompt.

        ``total`` is the deadline of the whole call in seconds, by default that of the settings. It also applies to
        the calls in flight: those that were sent before it was known how long replies take, and are never answered,
        would otherwise delay the end of a run by the default deadline.
        """
        if total is not None:
            self._apply_deadline(total)
        return await self._exchange(
            self._post("/completions" if "prompt" in body else "/chat/completions", body), total
        )

    async def models(self) -> Answer | CallError:
        """GET the list of models."""
        return await self._exchange(self._get_models())

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST with the package's HTTP client alone.

        The package's own method validates and merges options in each call, which takes over half of its CPU time.
        """
        url, content = f"{self.base_url}{path}", json.dumps(body).encode()
        return await self._http.send(self._http.build_request("POST", url, content=content, headers=self._headers))

    async def _get_models(self) -> Any:
        return (await self._client.models.with_raw_response.list()).http_response

    async def _exchange(self, call: Awaitable[Any], total: float | None = None) -> Answer | CallError:
        caught: Exception
        try:
            async with self._bounded(self._deadlines.total if total is None else total):
                return self._answer(await call)
        except APIStatusError as error:
            return self._answer(error.response)
        except Exception as error:  # noqa: BLE001 - the exceptions of three libraries are translated here, and nowhere else
            caught = error
        # Outside the handler, so that no traceback holds the exception, whose request has the key in its headers.
        bad = next((cause for cause in exception_chain(caught) if isinstance(cause, _BadBody)), None)
        return bad.error if bad is not None else from_exception(caught, self.base_url)

    @asynccontextmanager
    async def _bounded(self, total: float) -> AsyncIterator[None]:
        async with asyncio.timeout(total) as timeout:
            self._in_flight[timeout] = asyncio.get_running_loop().time()
            try:
                yield
            finally:
                del self._in_flight[timeout]

    def _apply_deadline(self, total: float) -> None:
        """Apply a new deadline to the calls in flight, if it differs enough."""
        if abs(total - self._deadline) <= _SAME_DEADLINE * self._deadline:
            return
        self._deadline = total
        for timeout, began in self._in_flight.items():
            if not timeout.expired():
                timeout.reschedule(began + total)

    def _answer(self, response: Any) -> Answer:
        # Some servers repeat the key in their errors.
        redact = self._secret.redact
        headers = {name.lower(): redact(value.encode()).decode() for name, value in response.headers.items()}
        return Answer(response.status_code, headers, redact(response.content))


async def _chunks(response: Any, limit: int) -> list[bytes]:
    """Read a body of unknown length, of at most ``limit`` bytes."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return chunks


def _decompress(data: bytes, encoding: str, limit: int) -> bytes:
    """Decompress compressed data, regardless of the header, to at most ``limit`` bytes."""
    if data[:2] == _GZIP or (encoding == "deflate" and data[:1] == b"\x78"):
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            plain = inflater.decompress(data, limit)
        except zlib.error as error:
            raise _unreadable(encoding) from error
        if inflater.unconsumed_tail:
            raise _too_large(limit)
        if not inflater.eof:
            raise _unreadable(encoding)
        return plain
    if encoding in ("br", "zstd"):
        try:
            json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _unreadable(encoding) from error
    return data


def _too_large(limit: int) -> _BadBody:
    message = Phrase("the reply exceeds {limit:,} bytes", limit=limit)
    hint = "Request fewer rows per prompt, or set the recipe's max_tokens."
    return _BadBody(CallError("too-large", message, hint, billed=True))


def _unreadable(encoding: str) -> _BadBody:
    message = Phrase(
        "cannot decompress the reply ({encoding}); the request did not ask for compression", encoding=encoding or "gzip"
    )
    return _BadBody(CallError("garbled", message, max_tries=2, billed=True))
